"""An auditor that shares nothing with the ledger: it reads JSON and adds up, slowly, by itself.

It knows no rule of how to decide: from the counted events alone it keeps lots, open reservations,
charges and first answers, and objects where they contradict each other or what an event says.
"""

import json
from collections.abc import Iterable
from typing import Any

REMEMBERED_MS = 25 * 3_600_000
FREE = ("AnswerRepeated", "CommandTooOld", "CommandRefused")  # they move nothing


class Books:
    def __init__(self) -> None:
        self.version = 0
        self.lots: dict[str, int] = {}
        self.ends: dict[str, int] = {}
        self.open: dict[str, dict[str, int]] = {}  # reservation -> what it holds of each lot
        self.over: set[str] = set()
        self.charges: dict[str, dict[str, int]] = {}
        self.sums = dict.fromkeys(("in", "spent", "expired", "revoked"), 0)
        self.first: dict[str, tuple[int, str]] = {}

    def take(self, event: dict[str, Any], raw: str) -> None:
        kind, at = event["type"], event["at"]
        self.version += 1
        assert event["version"] == self.version, "versions have a gap"
        before = self._balance()
        if hasattr(self, "_" + kind) and not event.get("parent"):
            getattr(self, "_" + kind)(event, at)
        assert self._balance() == event["balance"], (kind, self._balance(), event["balance"])
        if kind in FREE:
            assert before == self._balance(), "a no moves nothing"
        if event.get("answer"):
            self._answered(event, raw, at)

    def _balance(self) -> dict[str, int]:
        held = sum(sum(held.values()) for held in self.open.values())
        told = {"available": sum(self.lots.values()), "held": held, "spent": self.sums["spent"]}
        parts = (*told.values(), self.sums["expired"], self.sums["revoked"])
        assert sum(parts) == self.sums["in"], ("money", parts, self.sums)
        assert min(*parts, *self.lots.values(), 0) >= 0, ("below zero", parts, self.lots)
        return told

    def _answered(self, event: dict[str, Any], raw: str, at: int) -> None:
        kind, named = event["type"], event["command"]["id"]
        known = self.first.get(named)
        if kind == "AnswerRepeated":
            said = None if known is None else known[1]
            assert f'"first":{said}' in raw, named
        elif kind != "CommandTooOld" and event.get("reason") != "deadline":
            anew = known is None or at - known[0] > REMEMBERED_MS
            assert anew or event.get("reason") == "id_conflict", (named, "has two outcomes")
            if anew:
                self.first[named] = at, raw

    def _CreditsGranted(self, event: dict[str, Any], _: int) -> None:
        paid = sum(amount for _, amount in _slices(event, "repaid"))
        self.sums["revoked"] += paid
        assert event["grant"] not in self.lots, "granted twice"
        self.lots[event["grant"]] = event["amount"] - paid
        self.ends[event["grant"]] = event.get("expiresAt", 1 << 60)
        self.sums["in"] += event["amount"]

    def _CreditsReserved(self, event: dict[str, Any], at: int) -> None:
        named = event["reservation"]
        assert named not in self.open or event["type"] == "ReservationExtended", "held twice"
        held = self.open.setdefault(named, {})
        for grant, amount in _slices(event, "slices"):
            assert self.ends[grant] > at, "drawn from a lot that was over"
            self.lots[grant] -= amount
            held[grant] = held.get(grant, 0) + amount
        assert sum(a for _, a in _slices(event, "slices")) == event["amount"], "slices"

    _ReservationExtended = _CreditsReserved

    def _CreditsCharged(self, event: dict[str, Any], at: int) -> None:
        self._drawn(event, "slices")
        self.charges[event["charge"]] = dict(_slices(event, "slices"))
        self.sums["spent"] += event["amount"]
        if event["final"]:
            self._drawn(event, "rest")
            self._back(event, "rest", at)
            self._ended(event["reservation"])

    def _CreditsReleased(self, event: dict[str, Any], at: int) -> None:
        self._drawn(event, "slices")
        self._back(event, "slices", at)
        self._ended(event["reservation"])

    _ReservationExpired = _CreditsReleased

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
        self.lots[event["grant"]] -= event["amount"]
        self.sums["expired"] += event["amount"]

    def _CreditsRevoked(self, event: dict[str, Any], _: int) -> None:
        self.lots[event["grant"]] -= event["amount"]
        self.sums["revoked"] += event["amount"]

    def _drawn(self, event: dict[str, Any], part: str) -> None:
        for grant, amount in _slices(event, part):
            self.open[event["reservation"]][grant] -= amount
            assert self.open[event["reservation"]][grant] >= 0, "more drawn than was held"

    def _back(self, event: dict[str, Any], part: str, at: int) -> None:
        gone = dict(_slices(event, "lost"))
        for grant, amount in (*_slices(event, part), *((g, -a) for g, a in gone.items())):
            self.lots[grant] += amount
        assert all(self.ends[grant] <= at for grant in gone), "lost before its time"
        self.sums["expired"] += sum(gone.values())
        for grant, amount in _slices(event, "repaid"):
            self.lots[grant] -= amount
            self.sums["revoked"] += amount

    def _ended(self, reservation: str) -> None:
        assert not sum(self.open.pop(reservation).values()), "ended and still holding"
        assert reservation not in self.over, "ended twice"
        self.over.add(reservation)


def audit(values: Iterable[bytes]) -> dict[str, Books]:
    accounts: dict[str, Books] = {}
    token, seq = "", 0
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
