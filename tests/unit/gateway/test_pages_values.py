"""The pure parts of the pages: words for everything, no date from chance, numbers as typed."""

from datetime import UTC, date, datetime, timedelta

import contracts.events
import pytest
from contracts.billing import PurchaseShown
from contracts.catalogue import bundled
from contracts.commands import Controls
from contracts.reasons import Reason
from contracts.toppings import TopUpRule
from gateway.pages import charts, limitsform, sheets, words
from gateway.pages.limitsform import Typed, parsed
from gateway.pages.overview import pack_view
from gateway.pages.previews import preview
from gateway.pages.render import milli, money, number, signed, text
from gateway.pages.runout import run_out
from gateway.pages.success import CONFIRMING_MS, DELAYED_MS, state_of
from msgspec.structs import replace

TODAY = date(2026, 11, 26)
NOT_OF_ACCOUNTS = {"AnswerRepeated", "Checkpoint", "CommandRejected"}


def subclasses(base: type) -> set[type]:
    direct: set[type] = set(base.__subclasses__())
    return direct | {deep for one in direct for deep in subclasses(one)}


def test_everything_that_can_stand_in_a_history_has_words() -> None:
    events = {x.__name__ for x in subclasses(contracts.events.Event) if not subclasses(x)}
    assert events - NOT_OF_ACCOUNTS <= set(words.ENTRIES)


def test_every_reason_for_a_no_has_words() -> None:
    for reason in Reason:
        said = words.reason(reason.value)
        assert said != reason.value
        assert "_" not in said


def days(*used: int) -> list[tuple[date, int]]:
    """So much a day, the last one today."""
    first = TODAY - timedelta(days=len(used) - 1)
    return [(first + timedelta(days=n), amount) for n, amount in enumerate(used)]


def test_two_active_days_are_chance_and_give_no_date() -> None:
    assert run_out(100, days(0, 0, 10, 10), TODAY) is None


def test_the_pace_counts_from_the_first_active_day() -> None:
    found = run_out(100, days(0, 0, 0, 10, 10, 10), TODAY)
    assert found is not None
    assert (found.window_days, found.tenths_per_day) == (3, 100)
    assert found.on == TODAY + timedelta(days=10)


def test_further_than_five_years_is_no_date() -> None:
    found = run_out(10**9, days(1, 1, 1), TODAY)
    assert found is not None
    assert found.on is None


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_spreadsheet_computes_no_text_of_ours(cell: str) -> None:
    assert sheets.safe(cell) == f"'{cell}"


@pytest.mark.parametrize(("most", "top"), [(0, 1), (1, 1), (3, 5), (11, 20), (1_443, 2_000)])
def test_a_chart_ends_at_a_round_number(most: int, top: int) -> None:
    assert charts.nice(most) == top


def test_bars_stand_side_by_side_and_none_goes_below_zero() -> None:
    found = charts.bars([("a", 5), ("b", -3), ("c", 10)])
    assert [bar.height for bar in found.bars] == [80.0, 0.0, 160.0]
    assert [bar.amount for bar in found.bars] == [5, -3, 10]


def test_numbers_read_as_people_write_them() -> None:
    assert number(-1234567) == "\u22121,234,567"
    assert (signed(5), signed(-5), signed(0)) == ("+5", "\u22125", "0")
    assert (milli(1250), milli(-998)) == ("1.250", "\u22120.998")
    assert money(105000, "GBP") == "£1,050.00"
    assert pack_view(bundled().packs["standard"]).each == "£0.018"


def test_somebody_s_text_is_cut_isolated_and_harmless() -> None:
    shown = str(text("<b>\u202eevil" + "x" * 200))
    assert "<b>" not in shown
    assert "\u202e" not in shown
    assert shown.startswith("<bdi title=")
    assert len(shown) < 800


@pytest.mark.parametrize(
    ("typed", "limit"), [("500", 500), ("1,000", 1000), ("1 000", 1000), ("0", 0), ("", None)]
)
def test_whole_numbers_are_read_as_typed(typed: str, limit: int | None) -> None:
    controls, faults = parsed(Typed(day_limit=typed), Controls(), bundled())
    assert (controls.day_limit, faults) == (limit, [])


def test_a_day_above_its_month_is_told() -> None:
    _, faults = parsed(Typed(day_limit="20", month_limit="10"), Controls(), bundled())
    assert [fault.field for fault in faults] == ["day_limit"]


def test_settings_shown_and_saved_again_are_the_same() -> None:
    rule = TopUpRule(200, "starter", 5000)
    before = Controls(day_limit=5, month_limit=50, time_zone="Asia/Kolkata", top_up=rule)
    after, faults = parsed(limitsform.shown(before), before, bundled())
    assert (after, faults) == (before, [])
    assert preview(before, after, None, bundled()).says == []


def test_what_became_of_a_purchase() -> None:
    at = datetime(2026, 11, 26, tzinfo=UTC)
    begun = PurchaseShown("p", "initiated", "starter", 500, 1000, "GBP", at)
    paid = replace(begun, status="paid", paid_at=at)
    assert state_of(None, 0, 0) == "unknown"
    assert state_of(begun, 0, CONFIRMING_MS) == "confirming"
    assert state_of(begun, 0, CONFIRMING_MS + 1) == "processing"
    assert state_of(paid, 0, DELAYED_MS) == "confirming"
    assert state_of(paid, 0, DELAYED_MS + 1) == "delayed"
    assert state_of(replace(begun, status="expired"), 0, 0) == "failed"
    assert state_of(replace(paid, status="quarantined"), 0, 0) == "delayed"
    assert state_of(replace(paid, status="refunded", credited_at=at), 0, 0) == "credited"
