"""Every command that ever was in a partition, those included that the topic lost."""

from collections.abc import Iterable

from bus.log import Record
from bus.partition import partition_of
from contracts.events import CommandRef
from contracts.reasons import RejectReason
from contracts.units import RECORD_BYTES_MAX, Ms

from contracts import codec


class Known:
    """A command that was in the log, and its place in the order of all of them."""

    __slots__ = ("decided", "number", "record")

    def __init__(self, number: int, record: Record) -> None:
        self.number = number
        self.record = record
        self.decided = False


class History:
    """The commands of a partition in the order in which they landed."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, Ms], list[Known]] = {}
        self._appended = 0

    def appended(self, record: Record) -> None:
        """A command landed."""
        known = self._known.setdefault((record.offset, record.timestamp), [])
        known.append(Known(self._appended, record))
        self._appended += 1

    def undecided(self, ref: CommandRef) -> Known | None:
        """The command of this reference, if there was one that is not decided yet."""
        for known in self._known.get((ref.offset, ref.timestamp), ()):
            if not known.decided and (not ref.id or _id(known.record) == ref.id):
                return known
        return None

    def oldest_undecided(self, records: Iterable[Record]) -> Record | None:
        """The first of these that is not decided yet."""
        for record in records:
            for known in self._known[record.offset, record.timestamp]:
                if known.record is record and not known.decided:
                    return record
        return None


def rejection(record: Record, number: int, partitions: int) -> RejectReason | None:
    """Why these bytes are no command for this partition; None when they are one."""
    if len(record.value) > RECORD_BYTES_MAX:
        return RejectReason.TOO_LARGE
    try:
        command = codec.decode_command(record.value)
    except codec.CodecError:
        return RejectReason.UNDECODABLE
    if record.key != command.account.encode():
        return RejectReason.WRONG_KEY
    if partition_of(command.account, partitions) != number:
        return RejectReason.WRONG_PARTITION
    return None


def _id(record: Record) -> str:
    try:
        return codec.decode_command(record.value).id
    except codec.CodecError:
        return ""
