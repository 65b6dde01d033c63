"""What an account forgets by time: events' time only, so that every replay forgets the same.

Answers, and how reservations ended, are kept for 25 hours; a charge for as long as it can be
refunded. An account forgets when it is touched while its oldest answer is over, before anything
is decided. So it makes no difference whether somebody cleared it up meanwhile: each list loses its
oldest entries, and losing some earlier and the rest now leaves what losing all of them now leaves.

For ever: the sources of grants, lots (a bank may take back a payment of last year), open
reservations, debts, totals, the version.
"""

from collections.abc import Callable

import msgspec
from contracts.units import ANSWER_KEPT_MS, FOREVER, Ms

from ledger.domain.account import Account


class _At(msgspec.Struct, gc=False):
    at: Ms


_at: Callable[[bytes], _At] = msgspec.json.Decoder(_At).decode


def touch(account: Account, at: Ms) -> None:
    """Something is about to happen to the account: forget first, if its time has come."""
    if at - account.answers_since > ANSWER_KEPT_MS:
        forget(account, at)


def forget(account: Account, at: Ms) -> None:
    """Forget what is over at this time."""
    answers = account.answers
    account.answers_since = FOREVER
    while answers:
        oldest = next(iter(answers))
        since = _at(answers[oldest]).at
        if at - since <= ANSWER_KEPT_MS:
            account.answers_since = since
            break
        del answers[oldest]
    while account.ended:
        first = next(iter(account.ended))
        if at - account.ended[first].at <= ANSWER_KEPT_MS:
            break
        del account.ended[first]
    while account.charges:
        first = next(iter(account.charges))
        if account.charges[first].refundable_until >= at:
            break
        del account.charges[first]
        account.countable.pop(first, None)


def stale_from(account: Account) -> Ms:
    """After when there is something to forget; FOREVER if there never is, or nothing would."""
    if account.answers_since == FOREVER:
        return FOREVER
    stale = FOREVER
    for answer in account.answers.values():
        stale = _at(answer).at + ANSWER_KEPT_MS
        break
    for ended in account.ended.values():
        stale = min(stale, ended.at + ANSWER_KEPT_MS)
        break
    for charged in account.charges.values():
        stale = min(stale, charged.refundable_until)
        break
    return max(stale, account.answers_since + ANSWER_KEPT_MS)
