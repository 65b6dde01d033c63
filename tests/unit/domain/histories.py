"""Random histories of the credit domain: retries, reused ids, jumps in time; the invariants hold.

Two thousand of fifty steps in every run, always the same ones, in two halves that run beside each
other. SCRIP_EXAMPLES says how many of them; with more than that they are new ones each time.
"""

import os

import msgspec
from contracts.caps import Cap, CapOf, CapWindow
from contracts.commands import AnyCommand, GrantKind, Limits
from contracts.toppings import TopUpRule
from contracts.units import DAY, FOREVER, HOUR, MINUTE, Ms
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from ledger.domain.windows import windows_at

from contracts import commands as c
from contracts import events
from tests.unit.domain.audit import caps_hold
from tests.unit.domain.words import (
    ADMIN,
    COURIER,
    FREE_TOOL,
    PERSON,
    SERVICE,
    SMALL_TOOL,
    TOOL,
    WORKER,
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
    set_plan,
    thaw,
    usage,
)
from tests.unit.domain.world import World

DEFAULT = 2_000
EXAMPLES = int(os.environ.get("SCRIP_EXAMPLES", DEFAULT))
HALF = settings(
    max_examples=max(1, EXAMPLES // 2),
    stateful_step_count=50,
    derandomize=EXAMPLES <= DEFAULT,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

accounts = st.sampled_from(("acct-1", "acct-1", "acct-1", "acct-2", "acct-3"))
nth = st.integers(0, 9)
amounts = st.sampled_from((0, 1, 2, 3, 5, 8, 13, 21, 60))
limits = st.sampled_from((None, None, 0, 5, 20, 40))
plans = st.sampled_from(("free", "supporter", "pro"))
lives = st.sampled_from((None, MINUTE, 15 * MINUTE))
lasting = st.sampled_from((None, MINUTE, 3 * MINUTE, 10 * MINUTE, HOUR, DAY, 5 * DAY))
tools = st.sampled_from((TOOL, SMALL_TOOL, SMALL_TOOL, FREE_TOOL))
cap_kinds = st.sampled_from(CapOf)
zones = st.sampled_from(("UTC",) * 9 + ("Asia/Kolkata", "America/Los_Angeles", "Pacific/Apia"))
jumps = st.sampled_from((1, MINUTE, 2 * MINUTE, 5 * MINUTE, 16 * MINUTE, 5 * HOUR, 30 * HOUR))


class Histories(RuleBasedStateMachine):
    """Whoever asks whatever, whenever."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.sent: list[AnyCommand] = []
        self.zone_moved: dict[str, Ms] = {}

    def ask(self, command: AnyCommand) -> events.AnyEvent:
        self.sent.append(command)
        answer = self.world.ask(command)
        if isinstance(answer, events.CreditsReserved) and answer.parent is None:
            self._limits_hold(command.account)
            caps_hold(self.world.roomy.accounts, command.account, answer.reservation)
        return answer

    def fresh(self) -> str:
        return f"id-{len(self.sent)}"

    def pick(self, kind: str, account: str, nth: int) -> str:
        """One that there is, now and then one that is over or never was."""
        found = self.world.roomy.accounts.get(account)
        there: dict[str, list[str]] = {}
        if found is not None:
            there = {
                "reservation": list(found.reservations),
                "ended": list(found.ended),
                "charge": list(found.charges),
                "grant": [*(lot.grant for lot in found.lots), *found.upcoming],
                "estimate": list(found.estimates),
            }
        if kind == "reservation" and not there.get(kind) and nth < 5:
            held = self.fresh()
            self.ask(reserve(held, nth + 1, account=account))
            return held
        choice = there.get("ended" if nth == 8 and kind == "reservation" else kind, [])
        return choice[nth % len(choice)] if choice and nth < 9 else f"no-{kind}"

    @initialize(amount=amounts, expires=lasting)
    def everybody_has_something(self, amount: int, expires: Ms | None) -> None:
        for account in ("acct-1", "acct-2"):
            self.grants(account, 40, None, GrantKind.PAID, 9)
            self.grants(account, amount, expires, GrantKind.PROMO, 9)
        self.controls("acct-1", None, 20, 40, "UTC")

    @rule(account=accounts, amount=amounts, expires=lasting, kind=st.sampled_from(GrantKind), n=nth)
    def grants(
        self, account: str, amount: int, expires: Ms | None, kind: GrantKind, n: int
    ) -> None:
        named, begins = self.fresh(), self.world.now + n * MINUTE * (n % 3 == 2)
        given = grant(amount, named, account=account, kind=kind, source=f"s{n}" if n < 2 else named)
        given.effective_from, given.expires_at = begins, min(FOREVER, begins + (expires or FOREVER))
        self.ask(given)

    @rule(account=accounts, amount=amounts, life=lives, n=nth)
    def reserves(self, account: str, amount: int, life: Ms | None, n: int) -> None:
        self.ask(reserve(self.fresh(), amount, account=account, lifetime_ms=life))

    @rule(account=accounts, amount=amounts, n=nth, life=lives)
    def nests(self, account: str, amount: int, n: int, life: Ms | None) -> None:
        """A run inside a run, and one inside that; neither takes what is not there."""
        parent = self.pick("reservation", account, n)
        inner, innermost = self.fresh(), self.fresh()
        self.ask(reserve(inner, amount, account=account, parent=parent, lifetime_ms=life))
        self.ask(reserve(innermost, amount // 2, account=account, parent=inner))
        if n % 2:
            self.ask(extend(inner, n, self.fresh(), account=account, lifetime_ms=life))
            self.ask(charge(innermost, amount // 3, self.fresh(), account=account))

    @rule(account=accounts, limit=limits, runs=st.sampled_from((None, 1, 3)), of=cap_kinds)
    def caps(self, account: str, limit: int | None, runs: int | None, of: CapOf) -> None:
        found = self.world.roomy.accounts.get(account)
        before = found.controls if found else c.Controls()
        named = {CapOf.KEY: SERVICE.id, CapOf.MEMBER: "ada", CapOf.TOOL: SMALL_TOOL}[of]
        windows = (CapWindow.DAY, CapWindow.EVER)
        asked = () if limit is None else tuple(Cap(of, named, limit, w) for w in windows)
        after = msgspec.structs.replace(before, concurrency=runs, caps=asked)
        self.ask(c.SetControls(id=self.fresh(), account=account, actor=ADMIN, controls=after))

    @rule(account=accounts, tool=tools, n=nth)
    def reserves_for_a_tool(self, account: str, tool: str, n: int) -> None:
        asked = Limits(100 * n, 64, 100) if n % 2 else None
        named = self.pick("estimate", account, n) if n % 3 == 0 else None
        self.ask(reserve(self.fresh(), tool=tool, account=account, limits=asked, estimate=named))

    @rule(account=accounts, tool=tools)
    def estimates(self, account: str, tool: str) -> None:
        self.ask(estimate(tool, self.fresh(), account=account))

    @rule(account=accounts, n=nth, amount=amounts, final=st.booleans())
    def charges(self, account: str, n: int, amount: int, *, final: bool) -> None:
        held = self.pick("reservation", account, n)
        self.ask(charge(held, amount, self.fresh(), account=account, final=final))

    @rule(account=accounts, n=nth, cpu_ms=st.integers(0, 30_000), final=st.booleans())
    def charges_usage(self, account: str, n: int, cpu_ms: int, *, final: bool) -> None:
        used = usage(cpu_ms, 128, cpu_ms)
        held = self.pick("reservation", account, n)
        self.ask(charge(held, None, self.fresh(), usage=used, account=account, final=final))

    @rule(account=accounts, amount=amounts, part=amounts, pause=jumps, n=nth)
    def runs(self, account: str, amount: int, part: int, pause: Ms, n: int) -> None:
        """A whole run: held, charged in part, and after a while charged for good."""
        held = self.fresh()
        self.ask(reserve(held, amount + part, account=account))
        self.ask(charge(held, part, self.fresh(), account=account, final=False))
        self.world.now += pause if n < 5 else 0
        self.ask(charge(held, amount // 2, self.fresh(), account=account))

    @rule(account=accounts, n=nth, amount=amounts, life=lives)
    def extends(self, account: str, n: int, amount: int, life: Ms | None) -> None:
        held = self.pick("reservation", account, n)
        answer = self.ask(extend(held, amount, self.fresh(), account=account, lifetime_ms=life))
        if isinstance(answer, events.ReservationExtended) and answer.amount and not answer.parent:
            self._limits_hold(account)

    @rule(account=accounts, n=nth)
    def releases(self, account: str, n: int) -> None:
        held = self.pick("reservation", account, n)
        self.ask(release(held, self.fresh(), account=account))

    @rule(account=accounts, n=nth, amount=st.none() | amounts)
    def refunds(self, account: str, n: int, amount: int | None) -> None:
        self.ask(refund(self.pick("charge", account, n), amount, self.fresh(), account=account))

    @rule(account=accounts, n=nth, amount=st.none() | amounts)
    def revokes(self, account: str, n: int, amount: int | None) -> None:
        self.ask(revoke(self.pick("grant", account, n), amount, self.fresh(), account=account))

    @rule(account=accounts, plan=plans, life=st.sampled_from((0, HOUR, 30 * HOUR)))
    def sets_a_plan(self, account: str, plan: str, life: Ms) -> None:
        start = self.world.now // HOUR * HOUR
        paid = (start, start + life) if life else None
        self.ask(set_plan(plan, self.fresh(), account=account, paid=paid))

    @rule(account=accounts, n=nth, reason=st.sampled_from(("dispute", "fraud")))
    def freezes(self, account: str, n: int, reason: str) -> None:
        named = None if n == 0 else self.pick("grant", account, n)
        self.ask(freeze(named, reason, self.fresh(), account=account))

    @rule(account=accounts, n=nth)
    def thaws(self, account: str, n: int) -> None:
        found = self.world.roomy.accounts.get(account)
        standing = [(g, r) for g, rs in found.freezes.items() for r in rs] if found else []
        for grant_, reason in standing[n % 3 :] if n < 9 else [("no-grant", "why")]:
            self.ask(thaw(grant_ or None, reason, self.fresh(), account=account))

    @rule(account=accounts, n=nth, by=st.sampled_from((COURIER, PERSON)))
    def expires(self, account: str, n: int, by: c.Actor) -> None:
        kind = "grant" if n % 3 == 0 else "reservation"
        named = self.pick(kind, account, n)
        self.ask(expire(self.fresh(), by, account=account, **{kind: named}))

    @rule(account=accounts, run=limits, day=limits, month=limits, zone=zones)
    def controls(
        self, account: str, run: int | None, day: int | None, month: int | None, zone: str
    ) -> None:
        found = self.world.roomy.accounts.get(account)
        if (found.controls.time_zone if found else "UTC") != zone:
            self.zone_moved[account] = self.world.now
        rule_ = TopUpRule(30, "starter", 2_000) if run is None else None
        asked = c.Controls(
            run_limit=run, day_limit=day, month_limit=month, time_zone=zone, top_up=rule_
        )
        asked = msgspec.structs.replace(asked, low_balance=month or None, low_percent=day or None)
        self.ask(c.SetControls(id=self.fresh(), account=account, actor=ADMIN, controls=asked))

    @rule(account=accounts)
    def asks_what_it_may_not(self, account: str) -> None:
        self.ask(reserve(self.fresh(), 5, by=WORKER, account=account))
        self.ask(freeze(None, "why", self.fresh(), by=PERSON, account=account))
        self.world.ask_raw(b'{"type":"Reserve"}', account)

    @precondition(lambda self: self.sent)
    @rule(n=st.integers(0, 10_000))
    def tries_again(self, n: int) -> None:
        self.ask(self.sent[n % len(self.sent)])

    @precondition(lambda self: self.sent)
    @rule(n=st.integers(0, 10_000), amount=amounts)
    def asks_another_question_under_an_old_id(self, n: int, amount: int) -> None:
        old = self.sent[n % len(self.sent)]
        self.ask(reserve(old.id, amount, account=old.account))

    @rule(by=jumps)
    def time_passes(self, by: Ms) -> None:
        self.world.now += by

    @invariant()
    def all_agree(self) -> None:
        self.world.check(anew=False)

    def teardown(self) -> None:
        self.world.decide_again(count=3)
        self._everything_can_be_ended()
        self.world.check()

    def _everything_can_be_ended(self) -> None:
        open_ = [(a.id, r) for a in self.world.replay().accounts.all() for r in a.reservations]
        for number, (account, held) in enumerate(open_):
            if number % 2:
                self.ask(release(held, f"end-{held}", account=account))
        self.world.now += 16 * MINUTE
        for account in {account for account, _ in open_}:
            self.ask(expire(f"end-{account}-{len(self.sent)}", account=account))
        for found in self.world.live.accounts.all():
            assert (found.held, found.reservations) == (0, {}), "all ended, nothing held"

    def _limits_hold(self, account: str) -> None:
        """What was just held passes no limit, counted anew from the log."""
        found = self.world.roomy.accounts.get(account)
        assert found is not None
        now, controls = self.world.now, found.controls
        calendar = windows_at(now, controls.time_zone)
        for window, limit in (
            (calendar.day, controls.day_limit),
            (calendar.month, controls.month_limit),
        ):
            moved = self.zone_moved.get(account, 0) >= window.start
            if limit is not None and not moved:
                spent = sum(
                    charged.left
                    for charged in found.charges.values()
                    if window.start <= charged.at < window.end
                )
                assert spent + found.held <= limit
