"""What is over leaves memory by events' time, and nobody can tell whether it left early."""

from contracts.events import CommandRefused, CreditsRefunded
from contracts.reasons import Reason
from contracts.units import ANSWER_KEPT_MS, DAY, REFUND_DAYS
from ledger.accounts import Accounts
from ledger.buckets import bucket_of
from ledger.domain.account import Account

from tests.unit.domain.kit import Story, given
from tests.unit.domain.words import ACCOUNT, T0, charge, granted, refund, refused, reserve

LATER = T0 + REFUND_DAYS * DAY


def charged() -> Story:
    return given(granted(100)).when(reserve("r1", 50), charge("r1", 20))


def test_a_charge_can_be_refunded_for_180_days() -> None:
    story = charged().when(refund("c1", 5), at=LATER)
    assert isinstance(story.last[-1], CreditsRefunded)


def test_after_that_it_is_unknown_and_forgotten() -> None:
    story = charged()
    story.has_forgotten = True
    story.when(refund("c1", 5), at=LATER + 1)
    story.then(refused(Reason.CHARGE_UNKNOWN))
    assert story.account.charges == {}


def test_answers_and_endings_are_forgotten_after_25_hours() -> None:
    story = charged().when(reserve("r2", 1), at=T0 + ANSWER_KEPT_MS)
    assert "r1" in story.account.answers
    assert "r1" in story.account.ended
    story.when(reserve("r3", 1), at=T0 + ANSWER_KEPT_MS + 1)
    assert "r1" not in story.account.answers
    assert "r1" not in story.account.ended


def test_an_account_at_rest_is_swept_and_nobody_can_tell() -> None:
    """At any moment: the hash stays, and what it answers next is what it would have answered."""
    for at in (T0, T0 + ANSWER_KEPT_MS, T0 + ANSWER_KEPT_MS + 1, LATER, LATER + 1, LATER + DAY):
        kept, swept = _at_rest(charged()), _at_rest(charged())
        before = swept.partition.accounts.state_hash()
        swept.partition.accounts.sweep(bucket_of(ACCOUNT), at)
        assert swept.partition.accounts.state_hash() == before
        for story in (kept, swept):
            story.when(refund("c1", 5), at=at).when(charge("r1", 1, named="c9"), at=at + 1)
        assert _said(kept) == _said(swept)
        hashes = {s.partition.accounts.state_hash() for s in (kept, swept)}
        assert len(hashes) == 1, f"swept at {at - T0}"


def test_a_swept_account_is_smaller() -> None:
    story = _at_rest(charged())
    bucket = bucket_of(ACCOUNT)
    before = len(story.partition.accounts._rest.body(bucket))
    assert story.partition.accounts.sweep(bucket, LATER) == 1
    assert len(story.partition.accounts._rest.body(bucket)) < before
    assert story.partition.accounts.sweep(bucket, LATER) == 0
    assert story.partition.accounts.sweep(bucket, LATER + 1) == 1, "the charge is over"
    assert story.partition.accounts.sweep(bucket, LATER + DAY) == 0


def test_a_refusal_says_the_same_before_and_after() -> None:
    early = charged().when(refund("no-such", 5)).last[-1]
    story = charged()
    story.has_forgotten = True
    late = story.when(refund("c1", 5), at=LATER + 1).last[-1]
    assert isinstance(early, CommandRefused)
    assert isinstance(late, CommandRefused)
    assert early.reason is late.reason


def _at_rest(story: Story) -> Story:
    """The same, its account laid to rest."""
    fresh = Accounts(young_max=1)
    fresh.add(story.account)
    for number in range(3):
        fresh.add(Account(f"other-{number}"))
    assert fresh._rest.body(bucket_of(ACCOUNT))
    story.partition.accounts = fresh
    story._check = lambda: None  # type: ignore[method-assign]
    return story


def _said(story: Story) -> list[bytes]:
    return [record.value for record in story.log]
