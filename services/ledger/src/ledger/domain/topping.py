"""RecordTopUp: payments reports what became of a top-up, so that the next one waits, or rests.

A card that was declined is waited for, twice as long each time; after the fourth time in a row, or
at once when its bank says so, no top-up is due until there is another card or another rule.
"""

from contracts.commands import RecordTopUp
from contracts.events import AnyEvent, TopUpReported
from contracts.toppings import TopUpState
from contracts.units import FOREVER, HOUR, Ms

from ledger.domain.account import Account

DECLINES_MAX = 4  # in a row; card networks fine whoever tries on
FIRST_WAIT_MS = HOUR  # doubled after each


def record(command: RecordTopUp, account: Account, now: Ms) -> tuple[AnyEvent, ...]:
    """The report, with what it means for the next top-up."""
    if command.state is TopUpState.READY:
        return (TopUpReported(state=command.state, declines=0, purchase=command.purchase),)
    declines = min(account.top_up_declines + 1, DECLINES_MAX)
    paused = command.rests or declines >= DECLINES_MAX
    wait_until = FOREVER if paused else now + (FIRST_WAIT_MS << (declines - 1))
    return (
        TopUpReported(
            state=command.state,
            declines=declines,
            wait_until=wait_until,
            purchase=command.purchase,
        ),
    )


# ---- part of evolve


def reported(account: Account, event: TopUpReported) -> None:
    """A declined one is still under way; one that failed is over."""
    account.top_up_declines, account.top_up_wait = event.declines, event.wait_until
    if event.state is TopUpState.DECLINED:
        account.top_up_since = event.at
    elif event.state is TopUpState.FAILED:
        account.top_up_since = 0
