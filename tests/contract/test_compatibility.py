"""The gate lets additions through and refuses, in words, what would break a reader."""

import copy

import pytest

from tests.contract.compatibility import NAMES, Schema, breaks, current, released


@pytest.mark.parametrize("name", NAMES)
def test_every_released_version_and_this_one_read_each_other(name: str) -> None:
    versions = released(name)
    assert versions, "no release is kept"
    faults = {day: breaks(schema, current(name)) for day, schema in versions.items()}
    assert not any(faults.values()), (
        f"{faults}: logs of that day are still there. Add a field with a default, or raise the"
        " version of the event and lift the old one in contracts.codec.UPCASTS."
    )


def changed(name: str) -> tuple[Schema, Schema]:
    """The events' schema as it is, and a definition in a copy of it to spoil."""
    whole = copy.deepcopy(current("events.schema.json"))
    spoilt: Schema = whole["$defs"][name]
    return whole, spoilt


def told(newer: Schema) -> str:
    return "\n".join(breaks(current("events.schema.json"), newer))


def test_nothing_changed_breaks_nothing() -> None:
    assert told(current("events.schema.json")) == ""


def test_an_event_cannot_be_removed() -> None:
    whole, _ = changed("CreditsGranted")
    del whole["$defs"]["GrantExpired"]
    assert "GrantExpired is in somebody's log: it cannot be removed" in told(whole)


def test_a_required_field_cannot_be_added() -> None:
    whole, grant = changed("CreditsGranted")
    grant["properties"]["campaign"] = {"type": "string"}
    grant["required"].append("campaign")
    assert "old CreditsGranted.campaign is required by the reader" in told(whole)


def test_a_required_field_cannot_be_dropped() -> None:
    whole, grant = changed("CreditsGranted")
    del grant["properties"]["amount"]
    grant["required"].remove("amount")
    assert "new CreditsGranted.amount is required by the reader" in told(whole)


def test_a_field_cannot_change_its_type() -> None:
    whole, grant = changed("CreditsGranted")
    grant["properties"]["amount"] = {"type": "string"}
    said = told(whole)
    assert "old CreditsGranted.amount is integer, and read as string" in said
    assert "new CreditsGranted.amount is string, and read as integer" in said


def test_a_value_that_was_written_is_read_for_ever() -> None:
    whole, reason = changed("Reason")
    reason["enum"].remove("insufficient_credits")
    assert "insufficient_credits, which the other version does not know" in told(whole)


def test_a_part_that_may_be_nothing_stays_so() -> None:
    whole, grant = changed("CreditsGranted")
    grant["properties"]["reason"] = {"type": "string"}
    assert "CreditsGranted.reason" in told(whole)


def test_a_field_with_a_default_a_type_and_a_reason_may_be_added() -> None:
    whole, grant = changed("CreditsGranted")
    grant["properties"]["campaign"] = {"type": "string", "default": ""}
    whole["$defs"]["CreditsConjured"] = copy.deepcopy(grant)
    whole["$defs"]["Reason"]["enum"].append("out_of_luck")
    assert told(whole) == ""
