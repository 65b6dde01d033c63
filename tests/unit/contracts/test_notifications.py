"""What a notification is named by: its event, or the window of the limit that stops runs."""

from contracts.header import LimitStatus
from contracts.notifications import EventRef, NotificationKind, id_of, id_of_window
from contracts.units import ID_LENGTH_MAX
from msgspec.structs import replace

DAY = LimitStatus("day", 100, 90, 10, 0, resets_at=1_772_409_600_000)


def test_one_event_may_tell_two_things_and_each_has_its_own_id() -> None:
    event = EventRef(1, 4711, "TransferSettled")
    ids = {id_of(event, kind) for kind in NotificationKind}
    assert len(ids) == len(NotificationKind)
    assert "ntf-1-4711-gift_claimed" in ids


def test_a_limit_that_stops_a_thousand_runs_of_a_day_is_told_once() -> None:
    later = replace(DAY, used=95, held=5)
    assert id_of_window("acct-1", DAY, None) == id_of_window("acct-1", later, None)


def test_it_is_told_again_the_next_day_and_when_it_was_moved() -> None:
    others = (
        id_of_window("acct-2", DAY, None),
        id_of_window("acct-1", replace(DAY, resets_at=1_772_496_000_000), None),
        id_of_window("acct-1", replace(DAY, limit=200), None),
        id_of_window("acct-1", replace(DAY, name="month"), None),
        id_of_window("acct-1", DAY, "key-1"),
    )
    assert len({id_of_window("acct-1", DAY, None), *others}) == 6


def test_ids_are_short_enough_for_every_reader() -> None:
    longest = id_of(EventRef(47, 10**15, "TransferSettled"), NotificationKind.THRESHOLD_CROSSED)
    assert len(longest) <= ID_LENGTH_MAX
    assert len(id_of_window("a" * 64, DAY, "k" * 64)) <= ID_LENGTH_MAX
