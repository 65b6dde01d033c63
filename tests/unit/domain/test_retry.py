"""The same question gets the same answer; another question under its id is refused by name."""

import msgspec
import pytest
from contracts.commands import AnyCommand
from contracts.events import AnswerRepeated, AnyEvent
from contracts.reasons import Reason, Remedy
from contracts.units import DAY, HOUR, MINUTE, SECOND

from contracts import codec
from tests.unit.domain.kit import Story, given, without_state
from tests.unit.domain.words import (
    ADMIN,
    SERVICE,
    T0,
    TOOL,
    charge,
    charged,
    estimate,
    expire,
    grant,
    granted,
    refund,
    refused,
    release,
    repeated,
    reserve,
    reserved,
    set_controls,
    too_old,
)


def first_of(story: Story) -> AnyEvent:
    (event,) = story.last
    assert isinstance(event, AnswerRepeated)
    return codec.decode_event(bytes(event.first))  # type: ignore[return-value]


@pytest.mark.parametrize(
    "command",
    [
        grant(5, "new"),
        estimate(TOOL),
        reserve("new", 5),
        reserve("new", 5000),
        charge("r1", 40),
        charge("r1", 10, final=False),
        release("r1"),
        refund("c0"),
        set_controls(day_limit=5),
        expire(reservation="r1"),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_retry_gets_the_first_answer_and_changes_nothing(command: AnyCommand) -> None:
    story = given(granted(100), reserved("r0", 5), charged("c0", "r0", 5), reserved("r1", 60))
    story.when(command)
    answer, before = story.last[-1], without_state(story)
    story.when(command, at=T0 + SECOND).then(repeated())
    assert first_of(story) == answer
    assert without_state(story) == before


def test_a_retry_of_a_retry_still_gets_the_first_answer() -> None:
    story = given(granted(100)).when(reserve("r1", 5))
    (answer,) = story.last
    story.when(reserve("r1", 5)).when(reserve("r1", 5))
    assert first_of(story) == answer


def test_a_retry_gets_the_first_answer_after_a_restart_too() -> None:
    story = given(granted(100)).when(reserve("r1", 60))
    (answer,) = story.last
    story.partition = story.replayed()
    story.when(reserve("r1", 60)).then(repeated())
    assert first_of(story) == answer


def test_a_retry_of_a_refusal_is_refused_although_it_would_work_by_now() -> None:
    story = given().when(reserve("r1", 5)).then(refused(Reason.INSUFFICIENT_CREDITS))
    story.when(grant(100), reserve("r1", 5)).then(granted(100), repeated())
    assert first_of_last(story).reason is Reason.INSUFFICIENT_CREDITS  # type: ignore[union-attr]


def first_of_last(story: Story) -> AnyEvent:
    repeat = story.last[-1]
    assert isinstance(repeat, AnswerRepeated)
    return codec.decode_event(bytes(repeat.first))  # type: ignore[return-value]


def test_a_charge_twice_with_the_same_id_is_the_same_answer() -> None:
    given(granted(100), reserved("r1", 60)).when(charge("r1", 40), charge("r1", 40)).then(
        charged("c1", "r1", 40, released=20), repeated()
    ).stands(spent=40)


def test_another_payload_under_the_same_id_is_refused_and_names_the_fields() -> None:
    story = given(granted(100)).when(reserve("r1", 5, lifetime_ms=MINUTE))
    before = without_state(story)
    story.when(reserve("r1", 6, lifetime_ms=2 * MINUTE, key="k")).then(
        refused(Reason.ID_CONFLICT, Remedy.CHANGE_REQUEST, fields=("amount", "lifetimeMs", "key"))
    )
    assert without_state(story) == before


def test_another_kind_of_command_under_the_same_id_is_refused() -> None:
    given(granted(100)).when(reserve("r1", 5), charge("r1", 5, "r1")).then(
        reserved("r1", 5), refused(Reason.ID_CONFLICT, fields=("type",))
    )


def test_after_a_conflict_the_first_answer_still_stands() -> None:
    story = given(granted(100)).when(reserve("r1", 5))
    (answer,) = story.last
    story.when(reserve("r1", 6)).when(reserve("r1", 5))
    assert first_of(story) == answer


def test_a_retry_by_another_actor_with_another_deadline_is_the_same_question() -> None:
    given(granted(100)).when(
        reserve("r1", 5, by=SERVICE), reserve("r1", 5, by=ADMIN, deadline=T0 - 1, issued_at=T0)
    ).then(reserved("r1", 5), repeated())


def test_the_same_id_on_another_account_is_another_question() -> None:
    given(granted(100)).when(reserve("r1", 5), reserve("r1", 5, account="acct-2")).then(
        reserved("r1", 5), refused(Reason.INSUFFICIENT_CREDITS)
    )


def test_a_first_try_over_a_day_ago_is_not_decided() -> None:
    story = given(granted(100))
    story.when(reserve("r1", 5, issued_at=T0 - DAY - 1)).then(
        too_old(kind="Reserve", issued_at=T0 - DAY - 1)
    )
    story.stands(available=100)
    story.when(reserve("r1", 5, issued_at=T0 - DAY)).then(reserved("r1", 5))


def test_a_first_try_dated_ahead_is_refused_before_its_answer_could_be_forgotten() -> None:
    ahead = T0 + HOUR + 1
    story = given(granted(100))
    story.when(reserve("r1", 5, issued_at=ahead)).then(
        refused(Reason.ISSUED_IN_THE_FUTURE, fields=("issuedAt",))
    )
    story.stands(available=100)
    story.when(reserve("r2", 5, issued_at=T0 + HOUR)).then(reserved("r2", 5))
    late = T0 + 25 * HOUR + 1  # the answer may be forgotten now: the same try is too old by then
    story.when(grant(1, "g2"), at=late)
    story.when(reserve("r2", 5, issued_at=T0 + HOUR), at=late).then(too_old(kind="Reserve"))


def test_a_retry_after_25_hours_is_too_old_and_never_decided_again() -> None:
    story = given(granted(100)).when(reserve("r1", 5, issued_at=T0))
    late = T0 + 25 * HOUR + 1
    story.when(grant(1, "g2"), at=late)  # with this, answers older than 25 h are forgotten
    story.when(reserve("r1", 5, issued_at=T0), at=late).then(too_old(kind="Reserve"))


def test_answers_are_kept_for_25_hours_of_events_time() -> None:
    story = given(granted(100)).when(reserve("r1", 5))
    story.when(grant(1, "g2"), at=T0 + 25 * HOUR)
    story.when(reserve("r1", 5), at=T0 + 25 * HOUR).then(repeated())
    story.when(grant(1, "g3"), at=T0 + 25 * HOUR + 1)
    assert "r1" not in story.account.answers
    assert "g2" in story.account.answers


def test_too_old_is_never_the_first_outcome() -> None:
    story = given(granted(100)).when(reserve("r1", 5, issued_at=T0 - 2 * DAY)).then(too_old())
    assert story.account.answers.keys().isdisjoint({"r1"})


def test_the_answer_in_memory_is_the_event_in_the_log() -> None:
    story = given(granted(100)).when(reserve("r1", 5))
    assert story.account.answers["r1"] == story.log[-1].value
    assert msgspec.json.decode(story.log[-1].value)["type"] == "CreditsReserved"


def test_a_reservation_that_is_remembered_to_have_ended_is_not_made_again() -> None:
    """It ended, by the first touch, long after it was made: its answer is forgotten first."""
    story = given(granted(100)).when(reserve("r1", 5))
    story.when(grant(1, "g2"), at=T0 + 26 * HOUR)
    assert "r1" not in story.account.answers
    story.when(reserve("r1", 5), at=T0 + 26 * HOUR).then(
        refused(Reason.ID_CONFLICT, fields=("id",))
    )


def test_a_try_that_came_too_late_is_decided_when_it_is_sent_again() -> None:
    given(granted(100)).when(
        reserve("r1", 5, deadline=T0 - 1), reserve("r1", 5, deadline=T0), reserve("r1", 5)
    ).then(refused(Reason.DEADLINE), reserved("r1", 5), repeated())
