"""Rate limits (GCRA), per key and then per account, decided in this process's memory.

What several gateways count is added up by `gateway.sharedrates`. The owner is an authenticated key
or account, never an address or a header that anyone can set.
"""

from msgspec import Struct

from gateway.principals import Principal
from gateway.problems import ProblemError, problem

OWNERS_MAX = 50_000  # those who were seen last; forgetting one only forgives
MINUTE_S = 60


class Rule(Struct, frozen=True):
    """`most` in a minute, all at once if they like."""

    name: str
    most: int


ESTIMATE = Rule("estimate", 20)
BALANCE = Rule("balance", 30)
SETTINGS_READ = Rule("settings-read", 30)
SETTINGS_WRITE = Rule("settings-write", 10)
USAGE = Rule("usage", 30)
GIFTS = Rule("gifts", 10)
LIVE = Rule("live", 60)  # a tab that comes to the front begins anew
RUN = Rule("run", 10)  # per tool


class Rates:
    """Who may call again when. `mode`: accounts (service keys are free), all, off."""

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._arrival: dict[tuple[str, str], float] = {}
        self._counted: dict[tuple[str, str], float] = {}

    def take(
        self, rule: Rule, caller: Principal, now: float, part: str = ""
    ) -> tuple[tuple[bytes, bytes], ...]:
        """Count a call and give the RateLimit headers; raises 429."""
        if self._mode == "off" or (self._mode == "accounts" and caller.account is None):
            return ()
        name = f"{rule.name}:{part}" if part else rule.name
        owners = {caller.id, f"account:{caller.account}"} if caller.account else {caller.id}
        waits, left = [0.0], rule.most
        for owner in sorted(owners):
            wait, free = self._ask(rule, (name, owner), now)
            waits.append(wait)
            left = min(left, free)
        wait = max(waits)
        if wait > 0:
            raise _too_many(rule, wait)
        for owner in owners:
            self._count(rule, (name, owner), now)
        return _headers(rule, left - 1, MINUTE_S / rule.most)

    def counted(self) -> dict[tuple[str, str], float]:
        """Seconds of every rule and owner that were used up since this was asked last."""
        counted, self._counted = self._counted, {}
        return counted

    def not_added(self, counted: dict[tuple[str, str], float]) -> None:
        """These could not be told to anybody; give them out again the next time."""
        for key, added in counted.items():
            self._counted[key] = self._counted.get(key, 0.0) + added

    def heard(self, arrivals: dict[tuple[str, str], float]) -> None:
        """Where all gateways together stand; what was counted here meanwhile comes on top."""
        for key, arrival in arrivals.items():
            self._keep(key, arrival + self._counted.get(key, 0.0))

    def _ask(self, rule: Rule, key: tuple[str, str], now: float) -> tuple[float, int]:
        gap = MINUTE_S / rule.most
        ahead = max(0.0, self._arrival.get(key, now) - now)
        free = int((MINUTE_S - ahead) / gap + 1e-9)
        return (0.0 if free > 0 else ahead + gap - MINUTE_S), free

    def _count(self, rule: Rule, key: tuple[str, str], now: float) -> None:
        gap = MINUTE_S / rule.most
        self._keep(key, max(self._arrival.get(key, now), now) + gap)
        if key in self._counted or len(self._counted) < OWNERS_MAX:
            self._counted[key] = self._counted.get(key, 0.0) + gap

    def _keep(self, key: tuple[str, str], arrival: float) -> None:
        self._arrival.pop(key, None)
        if len(self._arrival) >= OWNERS_MAX:
            del self._arrival[next(iter(self._arrival))]
        self._arrival[key] = arrival


def _headers(rule: Rule, left: int, reset_s: float) -> tuple[tuple[bytes, bytes], ...]:
    name = rule.name.encode()
    return (
        (b"ratelimit-policy", b'"%s";q=%d;w=%d' % (name, rule.most, MINUTE_S)),
        (b"ratelimit", b'"%s";r=%d;t=%d' % (name, max(0, left), max(1, round(reset_s)))),
    )


def _too_many(rule: Rule, wait: float) -> ProblemError:
    seconds = max(1, -int(-wait // 1))
    found = problem(
        429,
        "rate_limited",
        f"At most {rule.most} of these in a minute; wait as long as Retry-After says.",
        retry_after_s=seconds,
    )
    return ProblemError(found, _headers(rule, 0, seconds))
