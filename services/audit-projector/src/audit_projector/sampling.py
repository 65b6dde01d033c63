"""Some accounts folded again from the compliance log, and compared with their read models.

Which ones turns from sweep to sweep, so that every account has its turn. `scrip verify` compares
all of them at once.
"""

from typing import Any, Final
from zlib import crc32

import psycopg
from contracts.codec import decode_event
from contracts.events import PartitionClaimed

from audit_projector import line as lines
from audit_projector.finance.expected import Expected
from audit_projector.finance.tables import balance_of
from audit_projector.fold import storable

SAMPLE: Final = 500  # accounts of a sweep, about; a few megabytes

_PROGRESS: Final = b'SELECT partition, "offset" FROM read.progress'
_BALANCES: Final = b"""
SELECT account, available, held, spent, granted, received, expired, revoked, sent, debt, version,
  as_of_ms, (SELECT count(*) FROM read.entries WHERE entries.account = balances.account)
FROM read.balances WHERE account = ANY(%s)
"""
_VERSION: Final = 9  # its place in such a row, behind the name
_LOTS: Final = b"""
SELECT account, grant_id, amount, available, held FROM read.lots
WHERE kind <> 'transfer' AND account = ANY(%s)
"""
_OPEN: Final = b"""
SELECT account, reservation, amount, held, charged, released FROM read.reservations
WHERE status = 'open' AND account = ANY(%s)
"""


class Sample:
    """The accounts of one turn, as the log's lines say they are."""

    def __init__(self, accounts: int, turn: int) -> None:
        self._shares = max(1, -(-accounts // SAMPLE))
        self._turn = turn % self._shares
        self._expected = Expected()
        self._left: dict[str, int] = {}  # accounts to compare, and their partitions

    def take(self, partition: int, line: lines.Line) -> None:
        """The next line of a partition; those of other accounts are passed over."""
        account = line.subject
        if account is None or line.readertoken is not None:
            return
        if crc32(account.encode()) % self._shares != self._turn:
            return
        raw = bytes(line.data)
        event = storable(raw) if b"\\u0000" in raw else decode_event(raw)
        if isinstance(event, PartitionClaimed):
            return
        self._expected.take(event)
        self._left[event.account] = partition

    @property
    def waiting(self) -> int:
        """Accounts that were not at the same version here and there yet."""
        return len(self._left)

    def compare(self, connection: psycopg.Connection[Any], offsets: dict[int, int]) -> list[str]:
        """What differs of the accounts that can be compared now; `offsets` is where walks stand.

        An account can be once log and read models are at the same version of it, or at the same
        place of its partition: then another version is a difference, too.
        """
        names = list(self._left)
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            progress = {row[0]: row[1] for row in connection.execute(_PROGRESS).fetchall()}
            balances = {row[0]: row[1:] for row in connection.execute(_BALANCES, (names,))}
            lots = _by_account(connection.execute(_LOTS, (names,)).fetchall())
            runs = _by_account(connection.execute(_OPEN, (names,)).fetchall())
        differing = []
        for name in names:
            account, partition = self._expected.accounts[name], self._left[name]
            found = balances.get(name, ())
            level = progress.get(partition) == offsets[partition]
            if not level and (not found or found[_VERSION] != account.version):
                continue
            del self._left[name]
            wanted = (*balance_of(account), account.version)
            if wanted != found:
                differing.append(f"{name}: events say {wanted}, read models {found}")
            elif self._lots(name) != lots.get(name, {}) or self._open(name) != runs.get(name, {}):
                differing.append(f"{name}: its lots or open reservations are not what events say")
        return differing

    def _lots(self, name: str) -> dict[str, tuple[int, ...]]:
        return {
            grant: (lot.amount, lot.available, lot.held)
            for (account, grant), lot in self._expected.lots.items()
            if account == name and lot.expires_at is not None
        }

    def _open(self, name: str) -> dict[str, tuple[int, ...]]:
        return {
            key: (one.amount, one.held, one.charged, one.released)
            for (account, key), one in self._expected.open.items()
            if account == name
        }


def _by_account(rows: list[tuple[Any, ...]]) -> dict[str, dict[str, tuple[int, ...]]]:
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for account, key, *values in rows:
        found.setdefault(account, {})[key] = tuple(values)
    return found
