"""Models threats: STRIDE for each element of a data-flow diagram, most severe first.

Which kinds of threat an element has follows from its kind (Shostack's table); how severe they are
follows from what crosses a trust boundary, unprotected, and how sensitive it is.
"""

from typing import Annotated, Literal

from msgspec import Meta

from studio_tools.tool import InputError, Tool, ToolInput, ToolOutput
from studio_tools.tools.shapes import Name, Word, mermaid_text

ELEMENTS_MAX = 80
FLOWS_MAX = 200

Kind = Literal["external", "process", "store"]
Data = Literal["public", "internal", "personal", "payment", "credentials"]
Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")
Category = Literal[
    "spoofing",
    "tampering",
    "repudiation",
    "informationDisclosure",
    "denialOfService",
    "elevationOfPrivilege",
]
_WEIGHT: dict[Data, int] = {
    "public": 0, "internal": 1, "personal": 2, "payment": 2, "credentials": 2,
}  # fmt: skip
_OF_KIND: dict[Kind, tuple[Category, ...]] = {
    "external": ("spoofing", "repudiation"),
    "process": (
        "spoofing",
        "tampering",
        "repudiation",
        "informationDisclosure",
        "denialOfService",
        "elevationOfPrivilege",
    ),
    "store": ("tampering", "repudiation", "informationDisclosure", "denialOfService"),
}
_OF_FLOW: tuple[Category, ...] = ("tampering", "informationDisclosure", "denialOfService")
_TEXT: dict[Category, tuple[str, str]] = {
    "spoofing": (
        "Somebody else pretends to be {}",
        "Authenticate each request; prefer keys or certificates to passwords",
    ),
    "tampering": (
        "What {} holds or carries is changed on the way",
        "Check integrity: signatures, TLS, constraints, least write access",
    ),
    "repudiation": (
        "What was done through {} is denied afterwards",
        "Keep an append-only audit log with who, what and when",
    ),
    "informationDisclosure": (
        "What {} holds or carries is read by those who must not",
        "Encrypt in transit and at rest; give the least read access",
    ),
    "denialOfService": (
        "{} is kept from doing its work",
        "Limit rates and sizes, set timeouts, shed load early",
    ),
    "elevationOfPrivilege": (
        "Somebody gets rights in {} that were never given",
        "Authorise each action, run with the least privilege, validate all input",
    ),
}


class Element(ToolInput, kw_only=True):
    id: Word
    kind: Kind
    name: Name | None = None
    zone: Name = "default"
    data: tuple[Data, ...] = ()
    authenticates: bool = False
    audited: bool = False
    encrypted: bool = False


class Flow(ToolInput, kw_only=True):
    source: Word
    target: Word
    label: Name = "data"
    data: tuple[Data, ...] = ()
    encrypted: bool = False
    authenticated: bool = False


class ModelInput(ToolInput, kw_only=True):
    elements: Annotated[list[Element], Meta(min_length=1, max_length=ELEMENTS_MAX)]
    flows: Annotated[tuple[Flow, ...], Meta(max_length=FLOWS_MAX)] = ()


class Threat(ToolOutput, kw_only=True):
    id: str
    target: str
    category: Category
    severity: Severity
    description: str
    why: list[str]
    mitigation: str


class ModelOutput(ToolOutput, kw_only=True):
    threats: list[Threat]
    by_severity: dict[Severity, int]
    by_category: dict[str, int]
    boundary_crossings: int
    diagram: str


def run(given: ModelInput) -> ModelOutput:
    zones = _zones(given)
    crossing = [flow for flow in given.flows if zones[flow.source] != zones[flow.target]]
    threats: list[Threat] = []
    for element in given.elements:
        exposed = [flow for flow in crossing if element.id in (flow.source, flow.target)]
        threats += [_of_element(element, each, exposed) for each in _OF_KIND[element.kind]]
    for flow in given.flows:
        threats += [_of_flow(flow, each, crosses=flow in crossing) for each in _OF_FLOW]
    threats.sort(key=lambda threat: -SEVERITIES.index(threat.severity))
    for place, threat in enumerate(threats, start=1):
        threat.id = f"T{place:03d}"
    return ModelOutput(
        threats=threats,
        by_severity={name: sum(t.severity == name for t in threats) for name in SEVERITIES},
        by_category={name: sum(t.category == name for t in threats) for name in _TEXT},
        boundary_crossings=len(crossing),
        diagram=_diagram(given),
    )


