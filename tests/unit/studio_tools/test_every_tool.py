"""What holds for every tool: it is in the catalogue, its example works, nonsense is refused."""

import json

import pytest
from contracts.catalogue import Mode, bundled
from studio_tools import registry
from studio_tools.outcomes import Limits
from studio_tools.tool import InputError, Tool, answer

TOOLS = registry.tools()
each_tool = pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS.keys())


def test_at_least_two_tools_of_each_studio_do_real_work() -> None:
    studios = [bundled().tools[tool].studio for tool in TOOLS]
    assert len(studios) >= 8
    assert min(studios.count(studio) for studio in ("dev", "cyber", "data")) >= 2


@each_tool
def test_is_in_the_catalogue_and_runs_on_the_server(tool: Tool) -> None:
    assert bundled().tools[tool.id].mode is not Mode.CLIENT_ONLY


@each_tool
def test_its_example_works_and_gives_the_same_twice(tool: Tool) -> None:
    first = answer(tool, tool.example)
    assert answer(tool, tool.example) == first
    assert isinstance(json.loads(first), dict)


@each_tool
@pytest.mark.parametrize(
    "payload", [b"", b"null", b"[]", b"7", b'"text"', b"{", b"\xff", b"[" * 5000, b'{"x": 1}']
)
def test_nonsense_is_refused_with_a_message(tool: Tool, payload: bytes) -> None:
    with pytest.raises(InputError, match=r"^\S+: .+"):
        answer(tool, payload)


@each_tool
def test_an_unknown_field_is_refused_by_name(tool: Tool) -> None:
    given = json.loads(tool.example) | {"surprise": 1}
    with pytest.raises(InputError, match="surprise"):
        answer(tool, json.dumps(given).encode())


@each_tool
def test_each_field_of_another_type_is_refused_by_name(tool: Tool) -> None:
    example = json.loads(tool.example)
    for field in example:
        with pytest.raises(InputError, match=f"^{field}"):
            answer(tool, json.dumps(example | {field: {"wrong": []}}).encode())


def test_the_tool_that_does_nothing_is_not_for_sale() -> None:
    assert "noop" not in TOOLS
    assert "noop" not in bundled().tools
    assert "noop" in registry.tools_with_noop()


def test_limits_travel_as_they_are() -> None:
    assert Limits(1, 2, 3, 4) == Limits(cpu_ms=1, memory_mb=2, output_kb=3, timeout_ms=4)
