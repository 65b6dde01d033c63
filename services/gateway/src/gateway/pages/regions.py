"""A region of a page is there, or it says what is wrong with it; the rest of the page stands."""

from collections.abc import Awaitable
from typing import TypeVar

from msgspec import Struct

from gateway.faults import of_no_answer
from gateway.problems import ProblemError
from gateway.waiting import NoAnswer

_Shown = TypeVar("_Shown")
_PASSING = {403, 429}  # of this visitor, at this moment


class Trouble(Struct, frozen=True):
    """What cannot be shown now: the cause in plain words, and how to name it to support."""

    says: str
    code: str
    request_id: str


async def region(read: Awaitable[_Shown], request_id: str) -> _Shown | Trouble:
    """What was read, or the trouble with it; what was asked wrongly is no region's trouble."""
    try:
        return await read
    except ProblemError as why:
        if why.problem.status < 500 and why.problem.status not in _PASSING:
            raise
        return trouble(why, request_id)
    except NoAnswer as why:
        return trouble(of_no_answer(why), request_id)


def trouble(why: ProblemError, request_id: str) -> Trouble:
    """A problem as a region shows it."""
    return Trouble(PLAIN.get(why.problem.code, why.problem.detail), why.problem.code, request_id)


PLAIN = {
    "reads_unavailable": "Your figures cannot be read right now. Nothing is lost, and runs go on.",
    "read_models_missing": "Your figures are still being prepared. Try again in a minute.",
    "payments_unavailable": "Purchases cannot be shown or made right now. Nothing was taken.",
    "not_visible_yet": "What you just did is done, but not shown yet. Try again in a moment.",
    "ledger_unreachable": "The ledger cannot be reached right now. Nothing was done.",
    "outcome_unknown": "No answer came in time. Try again: it will not be done twice.",
    "account_missing": "This page belongs to an account. You are signed in as staff, without one.",
    "rate_limited": "That was a lot at once. Wait a moment and try again.",
    "scope_missing": "You may not see or do this here. Ask whoever owns this account.",
    "team_left": "You are not in this team any more. Nothing was done; you act for yourself again.",
    "acting_changed": "This page was shown for another account than you act for now. Nothing was"
    " done. Choose the account above, and do it from its own page.",
    "not_permitted": "You may not do this here. Ask whoever owns this account.",
}
