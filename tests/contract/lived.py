"""Two accounts that live through every rule that remembers, once, by hand: for the recorded logs.

The simulated worlds of `tests.contract.recorded` ask at random and only a part of all there is;
this asks for the rest, and always the same: plans up and down and renewed, caps, thresholds,
top-ups that are declined, runs inside runs, more time and more credits, freezes, a revoke that
leaves a debt, who pays it, refunds into expired lots, transfers there and back.
"""

from contracts.caps import Cap, CapOf, CapWindow
from contracts.commands import (
    AnyCommand,
    Controls,
    GrantKind,
    RecordTopUp,
    Send,
    SetControls,
    Settle,
)
from contracts.toppings import TopUpRule, TopUpState
from contracts.units import DAY, HOUR, MINUTE, Ms
from ledger.follow import follow_up

from tests.unit.domain.words import (
    ACCOUNT,
    COURIER,
    PAYMENTS,
    PERSON,
    SERVICE,
    SMALL_TOOL,
    T0,
    TOOL,
    charge,
    estimate,
    expire,
    extend,
    freeze,
    grant,
    refund,
    release,
    reserve,
    revoke,
    send,
    set_plan,
    thaw,
    usage,
)
from tests.unit.domain.world import World

OTHER = "acct-2"
CAPS = (
    Cap(CapOf.KEY, SERVICE.id, 5_000),
    Cap(CapOf.MEMBER, "ada", 400, CapWindow.MONTH),
    Cap(CapOf.TOOL, SMALL_TOOL, 300, CapWindow.DAY),
)
RULE = TopUpRule(below=400, pack="starter", monthly_max_minor=100_000)


def controls(named: str, **more: object) -> SetControls:
    return SetControls(id=named, account=ACCOUNT, actor=PERSON, controls=Controls(**more))  # type: ignore[arg-type]


def topped(named: str, state: TopUpState) -> RecordTopUp:
    return RecordTopUp(id=named, account=ACCOUNT, actor=PAYMENTS, state=state, purchase="o1")


def back(transfer: str, amount: int) -> AnyCommand:
    """A transfer was not received: it returns. The courier was late to bring it."""
    return Settle(
        id=f"back-{transfer}", account=ACCOUNT, actor=COURIER, transfer=transfer, returned=amount
    )


def begun() -> list[AnyCommand]:
    """What an account has, and what bounds it."""
    return [
        controls("k1", day_limit=500, month_limit=900, caps=CAPS, alert_percents=(50, 80)),
        set_plan("free"),
        grant(500, "g1"),
        grant(80, "g2", kind=GrantKind.PROMO, expires_at=T0 + 2 * DAY),
        estimate(TOOL, member="ada"),
        reserve("r1", tool=TOOL, estimate="e1", member="ada"),
        charge("r1", usage=usage(3_000, 128, 3_000)),
    ]


def nested() -> list[AnyCommand]:
    """Runs inside runs, in parts, longer and dearer than they began."""
    return [
        reserve("p", 240, member="ada"),
        extend("p", 20, "y1", lifetime_ms=12 * MINUTE),
        reserve("c", 30, parent="p"),
        reserve("d", 10, parent="c"),
        extend("c", 5, "y2", lifetime_ms=9 * MINUTE),
        charge("d", 4, "c2"),
        charge("c", 6, "c3", final=False),
        release("c", "l1"),
        charge("p", 190, "c4", final=False),
        reserve("o", 7, parent="p"),
        charge("p", 1, "c5"),
        reserve("s", tool=SMALL_TOOL),
        charge("s", 3, "c6"),
    ]


def stopped() -> list[AnyCommand]:
    """Freezes, a dispute that is lost, a debt and who pays it."""
    return [
        freeze("g1", "dispute", "z1"),
        freeze(None, "fraud", "z2"),
        reserve("no", 1),
        thaw(None, "fraud", "w1"),
        revoke("g1", 300, "v1"),
        thaw("g1", "dispute", "w2"),
        revoke("g1", None, "v2"),
        grant(40, "g3"),
        refund("c4", 20, "f1"),
    ]


def topped_up() -> list[AnyCommand]:
    """Credits run low: a top-up falls due, is declined, and comes."""
    return [
        grant(700, "g4"),
        controls("k2", top_up=RULE),
        reserve("q", 560),
        topped("t1", TopUpState.DECLINED),
        grant(1_000, "g5", kind=GrantKind.TOPUP),
        release("q", "l2"),
        topped("t2", TopUpState.READY),
    ]


def to_come(now: Ms) -> list[AnyCommand]:
    """Grants that begin later, less of one of them, and one whose end is told of."""
    return [
        grant(60, "u1", effective_from=now + HOUR, expires_at=now + 3 * DAY),
        grant(70, "u2", effective_from=now + HOUR),
        revoke("u1", 20, "v3"),
        revoke("u2", None, "v4"),
    ]


def lived() -> list[str]:
    """All of it, with pauses in which things end by themselves: the events, as they are written."""
    world = World()
    world.ask(grant(100, "h1", account=OTHER))
    lives: tuple[tuple[Ms, list[AnyCommand]], ...] = (
        (0, begun()),
        (MINUTE, nested()),
        (20 * MINUTE, stopped()),
        (HOUR, topped_up()),
        (HOUR, [send(25, OTHER, "x1"), freeze(None, "fraud", "z3", account=OTHER)]),
        (MINUTE, [send(5, "nobody", "x2"), send(6, OTHER, "x3"), back("x3", 6), expire("i1")]),
        (MINUTE, [set_plan("pro", "p2"), reserve("u", 50), charge("u", 40, "c7")]),
        (DAY, [set_plan("free", "p3"), reserve("v", 30), charge("v", 30, "c8")]),
        (2 * DAY, [estimate(SMALL_TOOL, "e2"), refund("c1", None, "f2"), refund("c7", 10, "f3")]),
        (30 * DAY, [estimate(SMALL_TOOL, "e3"), reserve("w", 30), charge("w", 30, "c9")]),
        (30 * HOUR, [controls("k3"), reserve("x", 5), charge("x", 5, "c10")]),
        (200 * DAY, [estimate(SMALL_TOOL, "e4")]),
    )
    for pause, asked in lives:
        world.now += pause
        for command in asked:
            world.ask(command)
            if not isinstance(command, Send) or command.transfer != "x3":
                _carried_on(world)
    for command in to_come(world.now):
        world.ask(command)
    for pause in (HOUR, 2 * DAY):
        world.now += pause
        world.ask(expire(f"i{world.now}"))
    return [record.value.decode() for record in world.log]


def _carried_on(world: World) -> None:
    """The courier brings along what follows, as it would."""
    while asked := list(world.roomy.followed):
        for partition in (world.roomy, world.live):
            partition.followed.clear()
        for one in asked:
            account = world.roomy.accounts.get(one.account)
            if account is not None and (follows := follow_up(one, account)) is not None:
                world.ask(follows)
