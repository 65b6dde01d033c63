"""The cyber studio's tools, worked by hand."""

import json
from typing import Any

import pytest
from studio_tools.tool import InputError, Tool, answer
from studio_tools.tools import risk_register, security_metrics, threat_modeling


def _run(tool: Tool, given: dict[str, object]) -> dict[str, Any]:
    output: dict[str, Any] = json.loads(answer(tool, json.dumps(given).encode()))
    return output


def _risk(title: str, likelihood: int, impact: int, **more: object) -> dict[str, object]:
    return {"title": title, "likelihood": likelihood, "impact": impact, **more}


def test_register_is_sorted_by_what_is_left_after_controls() -> None:
    output = _run(risk_register.TOOL, {"appetite": 6, "risks": [
        _risk("fire", 1, 5, treatment="transfer", owner="ops"),
        _risk("laptop", 4, 4, controls=[{"name": "encryption", "impactSteps": 3}]),
        _risk("phishing", 5, 4),
    ]})  # fmt: skip
    register = output["register"]
    assert [(r["rank"], r["id"], r["inherent"], r["residual"]) for r in register] == [
        (1, "R003", 20, 20),
        (2, "R001", 5, 5),
        (3, "R002", 16, 4),
    ]
    assert [r["residualBand"] for r in register] == ["critical", "low", "low"]
    assert register[0]["treatment"] == "avoid"
    assert register[0]["treatmentSuggested"] is True
    assert output["totals"]["inherent"] == 41
    assert output["totals"]["residual"] == 29
    assert output["totals"]["reductionPercent"] == 29.3
    assert output["totals"]["aboveAppetite"] == 1
    assert sum(map(sum, output["heatmap"])) == 3
    assert output["heatmap"][3][4] == 1, "impact 4, likelihood 5"
    assert output["attention"] == ["R003: above the appetite and nobody owns it"]


def test_controls_never_take_a_scale_below_one() -> None:
    controls = [{"name": f"c{n}", "likelihoodSteps": 4, "impactSteps": 4} for n in range(3)]
    output = _run(risk_register.TOOL, {"risks": [_risk("x", 5, 5, controls=controls)]})
    assert output["register"][0]["residual"] == 1


def test_a_risk_accepted_above_the_appetite_needs_attention() -> None:
    output = _run(risk_register.TOOL, {"risks": [_risk("x", 3, 3, treatment="accept", owner="a")]})
    assert output["attention"] == ["R001: accepted although 9 is above the appetite"]


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (1, "low"),
        (5, "low"),
        (6, "medium"),
        (11, "medium"),
        (12, "high"),
        (19, "high"),
        (20, "critical"),
    ],
)
def test_bands(score: int, band: str) -> None:
    assert risk_register.band(score) == band


@pytest.mark.parametrize(
    ("risks", "field"),
    [
        ([], "risks"),
        ([_risk("x", 0, 1)], "likelihood"),
        ([_risk("x", 1, 6)], "impact"),
        ([_risk("x", 1, 1, id="A"), _risk("y", 1, 1, id="A")], r"risks\[1\].id"),
        ([_risk("", 1, 1)], "title"),
    ],
)
def test_register_refuses(risks: object, field: str) -> None:
    with pytest.raises(InputError, match=field):
        _run(risk_register.TOOL, {"risks": risks})


MODEL: dict[str, object] = {
    "elements": [
        {"id": "browser", "kind": "external", "zone": "internet"},
        {"id": "api", "kind": "process", "zone": "cloud", "authenticates": True},
        {"id": "db", "kind": "store", "zone": "cloud", "data": ["personal"], "name": 'a "db"'},
    ],
    "flows": [
        {"source": "browser", "target": "api", "label": "sign in", "data": ["credentials"]},
        {"source": "api", "target": "db", "encrypted": True, "authenticated": True},
    ],
}


def test_each_element_has_the_threats_of_its_kind() -> None:
    output = _run(threat_modeling.TOOL, MODEL)
    targets = [threat["target"] for threat in output["threats"]]
    assert len(targets) == 2 + 6 + 4 + 3 + 3
    of_browser = {t["category"] for t in output["threats"] if t["target"] == "browser"}
    assert of_browser == {"spoofing", "repudiation"}
    assert output["boundaryCrossings"] == 1
    assert sum(output["bySeverity"].values()) == sum(output["byCategory"].values()) == 18


