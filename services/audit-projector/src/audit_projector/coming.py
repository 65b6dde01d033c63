"""What grants that begin later are in the read models: a row until they begin, and what is left."""

from contracts.events import CreditsGranted, GrantScheduled, ScheduleRevoked

from audit_projector.touched import Touched
from audit_projector.wire import bigint, integer, row, text


def scheduled(touched: Touched, event: GrantScheduled) -> None:
    """A grant will begin."""
    touched.upcoming[event.account, event.grant] = event, event.amount


def less(touched: Touched, event: ScheduleRevoked) -> None:
    """Less of it will begin, or nothing."""
    _left(touched, event.account, event.grant, event.left)


def begun(touched: Touched, event: CreditsGranted) -> None:
    """It is a lot now."""
    _left(touched, event.account, event.grant, 0)


def _left(touched: Touched, account: str, grant: str, amount: int) -> None:
    key = account, grant
    if (new := touched.upcoming.get(key)) is not None:
        touched.upcoming[key] = new[0], amount
    else:
        touched.upcoming_left[key] = amount


def new_rows(touched: Touched) -> list[bytes]:
    """Those of a batch."""
    return [
        row(
            text(e.account),
            text(e.grant),
            text(e.kind),
            integer(e.priority),
            bigint(left),
            bigint(e.effective_from),
            bigint(e.expires_at),
            text(e.source),
            bigint(e.version),
            bigint(e.at),
        )
        for e, left in touched.upcoming.values()
    ]


def left_rows(touched: Touched) -> list[bytes]:
    """What is left of those from before."""
    return [
        row(text(account), text(grant), bigint(left))
        for (account, grant), left in touched.upcoming_left.items()
    ]
