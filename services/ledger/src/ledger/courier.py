"""The courier: sends what follows from the state, again and again until the state says done.

It sees acknowledged state only, and nothing depends on a committed offset: after a crash the next
owner finds the same things open. Here: reservations, lots, grants and periods of plans whose time
has come, and transfers. What was sent is received, and what was received or refused is settled, at
once; an open transfer is looked after again until it is settled. See `ledger.follow`.
"""

from hashlib import blake2b
from itertools import chain, islice

from bus.log import PartitionLog
from contracts.commands import AnyCommand, Expire
from contracts.units import MINUTE, SECOND, Ms
from msgspec import Struct

from contracts import codec
from ledger.domain.account import Account
from ledger.domain.ending import next_due, next_end
from ledger.domain.transfers import AGAIN_MS
from ledger.follow import COURIER, follow_up, receive
from ledger.partition import Partition

TICK_MS = SECOND  # how late an expiry nobody asks about may be; whoever touches the account sees it
RESEND_MS = 30 * SECOND  # a follow-up is decided within milliseconds; later it was lost
TRANSFERS_AT_ONCE = 100  # of one account, at one tick; the others come with the next ones
AT_ONCE = 500  # commands of one tick, so that a flood of expiries leaves room for callers


class _Ready(Struct, gc=False):
    after: int  # the state it was seen in is acknowledged once this offset is
    account: str
    command: bytes


class Courier:
    """One partition's courier."""

    def __init__(self, partition: Partition, log: PartitionLog) -> None:
        self._partition = partition
        self._log = log
        self._ready: list[_Ready] = []
        self._next_tick: Ms = 0
        self.sent = 0

    def look(self, expected: int) -> None:
        """Note what follows, and once a tick what is due, for when all before `expected` counts."""
        partition = self._partition
        if partition.followed:
            for decided in partition.followed:
                account = partition.accounts.get(decided.account)
                if account is not None and (command := follow_up(decided, account)) is not None:
                    self._note(expected, command)
            partition.followed.clear()
        now = self._log.now()
        if now < self._next_tick:
            return
        self._next_tick = now + TICK_MS
        for account_id in partition.due(now, AT_ONCE):
            account = partition.accounts.get(account_id)
            if account is None:
                continue
            due = next_due(account)
            if due > now:
                partition.dues.add(due, account_id)
                continue
            partition.dues.add(now + RESEND_MS, account_id)
            if (end := next_end(account)) <= now:
                self._note(expected, _expire(account, end, now))
            for name, sent in islice(account.transfers.items(), TRANSFERS_AT_ONCE):
                if sent.at + AGAIN_MS <= now:
                    self._note(expected, receive(account.id, name, sent))

    def send(self, acknowledged: int) -> None:
        """Send what was noted in a state that is acknowledged by now."""
        while self._ready and self._ready[0].after <= acknowledged:
            ready = self._ready.pop(0)
            self._log.emit(ready.account, ready.command)
            self.sent += 1

    def _note(self, expected: int, command: AnyCommand) -> None:
        self._ready.append(_Ready(expected, command.account, codec.encode(command)))


def _expire(account: Account, due: Ms, now: Ms) -> Expire:
    """A command that names what is due first; deciding it settles all that is due."""
    # The one that is settled first: with more than fits into a batch, the rest is asked for anew.
    reservation = min(
        (r.id for r in account.reservations.values() if r.expires_at == due), default=None
    )
    grant = None
    if reservation is None:
        lots = (x.grant for x in account.lots if x.available and x.expires_at - x.ahead == due)
        coming = (x.grant for x in account.upcoming.values() if x.effective_from == due)
        grant = next(chain(lots, coming), None)
    named = f"{account.id}|{reservation or ''}|{grant or ''}|{due}|{now // MINUTE}"
    return Expire(
        id="expire-" + blake2b(named.encode(), digest_size=20).hexdigest(),
        account=account.id,
        actor=COURIER,
        reservation=reservation,
        grant=grant,
        period_end=due if reservation is None and grant is None else None,
    )
