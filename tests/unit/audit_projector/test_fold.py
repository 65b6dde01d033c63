"""The projection's fold against finance's second one, and against itself in other batches."""

import json
import random
from typing import Any

import msgspec
import pytest
from audit_projector.finance.expected import Expected
from audit_projector.fold import Batch, MalformedEvent, detail, fold, storable
from audit_projector.intake import Taken
from contracts.commands import Expire, Grant, GrantKind, Revoke
from contracts.units import MINUTE
from ledger.follow import COURIER

from contracts import codec
from tests.unit.audit_projector.tables import Tables
from tests.unit.audit_projector.world import PAYMENTS, World, counted, kinds

SEEDS = range(6)


@pytest.fixture(scope="module", params=SEEDS)
def taken(request: pytest.FixtureRequest) -> list[Taken]:
    return World(request.param).go_on(400).taken()


@pytest.fixture(scope="module")
def tables(taken: list[Taken]) -> Tables:
    tables = Tables()
    tables.apply(taken)
    return tables


@pytest.fixture(scope="module")
def expected(taken: list[Taken]) -> Expected:
    expected = Expected()
    for _, event in counted(taken):
        expected.take(event)
    return expected


def test_batches_of_any_size_give_the_same_tables(taken: list[Taken], tables: Tables) -> None:
    cut, at, chance = Tables(), 0, random.Random(1)
    while at < len(taken):
        step = chance.randrange(1, 40)
        cut.apply(taken[at : at + step])
        at += step

    assert vars(cut) == vars(tables)


def test_lots_are_what_the_second_fold_says(tables: Tables, expected: Expected) -> None:
    assert {key: tuple(row) for key, row in tables.lots.items()} == {
        key: msgspec.structs.astuple(lot) for key, lot in expected.lots.items()
    }


def test_open_and_ended_reservations_are_what_the_second_fold_says(
    tables: Tables, expected: Expected
) -> None:
    still = {key: row for key, row in tables.reservations.items() if row[0] == "open"}
    assert {key: tuple(row[2:6]) for key, row in still.items()} == {
        key: (one.amount, one.held, one.charged, one.released) for key, one in expected.open.items()
    }
    ended: dict[tuple[str, str], list[int]] = {}
    for (account, _), row in tables.reservations.items():
        if row[0] != "open":
            sums = ended.setdefault((account, row[0]), [0, 0, 0, 0])
            for place, value in enumerate((1, row[2], row[4], row[5])):
                sums[place] += value
            assert row[3] == 0
            assert row[7] is not None
    assert ended == expected.ended


def test_sums_usage_controls_and_balances_agree(tables: Tables, expected: Expected) -> None:
    for name, account in expected.accounts.items():
        granted, received, _, _, _, *others = msgspec.structs.astuple(account.amounts)
        assert tables.sums[name] == (granted, received, *others)
        assert tables.newest[name] == (account.version, account.stated)
    assert tables.usage == {key: tuple(used) for key, used in expected.used.items()}
    assert tables.costs == expected.costs
    assert tables.controls == expected.controls
    plans = {
        name: (p.plan, p.start, p.end, p.credits, p.day_limit, p.given, version, at)
        for name, (p, version, at) in tables.plans.items()
    }
    assert plans == expected.plans
    standing = {key: since for key, since in tables.freezes.items() if since is not None}
    assert standing == expected.freezes


def test_transfers_agree_and_arrive_once_or_come_back(tables: Tables, expected: Expected) -> None:
    sent = expected.transfers.sent
    assert tables.transfers == {
        key: [one.to, one.amount, one.sent_at, one.returned] for key, one in sent.items()
    }
    assert list(expected.transfers.differences()) == []


def test_what_begins_later_agrees(tables: Tables, expected: Expected) -> None:
    assert tables.upcoming == expected.upcoming


def test_the_worlds_have_grants_to_come_and_notices() -> None:
    assert kinds(World(SEEDS[0]).go_on(400)) >= {"GrantScheduled", "ExpiryNoticeGiven"}


def test_less_of_what_begins_later_is_less_in_every_table_until_it_begins() -> None:
    world, told, tables_ = World(1), Expected(), Tables()
    (account, *_), begins = world.accounts, world.now + MINUTE
    who: dict[str, Any] = {"account": account, "actor": PAYMENTS}
    more: dict[str, Any] = {**who, "kind": GrantKind.PROMO, "effective_from": begins}
    for named in ("half", "whole"):
        world.ask(Grant(id=named, amount=90, source=named, **more))
    tables_.apply(world.taken())
    world.ask(Revoke(id="v1", grant="half", reason="less", amount=50, **who))
    world.ask(Revoke(id="v2", grant="whole", reason="less", **who))
    tables_.apply(world.taken()[-2:])
    assert [left for left, *_ in tables_.upcoming.values()] == [40, 0]
    world.now = begins
    world.ask(Expire(id="x1", account=account, actor=COURIER, grant="half"))
    tables_.apply(world.taken()[-1:])
    for _, event in counted(world.taken()):
        told.take(event)
    assert [left for left, *_ in tables_.upcoming.values()] == [0, 0]
    assert tables_.upcoming == told.upcoming
    assert tables_.lots[account, "half"][:2] == [40, 40]


def test_the_worlds_have_transfers_of_every_kind() -> None:
    ends = set()
    for seed in SEEDS:
        told = Expected()
        for _, event in counted(World(seed).go_on(400).taken()):
            told.take(event)
        ends |= {one.returned for one in told.transfers.sent.values()}
    assert None in ends, "none is under way"
    assert 0 in ends, "none arrived"
    assert len(ends) > 2, "none came back"


def test_finance_agrees_with_every_balance_that_the_ledger_states(expected: Expected) -> None:
    for account in expected.accounts.values():
        assert account.misstated == 0
        assert account.version_gaps == 0
        assert account.amounts.difference == 0
        assert min(msgspec.structs.astuple(account.amounts)) >= 0


def test_the_detail_of_an_entry_is_the_event_without_its_header(taken: list[Taken]) -> None:
    header = {
        *("type", "v", "seq", "owner", "account", "version"),
        *("command", "at", "actor", "balance", "answer"),
    }
    for record, event in counted(taken):
        if not event.account:
            continue
        own = {k: v for k, v in json.loads(record.raw).items() if k not in header}

        assert json.loads(b"{" + detail(record.raw, event)) == own
        other_order = json.dumps(dict(sorted(json.loads(record.raw).items()))).encode()
        assert json.loads(b"{" + detail(other_order, event)) == own


def test_a_character_that_postgresql_cannot_store_becomes_its_symbol(
    taken: list[Taken],
) -> None:
    record, event = next(x for x in counted(taken) if x[1].account)
    raw = record.raw.replace(b'"account":"', b'"account":"\\u0000')

    assert storable(raw).account == "\N{SYMBOL FOR NULL}" + event.account


def test_an_event_without_a_balance_stops_the_projection(taken: list[Taken]) -> None:
    record, event = next(x for x in counted(taken) if x[1].account)
    event = msgspec.convert(json.loads(record.raw), type(event))
    event.balance = None
    broken = Taken(0, record.offset, record.timestamp, event, codec.encode(event), True)

    with pytest.raises(MalformedEvent, match="balance"):
        fold(Batch({}), [broken])
