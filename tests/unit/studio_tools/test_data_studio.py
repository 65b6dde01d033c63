"""The data studio's tools, worked by hand."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from studio_tools.tool import InputError, Tool, answer
from studio_tools.tools import catalog, graph, lineage, pipelines, quality
from studio_tools.tools.cells import fits, kind


def _run(tool: Tool, asked: dict[str, object]) -> dict[str, Any]:
    output: dict[str, Any] = json.loads(answer(tool, json.dumps(asked).encode()))
    return output


ROWS: list[dict[str, object]] = [
    {"id": 1, "email": "ada@example.org", "age": 36, "from": "2024-01-05"},
    {"id": 2, "email": "", "age": "41", "from": "2024-02-30x"},
    {"id": 2, "email": "not an address", "age": 417},
    {"id": 4, "email": None, "age": None, "from": "2024-02-11"},
]


@pytest.mark.parametrize(
    ("rule", "checked", "bad"),
    [
        ({"rule": "required", "column": "email"}, 4, [1, 3]),
        ({"rule": "unique", "columns": ["id"]}, 4, [2]),
        ({"rule": "unique", "columns": ["id", "email"]}, 4, []),
        ({"rule": "range", "column": "age", "minimum": 0, "maximum": 130}, 3, [2]),
        ({"rule": "range", "column": "email", "minimum": 0}, 2, [0, 2]),
        ({"rule": "pattern", "column": "email", "regex": "[^@ ]+@[^@ ]+"}, 2, [2]),
        ({"rule": "type", "column": "age", "type": "integer"}, 3, []),
        ({"rule": "type", "column": "from", "type": "date"}, 3, [1]),
        ({"rule": "allowed", "column": "id", "choices": [1, "2", 3]}, 4, [3]),
    ],
)
def test_quality_names_the_rows_that_break_a_rule(
    rule: dict[str, object], checked: int, bad: list[int]
) -> None:
    output = _run(quality.TOOL, {"rows": ROWS, "rules": [rule]})
    found = output["rules"][0]
    assert (found["checked"], found["failed"], found["rows"]) == (checked, len(bad), bad)
    assert output["passed"] is (not bad)
    assert output["score"] == round(100 * (checked - len(bad)) / checked, 1)


def test_quality_profiles_each_column() -> None:
    columns = {each["column"]: each for each in _run(quality.TOOL, {"rows": ROWS})["columns"]}
    age = columns["age"]
    assert (age["type"], age["missing"], age["distinct"]) == ("integer", 1, 3)
    assert (age["minimum"], age["maximum"]) == (36.0, 417.0)
    assert age["completePercent"] == 75.0
    assert columns["id"]["mostFrequent"][0] == ["2", 2]
    assert columns["email"]["type"] == "text"


def test_quality_passes_at_the_rate_that_was_agreed() -> None:
    rules = [{"rule": "required", "column": "email"}]
    assert _run(quality.TOOL, {"rows": ROWS, "rules": rules, "passPercent": 50})["passed"] is True
    assert _run(quality.TOOL, {"rows": ROWS, "rules": rules, "passPercent": 51})["passed"] is False


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"rule": "required", "column": "nowhere"}, r"^rules\[0\]: no row has a column nowhere"),
        ({"rule": "pattern", "column": "id", "regex": "("}, r"^rules\[0\].regex: not a regular"),
        ({"rule": "range", "column": "id"}, r"^rules\[0\].minimum: give"),
        ({"rule": "beautiful", "column": "id"}, "rules"),
        ({"rule": "unique", "columns": []}, r"rules\[0\].columns|rules\[...\].columns"),
    ],
)
def test_quality_refuses(rule: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _run(quality.TOOL, {"rows": ROWS, "rules": [rule]})


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (1, "integer"), (1.0, "integer"), (1.5, "number"), ("1e3", "number"), ("-7", "integer"),
        (True, "boolean"), ("yes", "boolean"), ("2024-02-29", "date"), ("2024-13-01", "text"),
        ("2024-02-29T10:00:00Z", "datetime"), ("abc", "text"), (" 12 ", "integer"),
    ],
)  # fmt: skip
def test_a_cell_is_of_the_narrowest_kind(cell: str | float, expected: str) -> None:
    assert kind(cell) == expected
    assert fits(cell, "text")


def test_catalog_finds_types_keys_personal_data_and_relations() -> None:
    output = _run(catalog.TOOL, {"datasets": [
        {"name": "people", "owner": "crm", "rows": [
            {"id": 1, "contact": "ada@example.org", "card": "4111 1111 1111 1111", "n": "x"},
            {"id": 2, "contact": "bob@example.org", "card": "5500-0000-0000-0004", "n": "x"},
        ]},
        {"name": "orders", "description": "all", "rows": [
            {"id": "A1", "personId": 1, "total": 1.5}, {"id": "A2", "personId": 2, "total": 3},
            {"id": "A3", "peopleId": 1}, {"id": "A4", "peopleId": 2},
        ]},
    ]})  # fmt: skip
    people, orders = output["datasets"]
    columns = {each["name"]: each for each in people["columns"]}
    assert people["keys"] == ["id", "contact", "card"]
    assert people["personalColumns"] == ["contact", "card"]
    assert columns["contact"]["personal"] == "email"
    assert columns["card"]["personal"] == "card"
    assert people["missing"] == ["description"]
    assert "ada@example.org" not in json.dumps(output)
    assert "4111" not in json.dumps(output)
    assert {c["name"]: c["type"] for c in orders["columns"]}["total"] == "number"
    assert {c["name"]: c["nullable"] for c in orders["columns"]}["total"] is True
    assert output["relations"] == [
        {"source": "orders", "sourceColumn": "peopleId", "target": "people", "targetColumn": "id"}
    ]


@pytest.mark.parametrize(
    ("text", "valid"), [("4111111111111111", True), ("4111111111111112", False)]
)
def test_card_check_digit(text: str, valid: bool) -> None:
    assert catalog.luhn(text) is valid


def test_catalog_refuses() -> None:
    with pytest.raises(InputError, match=r"datasets\[1\].name"):
        _run(catalog.TOOL, {"datasets": [{"name": "a", "rows": [{"x": 1}]}] * 2})
    with pytest.raises(InputError, match=r"datasets\[0\].rows"):
        _run(catalog.TOOL, {"datasets": [{"name": "a", "rows": [{}]}]})


STEPS: list[dict[str, object]] = [
    {"id": "sink", "kind": "sink", "needs": ["join"], "minutes": 3},
    {"id": "join", "needs": ["orders", "people"], "minutes": 10, "retries": 1, "idempotent": False},
    {"id": "orders", "kind": "source", "minutes": 5},
    {"id": "people", "kind": "source", "minutes": 1},
]


def test_pipeline_is_planned() -> None:
    output = _run(pipelines.TOOL, {"steps": STEPS, "workers": 1})
    assert output["stages"] == [["orders", "people"], ["join"], ["sink"]]
    assert output["order"] == ["orders", "people", "join", "sink"]
    assert output["criticalPath"] == ["orders", "join", "sink"]
    assert (output["minutes"], output["minutesOneByOne"]) == (18, 19)
    slack = {step["id"]: step["slackMinutes"] for step in output["steps"]}
    assert slack == {"orders": 0, "people": 4, "join": 0, "sink": 0}
    assert output["warnings"] == [
        "join: is retried although it must not run twice",
        "no check: bad rows reach the sinks unseen",
        "2 steps could run at once, there are 1 workers",
    ]
    assert "s_orders --> s_join" in output["diagram"]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "steps"),
        (
            [{"id": "a", "needs": ["b"]}, {"id": "b", "needs": ["a"]}],
            "steps: these need each other",
        ),
        ([{"id": "a", "needs": ["a"]}], "a -> a"),
        ([{"id": "a", "needs": ["z"]}], r"steps\[0\].needs\[0\]: there is no step z"),
        ([{"id": "a", "kind": "source"}] * 2, r"steps\[1\].id"),
        ([{"id": "a", "kind": "sink"}], r"steps\[0\].needs: a sink needs"),
    ],
)
def test_pipeline_refuses(steps: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        _run(pipelines.TOOL, {"steps": steps})


def test_lineage_answers_where_from_and_where_to() -> None:
    output = _run(lineage.TOOL, {
        "edges": [{"source": "crm.people", "target": "raw.people", "via": "copy"}],
        "statements": [{"name": "sales", "sql": (
            "-- from nowhere\nwith fresh as (select * from raw.orders where x = 'from y')\n"
            "insert into mart.sales select * from fresh f join raw.people p on 1 = 1"
        )}, {"sql": "select 1"}],
        "focus": ["mart.sales", "crm.people"],
    })  # fmt: skip
    assert {(e["source"], e["target"]) for e in output["edges"]} == {
        ("crm.people", "raw.people"),
        ("raw.orders", "mart.sales"),
        ("raw.people", "mart.sales"),
    }
    sales, people = output["focus"]
    assert {(r["asset"], r["steps"]) for r in sales["upstream"]} == {
        ("raw.orders", 1), ("raw.people", 1), ("crm.people", 2),
    }  # fmt: skip
    assert [(r["asset"], r["steps"]) for r in people["downstream"]] == [
        ("raw.people", 1), ("mart.sales", 2),
    ]  # fmt: skip
    assert output["sources"] == ["crm.people", "raw.orders"]
    assert output["ends"] == ["mart.sales"]
    assert output["cycle"] == []
    assert output["statementsWithoutLineage"] == ["statements[1]"]


def test_lineage_reports_a_cycle() -> None:
    edges = [{"source": a, "target": b} for a, b in ("xa", "ab", "bc", "ca")]
    circle = _run(lineage.TOOL, {"edges": edges})["cycle"]
    assert circle[0] == circle[-1]
    assert set(circle) == {"a", "b", "c"}
    with pytest.raises(InputError, match=r"focus\[0\]"):
        _run(lineage.TOOL, {"edges": edges, "focus": ["nowhere"]})
    with pytest.raises(InputError, match="edges"):
        _run(lineage.TOOL, {})


_NAMES = st.sampled_from("abcdefg")


@given(st.lists(st.tuples(_NAMES, _NAMES), max_size=20))
def test_a_graph_has_either_layers_for_all_or_a_real_cycle(edges: list[tuple[str, str]]) -> None:
    leads = graph.of_edges(edges)
    placed = [name for layer in graph.layers(leads) for name in layer]
    circle = graph.cycle(leads)
    if circle:
        assert circle[0] == circle[-1]
        assert all(b in leads[a] for a, b in pairwise(circle))
        assert len(placed) < len(leads)
    else:
        assert sorted(placed) == sorted(leads)
        assert all(placed.index(a) < placed.index(b) for a in leads for b in leads[a])
