"""The committed documents are what the structs say, and the golden bytes are valid by them."""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from cli.contracts import app
from contracts.history import ToolHistory
from contracts.notifications import Notification
from contracts.topics import TOPICS
from typer.testing import CliRunner

from contracts import schemas
from tests.contract.golden import COMMANDS, EVENTS, FOLDER, KINDS, path

HOME = FOLDER.parent
FILES = sorted(schemas.json_schemas())
SPECIFICATION = Path(__file__).with_name("asyncapi-3.0.0.schema.json")


def committed(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HOME / schemas.FOLDER / name).read_text())
    return found


def file_of(kind: type) -> str:
    if kind in COMMANDS:
        return "commands.schema.json"
    if kind is ToolHistory:
        return "history.schema.json"
    if kind is Notification:
        return "notifications.schema.json"
    return "events.schema.json" if kind in EVENTS else "runs.schema.json"


def asyncapi() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((HOME / "asyncapi.yaml").read_text())
    return found


def test_what_is_committed_is_what_scrip_contracts_schemas_writes(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["schemas", "--into", str(tmp_path)])
    assert done.exit_code == 0, done.output
    written = {p.relative_to(tmp_path): p.read_text() for p in tmp_path.rglob("*") if p.is_file()}
    assert len(written) == len(FILES) + 1
    for file, text in written.items():
        assert (HOME / file).read_text() == text, f"{file}: run `scrip contracts schemas`"


def test_schemas_elsewhere_than_at_the_root_say_what_to_do(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["schemas", "--into", str(tmp_path / "none")])
    assert done.exit_code == 2
    assert "root of the repository" in done.output


@pytest.mark.parametrize("name", FILES)
def test_schemas_are_valid_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(committed(name))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_golden_bytes_are_valid_by_their_schema(kind: type) -> None:
    schema = committed(file_of(kind))
    message = json.loads(path(kind).read_bytes())
    jsonschema.Draft202012Validator(schema).validate(message)
    own = {**schema, "anyOf": [{"$ref": f"#/$defs/{kind.__name__}"}]}
    jsonschema.Draft202012Validator(own).validate(message)
    first = next(iter(schema["$defs"][kind.__name__]["required"]))
    del message[first]
    assert not jsonschema.Draft202012Validator(own).is_valid(message), "a schema that cannot fail"


def test_the_asyncapi_document_is_valid() -> None:
    validator = jsonschema.Draft7Validator(json.loads(SPECIFICATION.read_text()))
    faults = [
        f"{'/'.join(map(str, fault.absolute_path))}: {fault.message[:200]}"
        for fault in validator.iter_errors(asyncapi())
    ]
    assert not faults, faults
    wrong = asyncapi()
    del wrong["operations"]["send-ledger-commands"]["action"]
    assert not validator.is_valid(wrong), "the specification is really applied"


def test_the_asyncapi_document_describes_every_topic_and_leads_somewhere() -> None:
    document = asyncapi()
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {topic.name for topic in TOPICS}
    for reference in _references(document):
        file, _, pointer = reference.partition("#/")
        target: Any = document if not file else json.loads((HOME / file).read_text())
        for step in pointer.split("/"):
            target = target[step]


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for item in node for found in _references(item)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if "$ref" in node else []
    return own + [found for item in node.values() for found in _references(item)]
