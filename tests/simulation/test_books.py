"""The second auditor objects to a log that was tampered with, wherever that was."""

import json
from typing import Any

import pytest

from tests.contract.recorded import FOLDER, read
from tests.simulation.books import audit

# The lived ones have runs inside runs, of which this auditor knows nothing.
FILES = [file for file in sorted(FOLDER.iterdir()) if "-lived-" not in file.name]
LOGS = [[json.loads(value) for value in read(file).events] for file in FILES]


def objected(log: list[dict[str, Any]]) -> bool:
    try:
        audit([json.dumps(event, separators=(",", ":")).encode() for event in log])
    except (AssertionError, KeyError):
        return True
    return False


@pytest.mark.parametrize("log", LOGS, ids=range(len(LOGS)))
def test_the_recorded_logs_are_right(log: list[dict[str, Any]]) -> None:
    assert not objected(log)


def test_one_credit_more_anywhere_is_noticed() -> None:
    tried = 0
    for log in LOGS:
        for at, event in enumerate(log):
            if event["type"] != "CreditsGranted":
                continue
            tried += 1
            wrong = [*log[:at], {**event, "amount": event["amount"] + 1}, *log[at + 1 :]]
            assert objected(wrong)
    assert tried > 5


def test_an_event_that_is_missing_or_doubled_is_noticed() -> None:
    for log in LOGS:
        ours = [at for at, event in enumerate(log) if event.get("version")]
        last = {log[at]["account"]: at for at in ours}  # of each account: nothing follows from it
        for at in set(ours) - set(last.values()):
            assert objected(_numbered([*log[:at], *log[at + 1 :]]))
            assert objected(_numbered([*log[: at + 1], log[at], *log[at + 1 :]]))


def _numbered(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All of it counts: only what the events say can give it away."""
    owner, seq, made = "", 0, []
    for event in log:
        if event["type"] == "PartitionClaimed":
            owner = event["owner"]
        elif event["owner"] == owner:
            seq += 1
            event = {**event, "seq": seq}  # noqa: PLW2901
        made.append(event)
    return made
