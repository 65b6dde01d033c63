"""Send, Receive, Settle: credits arrive once or come back, however often the courier asks."""

import pytest
from contracts.commands import GrantKind, Receive, Settle
from contracts.grants import Part
from contracts.reasons import Reason, Remedy
from contracts.units import ANONYMOUS, DAY, FOREVER, HOUR
from ledger.domain.transfers import AGAIN_MS
from ledger.follow import follow_up

from tests.unit.domain.kit import Story, given
from tests.unit.domain.words import (
    ACCOUNT,
    COURIER,
    PERSON,
    T0,
    expire,
    freeze,
    frozen,
    grant,
    granted,
    lot_expired,
    part,
    received,
    refused,
    release,
    released,
    repeated,
    reserve,
    reserved,
    revoke,
    revoked,
    send,
    sent,
    set_plan,
    settled,
)

OTHER = "acct-2"


def gift(amount: int, expires_at: int = FOREVER) -> Part:
    return Part(GrantKind.GIFT, amount, 30, expires_at)


def receive(amount: int, transfer: str = "t1", **more: object) -> Receive:
    asked = {"id": f"receive-{transfer}", "account": OTHER, "actor": COURIER, "sender": ACCOUNT}
    asked |= {"amount": amount, "transfer": transfer, "parts": (gift(amount),), **more}
    return Receive(**asked)  # type: ignore[arg-type]


def settle(returned: int = 0, transfer: str = "t1", named: str = "s1") -> Settle:
    return Settle(id=named, account=ACCOUNT, actor=COURIER, transfer=transfer, returned=returned)


def followed(story: Story) -> Story:
    """The courier carries on what the last commands left to do, until nothing follows."""
    while asked := list(story.partition.followed):
        story.partition.followed.clear()
        accounts = [story.partition.accounts.get(one.account) for one in asked]
        both = zip(asked, accounts, strict=True)
        found = [follow_up(one, of) for one, of in both if of is not None]
        story.when(*(command for command in found if command is not None))
    return story


def owned(story: Story, account: str = OTHER) -> tuple[int, int]:
    """What an account has available, and what it ever received."""
    found = story.partition.accounts.get(account)
    assert found is not None
    return found.available, found.received


def test_what_is_sent_leaves_at_once_and_arrives_as_a_lot_of_its_own() -> None:
    story = (
        given(granted(100))
        .when(send(30))
        .then(sent(30, slices=(part("g1", 30),), parts=(gift(30),)))
    )
    story.stands(available=70, sent=30)
    followed(story).stands(available=70, sent=30, transfers={}, settled={"t1": 0})
    assert owned(story) == (30, 30)


def test_credits_keep_their_expiry_and_given_ones_their_kind() -> None:
    soon, late = T0 + HOUR, T0 + DAY
    story = given(
        granted(5, "g1", kind=GrantKind.PROMO, priority=10, expires_at=soon),
        granted(7, "g2", kind=GrantKind.PAID, priority=50, expires_at=late),
        granted(9, "g3", kind=GrantKind.TOPUP, priority=50, expires_at=late),
    )
    story.when(send(15)).then(
        sent(
            15,
            slices=(part("g1", 5), part("g2", 7), part("g3", 3)),
            parts=(Part(GrantKind.PROMO, 5, 10, soon), gift(10, late)),
        )
    )
    lots = followed(story).partition.accounts.get(OTHER)
    assert lots is not None
    assert [(lot.kind, lot.available, lot.expires_at) for lot in lots.lots] == [
        (GrantKind.PROMO, 5, soon),
        (GrantKind.GIFT, 10, late),
    ]


def test_a_transfer_that_is_received_twice_moves_once() -> None:
    story = (
        given(granted(100))
        .when(send(30), receive(30), receive(30))
        .then(sent(30), received(30), repeated())
    )
    assert owned(story) == (30, 30)


def test_a_transfer_whose_answer_is_forgotten_is_still_received_once() -> None:
    story = given(granted(100)).when(send(30), receive(30))
    story.partition.followed.clear()
    story.when(receive(30), at=T0 + 26 * HOUR).then(refused(Reason.TRANSFER_RECEIVED, Remedy.NONE))
    assert owned(story) == (30, 30)
    followed(story).then(settled(0)).stands(available=70, sent=30)


def test_a_transfer_that_the_receiver_cannot_take_comes_back_to_the_very_lots() -> None:
    story = given(granted(10), granted(50, "g2")).when(send(30))
    (asked,) = story.partition.followed
    brought = follow_up(asked, story.account)
    assert isinstance(brought, Receive)
    story.when(grant(1, brought.id, account=OTHER))  # whoever took its name
    followed(story).then(settled(30, slices=(part("g1", 10), part("g2", 20))))
    story.stands(available=60, sent=0, transfers={}, settled={"t1": 30})
    assert owned(story) == (1, 0)


def test_a_settled_transfer_is_not_settled_again() -> None:
    given(granted(100)).when(send(30), settle(0), settle(30, named="s2")).then(
        sent(30), settled(0), refused(Reason.TRANSFER_UNKNOWN, Remedy.NONE)
    ).stands(available=70, sent=30)


