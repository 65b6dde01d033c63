"""The OpenAPI document: what FastAPI knows of its routes, and the hot routes it never sees.

Shapes come from the very structs that decode and encode, so that the document cannot drift.
"""

import re
from typing import Any, TypeAlias

import msgspec
from contracts.catalogue import Catalogue
from fastapi import FastAPI
from msgspec import Struct

from gateway import batch, bodies, documented
from gateway.documented import HTML, Documented
from gateway.documentednotices import NOTICES
from gateway.problems import Problem

Components: TypeAlias = dict[str, Any]
_REF = "#/components/schemas/{name}"
_TEXT = {"schema": {"type": "string"}}
_NAME = {"type": "string", "pattern": bodies.NAME}


def document(app: FastAPI, catalogue: Catalogue) -> bytes:
    """The whole document, always the same bytes for the same code."""
    app.openapi_version = "3.1.0"
    found: dict[str, Any] = app.openapi()
    tools = tuple(documented.run(tool.path, tool.title) for tool in catalogue.tools.values())
    routes = (
        *documented.HOT,
        *documented.BEHIND,
        *documented.TEAMS,
        *NOTICES,
        *tools,
    )
    structs: set[type[Struct]] = {Problem, bodies.BatchItem, batch.ItemShown}
    for route in routes:
        structs.update(shape for shape in (route.body, route.answer) if shape is not None)
        structs.update(shape for _, shape in route.also)
    ordered = sorted(structs, key=lambda shape: shape.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    components["BatchBody"]["properties"]["items"]["items"] = _ref(bodies.BatchItem, components)
    for route in routes:
        operation = found["paths"].setdefault(route.path, {}).setdefault(route.method, {})
        operation.update(_operation(route, operation, components))
    found["components"] = {
        "schemas": components,
        "securitySchemes": {
            "key": {"type": "http", "scheme": "bearer", "description": "scrip_<env>_<id>_…"},
            "embed": {"type": "http", "scheme": "bearer", "description": "of /v1/embed-tokens"},
            "session": {"type": "apiKey", "in": "cookie", "name": "scrip_session"},
        },
    }
    plain = msgspec.to_builtins(found, order="sorted")
    return msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n"


def _operation(route: Documented, known: dict[str, Any], components: Components) -> dict[str, Any]:
    responses: dict[str, Any] = {
        str(route.status): _response("Done", route.answer, route.kind, components)
    }
    for status, shape in route.also:
        kind = "application/json" if status < 400 else "application/problem+json"
        text = "Under way" if status < 400 else "Changed meanwhile"
        responses[str(status)] = _response(text, shape, kind, components)
    kind = "application/problem+json"
    responses["default"] = _response("A problem", Problem, kind, components)
    if route.kind == HTML:
        responses[str(route.status)]["content"] = {HTML: _TEXT}
        responses["default"]["content"][HTML] = _TEXT
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary or known.get("summary", ""),
        "responses": responses,
        "security": [{name: []} if name else {} for name in route.security] or [{}],
        "parameters": [*known.get("parameters", _path_parameters(route.path)), *_headers(route)],
    }
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(route.body, components)}},
        }
    return operation


def _operation_id(route: Documented) -> str:
    return f"{route.method}_" + re.sub(r"[^a-z0-9]+", "_", route.path.lower()).strip("_")


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _NAME}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _headers(route: Documented) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if route.needs_key:
        found.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": _NAME})
    if route.path in documented.APPROVABLE:
        found.append(
            {
                "name": "Scrip-Approval",
                "in": "header",
                "required": False,
                "schema": {"type": "string"},
                "description": "The key of a second admin, for amounts that one may not move alone",
            }
        )
    if route.security and not route.path.startswith("/v1/accounts/"):
        found.append({"name": "Scrip-Account", "in": "header", "required": False, "schema": _NAME})
    return found


def _response(
    text: str, shape: type[Struct] | None, kind: str, components: Components
) -> dict[str, Any]:
    if shape is None:
        return {"description": text}
    return {"description": text, "content": {kind: {"schema": _ref(shape, components)}}}


def _ref(shape: type[Struct], components: Components) -> dict[str, str]:
    """Shapes of one name in two modules are named with their modules."""
    name = shape.__name__
    return {"$ref": _REF.format(name=name if name in components else f"{shape.__module__}.{name}")}
