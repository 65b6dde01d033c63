"""The owner's protocol with one step left out: every one of these must be caught.

Variants of the real code, made here by subclass or patch. The numbers are the steps of the
protocol: 1 claim, 2 read to it, 4 next command, 5 reader rule, 6 one batch, 7 order and offsets,
8 answers, 9 follow-ups, 10 memory of ids, 11 snapshots, 12 their check, 13 renewal. Step 3, and a
stale owner's snapshots, are left out in tests/unit/ledger/test_shelves.py.
"""

from typing import Any

import ledger.owner
import ledger.partition
from msgspec import Struct

from tests.simulation.faults import KEPT, LOSSY, SLEEPY
from tests.simulation.mutant_owners import (
    BatchOffsetUnchecked,
    ClaimsUnchecked,
    CutUnchecked,
    GroupOffset,
    IdAlone,
    LengthsCompared,
    NoClaim,
    NotDrained,
    ProducerReused,
    ReadsToTheEnd,
    RenewalUnchecked,
    StateKept,
    TwoBatches,
)
from tests.simulation.mutant_readers import (
    AnyEventAnswers,
    Believing,
    DuesForgotten,
    FirstSeqTaken,
    SentOnce,
    SeqOnly,
    StartsBlind,
    TokenOnly,
    Unacknowledged,
    decides_late,
    forgets_ids,
    forgets_sources,
    repeat_evolves,
    with_courier,
    with_reader,
)
from tests.simulation.mutant_snapshots import (
    ForgetsDirty,
    MarkerFirst,
    Unchecked,
    Uncounted,
    Unsaid,
)
from tests.simulation.workers import Kit

Patch = tuple[Any, str, Any]


class Mutant(Struct, frozen=True):
    """What is left out, and within how many seeds it is surely caught; 0: by a direct test."""

    step: str
    name: str
    kit: Kit
    seeds: int
    patches: tuple[Patch, ...] = ()
    weights: dict[str, int] | None = None  # faults that show it soonest, where the sets are slow


def mutants() -> tuple[Mutant, ...]:
    """All of them."""
    believing = with_reader(Believing)
    unchecked = Kit(ClaimsUnchecked, believing.partition, believing.gateway)
    forget = (ledger.partition, "remember_answer")
    return (
        Mutant("1", "no claim", Kit(NoClaim), 30),
        Mutant("1", "claims believed unchecked", unchecked, 700),
        Mutant("2", "read to the end, not to the claim", Kit(ReadsToTheEnd), 60),
        Mutant("4", "group offset", Kit(GroupOffset), 60),
        Mutant("4", "cut commands unchecked", Kit(CutUnchecked), 60),
        Mutant("4", "cut commands: lengths compared", Kit(LengthsCompared), 200),
        Mutant("4", "cut commands: id alone", Kit(IdAlone), 400),
        Mutant("5", "counts by token only", with_reader(TokenOnly), 1500),
        Mutant("5", "counts by seq only", with_reader(SeqOnly), 2000),
        Mutant("5", "fresh reader takes the first seq", Kit(gateway=FirstSeqTaken), 0),
        Mutant("5", "fresh reader starts blind", Kit(gateway=StartsBlind), 1500),
        Mutant(
            "6",
            "a command in two batches",
            Kit(TwoBatches),
            400,
            patches=((ledger.owner, "BATCH_BYTES", 1),),
        ),
        Mutant("7", "state kept after an error", Kit(StateKept), 100),
        Mutant("7", "offset of a batch unchecked", Kit(BatchOffsetUnchecked), 150),
        Mutant("7", "offset of a renewal unchecked", Kit(RenewalUnchecked), 2000, weights=SLEEPY),
        Mutant("7", "producer reused after an error", Kit(log=ProducerReused), 2000, weights=LOSSY),
        Mutant("7", "stands by until called", Kit(rejoins=False), 700),
        Mutant("8", "answers from any event", Kit(gateway=AnyEventAnswers), 700),
        Mutant(
            "8",
            "a repeated answer changes state",
            Kit(),
            60,
            patches=((ledger.partition, "evolve", repeat_evolves),),
        ),
        Mutant("9", "follow-ups sent once", with_courier(SentOnce), 300),
        Mutant("9", "follow-ups forgotten at takeover", Kit(DuesForgotten), 60),
        Mutant("9", "follow-ups of unacknowledged state", with_courier(Unacknowledged), 700),
        Mutant("10", "ids forgotten", Kit(), 150, patches=((*forget, forgets_ids),)),
        Mutant(
            "10", "sources of grants forgotten", Kit(), 700, patches=((*forget, forgets_sources),)
        ),
        Mutant(
            "10",
            "late retry decided again",
            Kit(),
            100,
            patches=((ledger.partition, "decide", decides_late),),
        ),
        *_of_snapshots(),
        Mutant("13", "renewal without draining", Kit(NotDrained), 700, weights=SLEEPY),
    )


def _of_snapshots() -> tuple[Mutant, ...]:
    """Each leaves out one step, and does not count what was restored: that would save it."""
    uncounted, taken = Kit(Uncounted), "Snapshots"
    return (
        Mutant("12", "a restored state is believed", Kit(Unchecked), 700),
        Mutant("12", "events of a restored state uncounted", uncounted, 700),
        Mutant(
            "11",
            "marker first",
            uncounted,
            300,
            patches=((ledger.owner, taken, MarkerFirst),),
            weights=KEPT,
        ),
        Mutant("11", "new owner forgets what was dirty", Kit(ForgetsDirty), 1500, weights=KEPT),
        Mutant(
            "11",
            "snapshots of unacknowledged state",
            uncounted,
            1500,
            patches=((ledger.owner, taken, Unsaid),),
            weights=KEPT,
        ),
    )