def test_a_transfer_is_settled_whole() -> None:
    given(granted(100)).when(send(30), settle(29)).then(
        sent(30), refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("returned",))
    )


def test_the_name_of_a_transfer_is_used_once_for_ever() -> None:
    story = (
        given(granted(100))
        .when(send(30, id="a"), send(30, id="b"))
        .then(sent(30), refused(Reason.ID_CONFLICT, fields=("transfer",)))
    )
    story.when(settle(0), send(30, id="c")).then(
        settled(0), refused(Reason.ID_CONFLICT, fields=("transfer",))
    )


@pytest.mark.parametrize("to", [ACCOUNT, ANONYMOUS])
def test_credits_go_to_another_account_only(to: str) -> None:
    given(granted(100)).when(send(30, to)).then(refused(Reason.RECEIVER_INVALID, fields=("to",)))


@pytest.mark.parametrize("amount", [0, -1, 2**53])
def test_an_amount_that_is_none_is_refused(amount: int) -> None:
    given(granted(100)).when(send(amount)).then(
        refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",))
    )


def test_more_than_there_is_cannot_be_sent_and_held_credits_neither() -> None:
    given(granted(100), reserved("r1", 60)).when(send(50)).then(
        refused(Reason.INSUFFICIENT_CREDITS, Remedy.TOP_UP, shortfall=10)
    ).stands(available=40, held=60, sent=0)


def test_credits_of_a_plan_stay() -> None:
    story = given(granted(20)).when(set_plan("free"))
    plan = story.account.available - 20
    assert plan > 0
    story.when(send(30), send(20, transfer="t2")).then(
        refused(Reason.NOT_TRANSFERABLE, Remedy.CHANGE_REQUEST, shortfall=10),
        sent(20, transfer="t2", slices=(part("g1", 20),)),
    ).stands(available=plan)


def test_a_frozen_account_sends_nothing_and_receives_what_was_sent() -> None:
    given(granted(100)).when(freeze(), send(1)).then(
        frozen(), refused(Reason.ACCOUNT_FROZEN, Remedy.CONTACT_SUPPORT)
    )
    story = given(granted(100)).when(freeze(account=OTHER), send(30))
    followed(story).stands(sent=30)
    assert owned(story) == (30, 30)


def test_a_frozen_lot_is_not_sent() -> None:
    given(granted(10), granted(50, "g2")).when(freeze("g1"), send(55), send(50, id="b")).then(
        frozen(), refused(Reason.NOT_TRANSFERABLE, shortfall=5), sent(50, slices=(part("g2", 50),))
    )


def test_what_was_sent_of_a_revoked_grant_is_owed_by_the_sender() -> None:
    story = (
        given(granted(100)).when(send(30), revoke("g1")).then(sent(30), revoked("g1", 70, debt=30))
    )
    followed(story).stands(available=0, debts={"g1": 30})
    assert owned(story) == (30, 30)


def test_what_comes_back_pays_what_its_grant_owes() -> None:
    given(granted(100)).when(send(30), revoke("g1"), settle(30)).then(
        sent(30), revoked("g1", 70, debt=30), settled(30, repaid=(part("g1", 30),))
    ).stands(available=0, sent=0, debts={}, revoked=100)


def test_what_arrives_pays_debts_first() -> None:
    story = given(granted(100)).when(
        grant(40, "b1", account=OTHER),
        reserve("r1", 40, account=OTHER),
        revoke("b1", account=OTHER),
        send(50),
    )
    followed(story)
    assert owned(story) == (10, 50)


def test_what_comes_back_to_an_expired_lot_is_lost_to_time() -> None:
    soon = T0 + HOUR
    given(granted(30, expires_at=soon)).when(send(30)).when(settle(30), at=soon + 1).then(
        settled(30)
    ).when(expire(grant="g1"), at=soon + 2).then(lot_expired("g1", 30)).stands(
        available=0, expired=30, sent=0
    )


def test_an_open_transfer_falls_due_until_it_is_settled() -> None:
    story = given(granted(100)).when(send(30)).stands(next_due=T0 + AGAIN_MS)
    again = story.replayed()
    assert again.due(T0 + AGAIN_MS, 10) == [ACCOUNT]
    story.when(reserve("r1", 5), release("r1"), at=T0 + AGAIN_MS + 1).then(
        reserved("r1", 5), released("r1", 5)
    )
    story.when(settle(0), at=T0 + AGAIN_MS + 2)
    assert story.account.next_due > T0 + AGAIN_MS


def test_nobody_but_the_courier_receives_and_settles() -> None:
    by_person = receive(30, actor=PERSON)
    story = (
        given(granted(100))
        .when(send(30), by_person)
        .then(sent(30), refused(Reason.NOT_PERMITTED, Remedy.NONE))
    )
    account = story.partition.accounts.get(OTHER)
    assert account is not None
    assert follow_up(by_person, account) is None, "it would send the credits back"


@pytest.mark.parametrize("parts", [(), (gift(29),), (gift(0), gift(30)), (gift(-1), gift(31))])
def test_parts_make_up_the_amount(parts: tuple[Part, ...]) -> None:
    given(granted(1)).when(receive(30, parts=parts)).then(refused(Reason.AMOUNT_OUT_OF_RANGE))