def test_what_is_sensitive_and_unprotected_across_a_boundary_is_critical() -> None:
    threats = _run(threat_modeling.TOOL, MODEL)["threats"]
    sign_in = {t["category"]: t for t in threats if t["target"].startswith("sign in")}
    assert sign_in["informationDisclosure"]["severity"] == "critical"
    assert sign_in["informationDisclosure"]["why"] == [
        "credentials data", "crosses a trust boundary", "not encrypted",
    ]  # fmt: skip
    quiet = [t for t in threats if t["target"].startswith("data (api")]
    assert {t["severity"] for t in quiet} == {"low"}
    severities = [threat_modeling.SEVERITIES.index(t["severity"]) for t in threats]
    assert severities == sorted(severities, reverse=True)
    assert [t["id"] for t in threats][:2] == ["T001", "T002"]


def test_diagram_quotes_what_people_typed() -> None:
    diagram = _run(threat_modeling.TOOL, MODEL)["diagram"]
    assert diagram.startswith("flowchart LR")
    assert 'e_db[("a #quot;db#quot;")]' in diagram
    assert 'e_browser -->|"sign in"| e_api' in diagram


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"elements": []}, "elements"),
        ({"elements": [{"id": "a", "kind": "process"}] * 2, "flows": []}, r"elements\[1\].id"),
        ({"flows": [{"source": "api", "target": "nowhere"}]}, r"flows\[0\].target"),
        ({"flows": [{"source": "api", "target": "api"}]}, r"flows\[0\].target"),
        ({"elements": [{"id": "a", "kind": "cloud"}], "flows": []}, "kind"),
    ],
)
def test_model_refuses(change: dict[str, object], field: str) -> None:
    with pytest.raises(InputError, match=field):
        _run(threat_modeling.TOOL, MODEL | change)


def _incident(name: str, severity: str, *times: str) -> dict[str, object]:
    fields = ("occurredAt", "detectedAt", "containedAt", "resolvedAt")
    return {"id": name, "severity": severity, **dict(zip(fields, times, strict=False))}


def test_metrics_are_the_spread_of_the_times() -> None:
    day = "2025-02-01T{}:00Z"
    output = _run(security_metrics.TOOL, {
        "asOf": "2025-03-01T00:00:00Z",
        "incidents": [
            _incident("A", "high", *(day.format(t) for t in ("10:00", "10:10", "11:10", "12:10"))),
            _incident("B", "low", *(day.format(t) for t in ("10:00", "10:20", "10:50", "11:20"))),
            _incident("C", "critical", *(day.format(t) for t in ("10:00", "11:00"))),
        ],
        "vulnerabilities": [
            {"id": "V", "severity": "critical", "foundAt": "2025-02-27T00:00:00Z"},
            {"id": "W", "severity": "low", "foundAt": "2025-02-27T00:00:00+01:00",
             "fixedAt": "2025-02-28T00:00:00Z"},
        ],
    })  # fmt: skip
    assert output["timeToDetect"] == {"count": 3, "mean": 30.0, "median": 20.0, "p90": 60.0}
    assert output["timeToContain"] == {"count": 2, "mean": 45.0, "median": 45.0, "p90": 60.0}
    assert output["timeToResolve"]["count"] == 2
    assert output["timeToFix"] == {"count": 1, "mean": 1500.0, "median": 1500.0, "p90": 1500.0}
    assert output["overdue"] == ["C", "V"]
    assert output["incidents"]["openOverdue"] == 1
    assert output["incidents"]["percent"] == 66.7


def test_metrics_of_nothing_are_none() -> None:
    output = _run(security_metrics.TOOL, {"asOf": "2025-03-01T00:00:00Z"})
    assert output["timeToDetect"] == {"count": 0, "mean": None, "median": None, "p90": None}
    assert output["incidents"]["percent"] == 100.0


@pytest.mark.parametrize(
    ("times", "field"),
    [
        (("2025-02-01T10:00:00Z", "2025-02-01T09:00:00Z"), "detectedAt: is before occurredAt"),
        (("2025-02-01T10:00:00Z", "2025-04-01T09:00:00Z"), "detectedAt: is after asOf"),
        (("2025-02-01T10:00:00", "2025-02-01T09:00:00Z"), "occurredAt"),
        (("yesterday", "2025-02-01T09:00:00Z"), "occurredAt"),
    ],
)
def test_metrics_refuse_times_that_cannot_be(times: tuple[str, ...], field: str) -> None:
    with pytest.raises(InputError, match=field):
        _run(security_metrics.TOOL, {
            "asOf": "2025-03-01T00:00:00Z", "incidents": [_incident("A", "low", *times)],
        })  # fmt: skip
