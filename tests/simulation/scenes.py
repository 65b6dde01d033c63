"""Scenes too rare for seeds, set up by hand."""

from contracts.events import AccountThawed, PartitionClaimed

from contracts import codec
from tests.simulation.auditor import Anomaly, Auditor
from tests.simulation.broker import SimPartition
from tests.simulation.gateway import SimGateway
from tests.simulation.prices import catalogues
from tests.simulation.world import PARTITIONS


def _claim(owner: str, at: int, seq: int) -> bytes:
    return codec.encode(
        PartitionClaimed(v=1, owner=owner, at=at, seq=seq, commands_from=0, partitions=PARTITIONS)
    )


def _event(owner: str, seq: int) -> bytes:
    return codec.encode(AccountThawed(v=1, owner=owner, seq=seq, account="a0", reason="scene"))


def log_with_late_copies() -> SimPartition:
    """Two owners took over in turn, and then copies of the first one's requests arrive."""
    part = SimPartition(0)
    for value in (
        _claim("a", at=0, seq=0),
        _event("a", 1),
        _claim("b", at=2, seq=1),
        _event("b", 2),
        _claim("a", at=0, seq=0),  # a late copy: the newest claim, and it says nothing
        _event("a", 2),  # its token is the newest one, its number is used up
        _claim("c", at=6, seq=2),
        _event("b", 3),  # its number is the next one, its token is old
        _event("c", 3),
        _event("c", 4),
    ):
        part.produce(len(part.events), 0, 0, [(b"a0", value)], 0)
    return part


def late_copies(gateway: type[SimGateway]) -> str:
    """Start a reader at every offset of that log; what the auditor says of it, or nothing."""
    part = log_with_late_copies()
    end = part.high = len(part.events)
    auditor = Auditor(part, PARTITIONS, lambda _: catalogues()[0])
    auditor.follow()
    try:
        for start in range(end + 1):
            part.high = start
            reader = gateway([part], lambda _, offset, counts: auditor.saw(offset, counts=counts))
            part.high = end
            reader.read(0, end, lambda *_: None)
    except Anomaly as wrong:
        return str(wrong)
    return ""
