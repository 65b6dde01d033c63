"""An auditor that shares nothing with the ledger: it reads JSON and adds up, slowly, by itself.

It knows no rule of how to decide: it objects where counted events contradict each other.
"""

import json
from collections.abc import Iterable
from typing import Any

REMEMBERED_MS = 25 * 3_600_000


class Books:
    def __init__(self) -> None:
        self.version = 0
        self.lots: dict[str, int] = {}
        self.ends: dict[str, int] = {}
        self.open: dict[str, dict[str, int]] = {}  # reservation -> what it holds of each lot
        self.over: set[str] = set()
        self.charges: dict[str, dict[str, int]] = {}
        self.sums = dict.fromkeys(("in", "spent", "expired", "revoked", "sent"), 0)
        self.first: dict[str, tuple[int, str]] = {}

    def take(self, event: dict[str, Any], raw: str) -> None:
        kind, at = event["type"], event["at"]
        self.version += 1
        assert event["version"] == self.version, "versions have a gap"
        if hasattr(self, "_" + kind) and not event.get("parent"):
            getattr(self, "_" + kind)(event, at)
        assert self._balance() == event["balance"], (kind, self._balance(), event["balance"])
        if event.get("answer"):
            self._answered(event, raw, at)

    def _balance(self) -> dict[str, int]:
        held = sum(sum(held.values()) for held in self.open.values())
        told = {"available": sum(self.lots.values()), "held": held, "spent": self.sums["spent"]}
        parts = (*told.values(), *(self.sums[one] for one in ("expired", "revoked", "sent")))
        assert sum(parts) == self.sums["in"], ("money", parts, self.sums)
        assert min(*parts, *self.lots.values(), 0) >= 0, ("below zero", parts, self.lots)
        return told

    def _answered(self, event: dict[str, Any], raw: str, at: int) -> None:
        kind, named = event["type"], event["command"]["id"]
        known = self.first.get(named)
        if kind == "AnswerRepeated":
            assert f'"first":{known and known[1]}' in raw, named
        elif kind != "CommandTooOld" and event.get("reason") != "deadline":
            anew = known is None or at - known[0] > REMEMBERED_MS
            assert anew or event.get("reason") == "id_conflict", (named, "has two outcomes")
            if anew:
                self.first[named] = at, raw

    def _CreditsGranted(self, event: dict[str, Any], at: int) -> None:
        self._came(event, {event["grant"]: event} if event["effectiveFrom"] <= at else {})

    def _CreditsReceived(self, event: dict[str, Any], _: int) -> None:
        names = (event["grant"] + f"-{n}" * (n > 0) for n in range(100))
        self._came(event, dict(zip(names, event["parts"], strict=False)))

    def _came(self, event: dict[str, Any], lots: dict[str, dict[str, Any]]) -> None:
        owed = sum(amount for _, amount in _slices(event, "repaid"))
        self.sums["revoked"] += owed
        for grant, lot in lots.items():
            assert grant not in self.lots, "granted twice"
            paid = min(owed, lot["amount"])
            owed, self.lots[grant] = owed - paid, lot["amount"] - paid
            self.ends[grant] = lot.get("expiresAt", 1 << 60)
            self.sums["in"] += lot["amount"]

    def _CreditsSent(self, event: dict[str, Any], at: int) -> None:
        for part in event["slices"]:
            self._CreditsRevoked(part, at, "sent")

    def _TransferSettled(self, event: dict[str, Any], at: int) -> None:
        self.sums["sent"] -= event["returned"]
        self._back(event, "slices", at)

    def _CreditsReserved(self, event: dict[str, Any], at: int) -> None:
        named = event["reservation"]
        assert named not in self.open or event["type"] == "ReservationExtended", "held twice"
        held = self.open.setdefault(named, {})
        for grant, amount in _slices(event, "slices"):
            assert self.ends[grant] > at, "drawn from a lot that was over"
            self.lots[grant] -= amount
            held[grant] = held.get(grant, 0) + amount
        assert sum(a for _, a in _slices(event, "slices")) == event["amount"], "slices"

    def _CreditsCharged(self, event: dict[str, Any], at: int) -> None:
        self._drawn(event, "slices")
        self.charges[event["charge"]] = dict(_slices(event, "slices"))
        self.sums["spent"] += event["amount"]
        if event["final"]:
            self._CreditsReleased(event, at, "rest")

    def _CreditsReleased(self, event: dict[str, Any], at: int, part: str = "slices") -> None:
        self._drawn(event, part)
        self._back(event, part, at)
        assert not sum(self.open.pop(event["reservation"]).values()), "ended and still holding"
        assert event["reservation"] not in self.over, "ended twice"
        self.over.add(event["reservation"])

    _ReservationExtended, _ReservationExpired = _CreditsReserved, _CreditsReleased

    def _CreditsRefunded(self, event: dict[str, Any], at: int) -> None:
        for longer in event.get("extended", ()):
            self.ends[longer["grant"]] = longer["expiresAt"]
        charge = self.charges[event["charge"]]
        for grant, amount in _slices(event, "slices"):
            charge[grant] -= amount
            assert charge[grant] >= 0, "more refunded than was charged"
        self.sums["spent"] -= event["amount"]
        self._back(event, "slices", at)

    def _GrantExpired(self, event: dict[str, Any], at: int) -> None:
        assert self.ends[event["grant"]] <= at, "expired before its time"
        self._CreditsRevoked(event, at, "expired")

    def _CreditsRevoked(self, event: dict[str, Any], _: int, how: str = "revoked") -> None:
        self.lots[event["grant"]] -= event["amount"]
        self.sums[how] += event["amount"]

    def _drawn(self, event: dict[str, Any], part: str) -> None:
        for grant, amount in _slices(event, part):
            self.open[event["reservation"]][grant] -= amount
            assert self.open[event["reservation"]][grant] >= 0, "more drawn than was held"

    def _back(self, event: dict[str, Any], part: str, at: int) -> None:
        for grant, amount in _slices(event, part):
            self.lots[grant] += amount
        for lost in event.get("lost", ()):
            self._GrantExpired(lost, at)
        for paid in event.get("repaid", ()):
            self._CreditsRevoked(paid, at)


def audit(values: Iterable[bytes]) -> dict[str, Books]:
    accounts, token, seq = dict[str, Books](), "", 0
    for value in values:
        event = json.loads(value)
        if event["type"] == "PartitionClaimed":
            token = event["owner"]
        elif event["owner"] == token and event["seq"] == seq + 1:
            seq += 1
            if event.get("account"):
                accounts.setdefault(event["account"], Books()).take(event, value.decode())
    return accounts


def _slices(event: dict[str, Any], part: str) -> list[tuple[str, int]]:
    return [(one["grant"], one["amount"]) for one in event.get(part, ())]
