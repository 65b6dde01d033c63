"""Whatever an account remembers is hashed, rests, wakes and travels with the snapshots.

A field that is added to an account needs no line anywhere but here: a value that is not its
default, so that the tests know that it is not forgotten on the way.
"""

import msgspec
import pytest
from contracts.commands import Controls, GrantKind, Limits
from contracts.grants import Part
from contracts.header import Allowance, Slice, Window
from ledger import resting
from ledger.domain.account import (
    Account,
    Charged,
    Ended,
    Estimated,
    Lot,
    Reservation,
    Transfer,
    Upcoming,
)
from ledger.domain.trail import follow
from ledger.resting import DEFLATED_MAX, Resting, layout, print_of

ANSWER = b'{"type":"CreditsGranted","at":5}'
SLICES = (Slice("g1", 3),)
# Every field of an account as it never is by default.
LIVED: dict[str, object] = {
    "id": "acct-1",
    "version": 7,
    "granted": 100,
    "received": 1,
    "available": 2,
    "held": 3,
    "spent": 4,
    "expired": 5,
    "revoked": 6,
    "sent": 7,
    "next_due": 8,
    "day": Window(1, 2),
    "day_spent": 9,
    "month": Window(3, 4),
    "month_spent": 10,
    "controls": Controls(run_limit=5),
    "lots": [Lot("g1", GrantKind.PAID, 50, 1, 2, 100, 2, 1, 1, 1, 7)],
    "reservations": {"r1": Reservation("r1", "tool", 5, 3, SLICES, 9, 1, 2, "r0", 1, ("tool",), 4)},
    "charges": {"c1": Charged("r1", "tool", 4, 4, SLICES, 5, 6)},
    "sources": {"s1": "g1"},
    "ended": {"r0": Ended("charged", 4)},
    "estimates": {"e1": Estimated("tool", Limits(1, 2, 3), 1, 2, 3, "p1", 9)},
    "answers": {"c1": ANSWER},
    "answers_since": 5,
    "freezes": {"": ["dispute"]},
    "debts": {"g1": 1},
    "crossed": {"day": (9, 50)},
    "top_up_since": 11,
    "top_ups": [(12, 500)],
    "top_up_declines": 2,
    "top_up_wait": 13,
    "counted": {"tool": 3},
    "countable": {"c1": ("tool",)},
    "plan": Allowance("free", 1, 9, 300, 30, True, 1, 0, 300),
    "plan_spent": 13,
    "trail": 14,
    "transfers": {"t1": Transfer("acct-2", 3, SLICES, (Part(GrantKind.GIFT, 3, 30, 9),), 5)},
    "settled": {"t0": 3},
    "arrived": {"acct-3 t9": "receive-1"},
    "upcoming": {"g2": Upcoming("g2", GrantKind.PROMO, "s2", 5, 9, 3, 4, None, "gift", None)},
}


def lived() -> Account:
    return Account(**{name: LIVED[name] for name in Account.__struct_fields__})  # type: ignore[arg-type]


def test_every_field_of_an_account_is_known_here() -> None:
    assert set(LIVED) == set(Account.__struct_fields__)
    fresh, full = Account("acct-0"), lived()
    same = [n for n in Account.__struct_fields__ if getattr(fresh, n) == getattr(full, n)]
    assert same == [], "give it a value that is not its default"


def test_an_account_wakes_as_it_went_to_rest() -> None:
    resting_ = Resting()
    rested = resting_.asleep(lived())
    assert resting_.awake(rested.sample, rested.packed) == lived()


@pytest.mark.parametrize("field", Account.__struct_fields__)
def test_every_field_is_part_of_the_state_hash(field: str) -> None:
    fresh, changed = Account("acct-0"), Account("acct-0")
    setattr(changed, field, LIVED[field])
    assert print_of(fresh) != print_of(changed)


def test_of_answers_the_hash_takes_the_ids() -> None:
    one, other = lived(), lived()
    other.answers = {"c1": b"{}"}
    assert print_of(one) == print_of(other)
    other.answers = {"c2": ANSWER}
    assert print_of(one) != print_of(other)


def test_charges_between_the_oldest_and_the_newest_are_part_of_the_state_hash() -> None:
    one, other = Account("acct-1"), Account("acct-1")
    for account, middle in (one, 4), (other, 5):
        for name, amount in (("c1", 3), ("c2", middle), ("c3", 3)):
            charged = Charged("r1", None, amount, amount, SLICES, 5, 6)
            account.charges[name] = charged
            follow(account, name, charged, ())
    assert print_of(one) != print_of(other)


def test_an_account_too_busy_to_be_deflated_wakes_as_it_was() -> None:
    busy, resting_ = lived(), Resting()
    answer = ANSWER + b" " * 1_000
    busy.answers = {f"c{n}": answer for n in range(DEFLATED_MAX // len(answer) + 1)}
    rested = resting_.asleep(busy)
    assert len(rested.packed) > DEFLATED_MAX
    assert resting_.awake(rested.sample, rested.packed) == busy


def test_another_field_is_another_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a part of an account: its bytes are not read by a ledger that knows another one."""
    longer = msgspec.defstruct("Account", [*_fields(Account), ("more", int, 0)], array_like=True)
    before = layout()
    monkeypatch.setattr(resting, "Account", longer)
    assert layout.__wrapped__() != before
    lot = msgspec.defstruct("Lot", [*_fields(Lot), ("more", int, 0)], array_like=True)
    changed = [
        (name, list[lot] if name == "lots" else kind, value)  # type: ignore[valid-type]
        for name, kind, value in _fields(Account)
    ]
    monkeypatch.setattr(resting, "Account", msgspec.defstruct("Account", changed, array_like=True))
    assert layout.__wrapped__() != before


def _fields(kind: type[msgspec.Struct]) -> list[tuple[str, object, object]]:
    """The fields as defstruct takes them, each with some default."""
    return [
        (field.encode_name, field.type, msgspec.field(default_factory=list))
        for field in msgspec.structs.fields(kind)
    ]
