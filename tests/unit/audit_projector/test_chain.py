"""The chain's files: whatever a crash leaves, opening goes on to exactly the same bytes."""

import json
import random
from pathlib import Path

import pytest
from audit_projector import chain as chains
from audit_projector import seal
from audit_projector.chain import Chain, ChainBroken
from audit_projector.intake import Taken
from audit_projector.line import source_of

from tests.unit.audit_projector.world import World

SOURCE = source_of("test", "ledger.events", 0)


@pytest.fixture(scope="module")
def taken() -> list[Taken]:
    return World(11).go_on(150).taken()


def opened(folder: Path) -> Chain:
    chain = Chain(folder, SOURCE)
    chain.open()
    return chain


def write(folder: Path, taken: list[Taken], step: int = 40) -> None:
    """Go on from the chain's own position, as the projector does."""
    chain = opened(folder)
    while rest := taken[chain.position.offset :]:
        chain.append(rest[:step])
    chain.close()


def content(folder: Path) -> dict[str, bytes]:
    return {x.name: x.read_bytes() for x in sorted(folder.iterdir()) if ".torn-" not in x.name}


@pytest.fixture(scope="module")
def whole(taken: list[Taken], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole") / "000"
    write(folder, taken)
    return content(folder)


def laid(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    return folder


def test_a_day_that_is_over_is_sealed_and_the_next_one_goes_on(whole: dict[str, bytes]) -> None:
    first, last = json.loads(whole["2025-12-31.manifest.json"]), "2026-01-01.jsonl"
    days = [name for name in whole if name.endswith(".jsonl")]

    assert days[0] == "2025-12-31.jsonl"
    assert days[-1] == last
    assert f"{last[:10]}.manifest.json" not in whole
    assert first["lines"] == whole["2025-12-31.jsonl"].count(b"\n")
    assert first["firstSequence"] == 1
    assert first["lastSequence"] == first["lines"]
    assert first["lastHash"].encode() in whole["2025-12-31.jsonl"].splitlines()[-1]
    assert f'"prevhash":"{first["lastHash"]}"'.encode() in whole[last].splitlines()[0]


def test_the_size_of_batches_changes_no_byte(
    taken: list[Taken], whole: dict[str, bytes], tmp_path: Path
) -> None:
    write(tmp_path / "000", taken, step=1)

    assert content(tmp_path / "000") == whole


@pytest.mark.parametrize("seed", range(40))
def test_a_crash_at_any_byte_is_cut_back_and_written_again(
    taken: list[Taken], whole: dict[str, bytes], tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    days = [name for name in whole if name.endswith(".jsonl")]
    day = chance.choice(days)
    left = {name: raw for name, raw in whole.items() if name[:10] < day[:10]}
    left[day] = whole[day][: chance.randrange(len(whole[day]) + 1)]
    if chance.random() < 0.3:
        left = {name: raw for name, raw in left.items() if not name.endswith("manifest.json")}
    if chance.random() < 0.3:
        left[day] += chance.randbytes(chance.randrange(1, 3_000))  # pages that were never written
    folder = laid(tmp_path / "000", left)

    write(folder, taken)

    assert content(folder) == whole


def test_what_was_cut_is_kept_aside(
    taken: list[Taken], whole: dict[str, bytes], tmp_path: Path
) -> None:
    raw = whole["2025-12-31.jsonl"]
    folder = laid(tmp_path / "000", {"2025-12-31.jsonl": raw[:-10]})

    write(folder, taken[:1])

    (aside,) = folder.glob("*.torn-*")
    assert aside.read_bytes() == raw.splitlines(keepends=True)[-1][:-10]


def test_the_chain_knows_where_the_reader_stands_behind_every_record(
    taken: list[Taken], tmp_path: Path
) -> None:
    from bus.reader import Reader

    reader = Reader()
    chain = opened(tmp_path / "000")
    for record in taken:
        reader.counts(record.offset, record.event)
        chain.append([record])
        chain.close()
        chain = opened(tmp_path / "000")
        found = chain.position
        assert (found.offset, found.token, found.seq) == (reader.offset, reader.token, reader.seq)
    chain.close()


def test_damage_longer_than_any_write_is_refused(
    taken: list[Taken], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "000"
    write(folder, taken)
    newest = max(folder.glob("*.jsonl"))
    raw = bytearray(newest.read_bytes())
    raw[len(raw) // 4] ^= 1
    newest.write_bytes(raw)
    monkeypatch.setattr(chains, "WRITE_BYTES_MAX", len(raw) // 2)

    with pytest.raises(ChainBroken, match="restore"):
        opened(folder)
    assert newest.read_bytes() == raw


def test_a_sealed_day_is_never_cut(whole: dict[str, bytes], tmp_path: Path) -> None:
    sealed = {name: raw for name, raw in whole.items() if name.startswith("2025-12-31")}
    sealed["2025-12-31.jsonl"] = sealed["2025-12-31.jsonl"][:-5]
    folder = laid(tmp_path / "000", sealed)

    with pytest.raises(ChainBroken, match="sealed"):
        opened(folder)


def test_a_manifest_is_a_function_of_its_file(whole: dict[str, bytes], tmp_path: Path) -> None:
    folder = laid(tmp_path / "000", {"2025-12-31.jsonl": whole["2025-12-31.jsonl"]})

    seal.seal(folder / "2025-12-31.jsonl")

    made = (folder / "2025-12-31.manifest.json").read_bytes()
    assert made == whole["2025-12-31.manifest.json"]
