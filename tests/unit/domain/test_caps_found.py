"""The caps that a run counts against: found by its names, the same as by looking at them all."""

from contracts.caps import Cap, CapOf, CapWindow
from contracts.commands import Controls
from hypothesis import given
from hypothesis import strategies as some
from ledger.domain import capping
from ledger.domain.account import Account

_CAPS = some.lists(
    some.builds(
        Cap,
        some.sampled_from(CapOf),
        some.sampled_from("ab"),
        some.just(9),
        some.sampled_from(CapWindow),
    ),
    unique_by=lambda cap: (cap.of, cap.id, cap.window),
).map(tuple)
_ID = some.none() | some.sampled_from("abc")


@given(caps=_CAPS, key=_ID, member=_ID, tool=_ID)
def test_a_run_meets_the_caps_it_counts_against_in_the_order_they_were_set(
    caps: tuple[Cap, ...], key: str | None, member: str | None, tool: str | None
) -> None:
    account = Account("alice", controls=Controls(caps=caps))
    counts = capping.names(key, member, tool)

    found = capping.against(account, counts)

    expected = [cap for cap in caps if capping.name_of(cap) in counts]
    assert [placed.cap for placed in found] == expected
    assert [placed.slot for placed in found] == [capping.slot_of(cap) for cap in expected]
