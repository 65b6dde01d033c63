"""A recorded log comes to the very state that it came to on its day."""

from pathlib import Path

import pytest
from contracts.events import AnswerRepeated, Checkpoint, CommandRefused
from ledger.domain import evolve

from tests.contract.recorded import FOLDER, digest, read, replayed

LOGS = sorted(FOLDER.iterdir())


@pytest.mark.parametrize("file", LOGS, ids=lambda file: file.stem)
def test_a_recorded_log_comes_to_the_same_state(file: Path) -> None:
    log = read(file)
    assert digest(replayed(log)) == log.digest, (
        "the rules that remember were changed: balances of every log out there change with them."
        " If that is meant, see tests/contract/recorded.py"
    )


def test_the_recorded_logs_reach_every_rule_that_remembers() -> None:
    told = "".join(value for file in LOGS for value in read(file).events)
    for kind in (*evolve._REMEMBER, Checkpoint, CommandRefused, AnswerRepeated):
        assert f'"{kind.__name__}"' in told
    for told_of in ('"parent":', '"debt":', '"repaid":', '"allowance":', '"returned":6'):
        assert told_of in told, told_of


def test_a_rule_that_remembers_otherwise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = evolve._REMEMBER.copy()
    for kind, rule in before.items():
        monkeypatch.setitem(evolve._REMEMBER, kind, rule)
    grants = next(kind for kind in before if kind.__name__ == "CreditsGranted")

    def generous(account: object, event: object) -> None:
        before[grants](account, event)
        account.granted += 1  # type: ignore[attr-defined]

    monkeypatch.setitem(evolve._REMEMBER, grants, generous)
    assert any(digest(replayed(read(file))) != read(file).digest for file in LOGS)
