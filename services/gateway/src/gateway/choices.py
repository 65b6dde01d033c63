"""What an owner wants to be told, and where: per kind, on the pages and by e-mail.

Alerts (thresholds, limits, low credits, the test) follow the two switches that stand beside them in
the limits: one switch for one thing. Everything else is chosen here, by version, as last seen.
"""

from contracts.notifications import NotificationKind
from msgspec import Struct
from msgspec.structs import asdict

from gateway.balances import Balances
from gateway.identity import Identity
from gateway.problems import Problem, ProblemError, problem

ALERTS = frozenset(
    {
        NotificationKind.THRESHOLD_CROSSED,
        NotificationKind.LIMIT_REACHED,
        NotificationKind.LOW_BALANCE,
        NotificationKind.TEST_ALERT,
    }
)
CHOSEN = tuple(kind for kind in NotificationKind if kind not in ALERTS)
# Mail is for those who chose it, but for what is lost while nobody looks.
MAILED_AT_FIRST = (NotificationKind.EXPIRY_NOTICE, NotificationKind.TOP_UP_FAILED)

_HELD = """
SELECT version, listed, mailed FROM identity.notification_choices WHERE account = %(account)s"""
_REPLACE = """
INSERT INTO identity.notification_choices (account, version, listed, mailed)
SELECT %(account)s, 1, %(listed)s, %(mailed)s WHERE %(version)s = 0
ON CONFLICT (account) DO NOTHING"""
_CHANGE = """
UPDATE identity.notification_choices
   SET version = version + 1, listed = %(listed)s, mailed = %(mailed)s
 WHERE account = %(account)s AND version = %(version)s"""


class _Row(Struct):
    version: int
    listed: list[str]
    mailed: list[str]


class Choice(Struct, frozen=True, rename="camel"):
    """One kind: shown on the pages, sent by e-mail."""

    kind: NotificationKind
    in_app: bool
    email: bool


class ChoicesShown(Struct, frozen=True):
    """All kinds that are chosen here, and the version that an `If-Match` must name."""

    choices: list[Choice]
    version: str

    def of(self, kind: NotificationKind) -> Choice:
        """The choice for a kind."""
        return next(choice for choice in self.choices if choice.kind is kind)


class ChoicesDiffer(Problem, rename="camel", omit_defaults=True, kw_only=True):
    """They were changed meanwhile: what stands now."""

    current: ChoicesShown


class Channels(Struct, frozen=True):
    """Where one notification goes."""

    listed: bool
    mailed: bool


class Choices(Struct, frozen=True):
    """Reads and replaces an account's choices."""

    identity: Identity
    balances: Balances

    async def held(self, account: str) -> ChoicesShown:
        """As they stand; version 0 while nothing was ever chosen."""
        row = await self.identity.row(_Row, _HELD, {"account": account})
        if row is None:
            first = [Choice(kind, True, kind in MAILED_AT_FIRST) for kind in CHOSEN]
            return ChoicesShown(first, "0")
        listed, mailed = set(row.listed), set(row.mailed)
        found = [Choice(kind, kind in listed, kind in mailed) for kind in CHOSEN]
        return ChoicesShown(found, str(row.version))

    async def replace(self, account: str, version: str, asked: list[Choice]) -> ChoicesShown:
        """Replace that version; raises 412 when it stands no more. What is not named stays."""
        named = {choice.kind: choice for choice in asked}
        now = await self.held(account)
        wanted = [named.get(choice.kind, choice) for choice in now.choices]
        values: dict[str, object] = {
            "account": account,
            "version": int(version),
            "listed": [choice.kind.value for choice in wanted if choice.in_app],
            "mailed": [choice.kind.value for choice in wanted if choice.email],
        }
        sql = _REPLACE if version == "0" else _CHANGE
        if now.version != version or await self.identity.change(sql, values) != 1:
            raise _differ(await self.held(account))
        return ChoicesShown(wanted, str(int(version) + 1))

    async def channels(self, account: str, kind: NotificationKind) -> Channels:
        """Where a notification of this kind goes; raises 503 rather than guess."""
        if kind in ALERTS:
            controls = await self.balances.controls(account)
            return Channels(controls.alert_in_app, controls.alert_email)
        choice = (await self.held(account)).of(kind)
        return Channels(choice.in_app, choice.email)


def _differ(current: ChoicesShown) -> ProblemError:
    told = problem(412, "choices_changed", "They were changed meanwhile. Look again, then save.")
    found = ChoicesDiffer(**asdict(told), current=current)
    return ProblemError(found, ((b"etag", f'"{current.version}"'.encode()),))