def _zones(given: ModelInput) -> dict[str, str]:
    zones: dict[str, str] = {}
    for place, element in enumerate(given.elements):
        if element.id in zones:
            raise InputError(f"elements[{place}].id", f"{element.id} is there twice")
        zones[element.id] = element.zone
    for place, flow in enumerate(given.flows):
        for end, name in (("source", flow.source), ("target", flow.target)):
            if name not in zones:
                raise InputError(f"flows[{place}].{end}", f"there is no element {name}")
        if flow.source == flow.target:
            raise InputError(f"flows[{place}].target", "a flow must lead somewhere else")
    return zones


def _of_element(element: Element, category: Category, exposed: list[Flow]) -> Threat:
    why: list[str] = []
    score = _sensitivity(element.data, why)
    if exposed:
        score += 1
        why.append(f"{len(exposed)} flow(s) cross a trust boundary here")
    if category == "spoofing" and not element.authenticates:
        score += 1
        why.append("nothing is said about authentication")
    if category == "repudiation" and not element.audited:
        score += 1
        why.append("nothing is audited")
    if category == "elevationOfPrivilege" and any(not flow.authenticated for flow in exposed):
        score += 1
        why.append("reached from another zone without authentication")
    if element.kind == "store" and category == "informationDisclosure" and not element.encrypted:
        score += 1
        why.append("not encrypted at rest")
    return _threat(element.name or element.id, category, score, why)


def _of_flow(flow: Flow, category: Category, *, crosses: bool) -> Threat:
    why: list[str] = []
    score = _sensitivity(flow.data, why)
    if crosses:
        score += 1
        why.append("crosses a trust boundary")
    if category != "denialOfService" and not flow.encrypted:
        score += 1
        why.append("not encrypted")
    if category == "tampering" and not flow.authenticated:
        score += 1
        why.append("not authenticated")
    return _threat(f"{flow.label} ({flow.source} to {flow.target})", category, score, why)


def _sensitivity(data: tuple[Data, ...], why: list[str]) -> int:
    if not data:
        return 0
    worst = max(data, key=lambda kind: _WEIGHT[kind])
    if _WEIGHT[worst] > 0:
        why.append(f"{worst} data")
    return _WEIGHT[worst]


def _threat(target: str, category: Category, score: int, why: list[str]) -> Threat:
    description, mitigation = _TEXT[category]
    return Threat(
        id="",
        target=target,
        category=category,
        severity=SEVERITIES[min(score, len(SEVERITIES) - 1)],
        description=description.format(target),
        why=why,
        mitigation=mitigation,
    )


_SHAPES: dict[Kind, tuple[str, str]] = {
    "external": ("[", "]"), "process": ("((", "))"), "store": ("[(", ")]"),
}  # fmt: skip


def _diagram(given: ModelInput) -> str:
    lines = ["flowchart LR"]
    zones = sorted({element.zone for element in given.elements})
    for number, zone in enumerate(zones):
        lines.append(f'  subgraph zone{number}["{mermaid_text(zone)}"]')
        for element in given.elements:
            if element.zone == zone:
                left, right = _SHAPES[element.kind]
                text = mermaid_text(element.name or element.id)
                lines.append(f'    e_{element.id}{left}"{text}"{right}')
        lines.append("  end")
    lines += [
        f'  e_{flow.source} -->|"{mermaid_text(flow.label)}"| e_{flow.target}'
        for flow in given.flows
    ]
    return "\n".join(lines)


EXAMPLE = b"""{"elements": [
  {"id": "browser", "kind": "external", "zone": "internet"},
  {"id": "api", "kind": "process", "zone": "cloud", "authenticates": true},
  {"id": "db", "kind": "store", "zone": "cloud", "data": ["personal"]}],
 "flows": [{"source": "browser", "target": "api", "label": "sign in", "data": ["credentials"]},
  {"source": "api", "target": "db", "encrypted": true, "authenticated": true}]}"""

TOOL = Tool("cyber-studio-threat-modeling", ModelInput, run, EXAMPLE)
