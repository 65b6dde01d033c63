"""Notifications: what the owner of an account is told, once, on the channels they chose.

On `notifications`, keyed by account. Each rests on one counted event and is named by it, so that
whoever reads the topic twice finds the same id twice: **keep the ids that you have acted on**. The
topic is at least once; a reader that inserts under the id acts once.

Opaque ids and amounts only: who an account is, and where to reach them, the gateway knows.
"""

from enum import StrEnum
from hashlib import blake2b

from msgspec import Struct

from contracts.header import LimitStatus
from contracts.units import Credits, Id, Ms


class NotificationKind(StrEnum):
    """What there is to tell. A reader that does not know a kind skips it, and counts that."""

    EXPIRY_NOTICE = "expiry_notice"  # `amount` of `about` (a grant) ends at `expires_at`
    THRESHOLD_CROSSED = "threshold_crossed"  # `percent` of `limit` is used or held
    LIMIT_REACHED = "limit_reached"  # `limit` stopped a run; once for each of its windows
    LOW_BALANCE = "low_balance"  # what is available fell below what the owner set (`limit`)
    PURCHASE_CREDITED = "purchase_credited"  # `amount` of `about` (a grant) is there
    TOP_UP_FAILED = "top_up_failed"  # a card was declined, or top-ups have stopped (`paused`)
    GIFT_RECEIVED = "gift_received"  # `amount` of `about` (a gift) came
    GIFT_CLAIMED = "gift_claimed"  # the account's own gift was taken
    GIFT_RETURNED = "gift_returned"  # the account's own gift came back
    TEST_ALERT = "test_alert"  # the owner asked to be told something


class EventRef(Struct, frozen=True, gc=False, rename="camel"):
    """The counted event that a notification rests on."""

    partition: int
    seq: int
    type: str


class Notification(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """One thing to tell. `at` is the broker's time of the event; a test alert has no event."""

    id: Id
    account: Id
    kind: NotificationKind
    at: Ms
    event: EventRef | None = None
    amount: Credits | None = None
    about: Id | None = None
    limit: LimitStatus | None = None
    cap: str | None = None
    percent: int | None = None
    days: int | None = None
    expires_at: Ms | None = None
    paused: bool = False


def id_of(event: EventRef, kind: NotificationKind) -> str:
    """The id of what one event has to tell."""
    return f"ntf-{event.partition}-{event.seq}-{kind.value}"


def id_of_window(account: str, limit: LimitStatus, cap: str | None) -> str:
    """The id of a limit that stops runs: one for each window, and again when it was moved."""
    parts = (account, limit.name, cap or "", limit.limit, limit.resets_at or 0)
    digest = blake2b(" ".join(map(str, parts)).encode(), digest_size=12).hexdigest()
    return f"ntf-{digest}-{NotificationKind.LIMIT_REACHED.value}"
