"""Designs an API: from resources and their fields to a valid OpenAPI 3.1 document.

The document has create, read, replace, list and delete per resource as asked, problem details for
errors, cursor pages for lists, and schemas that separate what a caller sends from what it gets.
"""

import re
from typing import Annotated, Literal

from msgspec import Meta

from studio_tools.tool import InputError, Tool, ToolInput, ToolOutput
from studio_tools.tools.shapes import Line, Name, Word

RESOURCES_MAX = 30
FIELDS_MAX = 60

Json = dict[str, object]
FieldType = Literal[
    "string", "integer", "number", "boolean", "date", "datetime", "uuid", "email", "uri"
]
Operation = Literal["list", "create", "read", "replace", "delete"]
ALL_OPERATIONS: tuple[Operation, ...] = ("list", "create", "read", "replace", "delete")
Auth = Literal["none", "bearer", "apiKey"]

_TYPES: dict[FieldType, Json] = {
    "string": {"type": "string"},
    "integer": {"type": "integer", "format": "int64"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "uuid": {"type": "string", "format": "uuid"},
    "email": {"type": "string", "format": "email"},
    "uri": {"type": "string", "format": "uri"},
}
_SCHEMES: dict[Auth, Json] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


class Field(ToolInput, kw_only=True):
    name: Word
    type: FieldType = "string"
    required: bool = True
    read_only: bool = False
    many: bool = False
    description: Line = ""
    choices: Annotated[tuple[Name, ...], Meta(max_length=50)] = ()
    max_length: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    minimum: float | None = None
    maximum: float | None = None


class Resource(ToolInput, kw_only=True):
    name: Word
    plural: Word | None = None
    description: Line = ""
    fields: Annotated[list[Field], Meta(min_length=1, max_length=FIELDS_MAX)]
    operations: Annotated[tuple[Operation, ...], Meta(min_length=1)] = ALL_OPERATIONS


class ApiInput(ToolInput, kw_only=True):
    title: Name
    version: Annotated[str, Meta(pattern=r"^[0-9A-Za-z.+-]{1,30}$")] = "1.0.0"
    description: Line = ""
    server: Annotated[str, Meta(pattern=r"^https?://[^\s{}]{1,200}$")] | None = None
    auth: Auth = "bearer"
    resources: Annotated[list[Resource], Meta(min_length=1, max_length=RESOURCES_MAX)]


class ApiOutput(ToolOutput, kw_only=True):
    openapi: Json
    paths: int
    operations: int
    schemas: int


def run(given: ApiInput) -> ApiOutput:
    _check(given)
    schemas: Json = {"Problem": _PROBLEM}
    paths: dict[str, Json] = {}
    for resource in given.resources:
        name = _pascal(resource.name)
        schemas |= _schemas(name, resource)
        paths |= _paths(name, _collection(resource), resource)
    document: Json = {
        "openapi": "3.1.0",
        "info": _without_empty(
            {"title": given.title, "version": given.version, "description": given.description}
        ),
        "servers": [{"url": given.server or "/"}],
        "tags": [
            _without_empty({"name": _pascal(each.name), "description": each.description})
            for each in given.resources
        ],
        "paths": paths,
        "components": {"schemas": schemas},
    }
    if given.auth != "none":
        document["components"] = {
            "schemas": schemas,
            "securitySchemes": {given.auth: _SCHEMES[given.auth]},
        }
        document["security"] = [{given.auth: []}]
    operations = sum(len(path) - ("parameters" in path) for path in paths.values())
    return ApiOutput(
        openapi=document, paths=len(paths), operations=operations, schemas=len(schemas)
    )


def _check(given: ApiInput) -> None:
    seen: dict[str, str] = {}
    for place, resource in enumerate(given.resources):
        at = f"resources[{place}]"
        for taken in (_pascal(resource.name), "/" + _collection(resource)):
            if taken in seen or taken in ("Problem", "ProblemPage"):
                raise InputError(f"{at}.name", f"{taken} is taken by {seen.get(taken, 'us')}")
            seen[taken] = at
        names: set[str] = set()
        for index, field in enumerate(resource.fields):
            if field.name in names:
                raise InputError(f"{at}.fields[{index}].name", f"{field.name} is there twice")
            names.add(field.name)
            _check_field(f"{at}.fields[{index}]", field)


def _check_field(at: str, field: Field) -> None:
    numeric = field.type in ("integer", "number")
    if not numeric and (field.minimum is not None or field.maximum is not None):
        raise InputError(f"{at}.minimum", f"bounds need an integer or a number, not {field.type}")
    if field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
        raise InputError(f"{at}.minimum", "above maximum")
    if field.type != "string" and (field.choices or field.max_length is not None):
        raise InputError(f"{at}.type", "choices and maxLength need a string")
    if len(set(field.choices)) != len(field.choices):
        raise InputError(f"{at}.choices", "a choice is there twice")


def _schemas(name: str, resource: Resource) -> Json:
    fields = resource.fields
    own_id = any(field.name == "id" for field in fields)
    shown: Json = {} if own_id else {"id": {"type": "string", "format": "uuid", "readOnly": True}}
    shown |= {field.name: _schema(field) for field in fields}
    always = [field.name for field in fields if field.required or field.read_only]
    sent = [field for field in fields if not field.read_only]
    return {
        name: _object(shown, ([] if own_id else ["id"]) + always),
        f"{name}Input": _object(
            {field.name: _schema(field) for field in sent},
            [field.name for field in sent if field.required],
        ),
        f"{name}Page": _object(
            {
                "items": {"type": "array", "items": _ref(name)},
                "nextCursor": {"type": ["string", "null"]},
            },
            ["items", "nextCursor"],
        ),
    }


def _schema(field: Field) -> Json:
    schema: Json = dict(_TYPES[field.type])
    if field.choices:
        schema["enum"] = field.choices
    for key, bound in (
        ("maxLength", field.max_length),
        ("minimum", field.minimum),
        ("maximum", field.maximum),
    ):
        if bound is not None:
            schema[key] = bound
    if field.many:
        schema = {"type": "array", "items": schema}
    if field.description:
        schema["description"] = field.description
    if field.read_only:
        schema["readOnly"] = True
    return schema


def _paths(name: str, collection: str, resource: Resource) -> dict[str, Json]:
    wanted = set(resource.operations)
    whole = {op: _operation(name, op) for op in ("list", "create") if op in wanted}
    one = {op: _operation(name, op) for op in ("read", "replace", "delete") if op in wanted}
    paths: dict[str, Json] = {}
    if whole:
        paths[f"/{collection}"] = {_VERBS[op]: operation for op, operation in whole.items()}
    if one:
        identity = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
        paths[f"/{collection}/{{id}}"] = {
            "parameters": [identity],
            **{_VERBS[op]: operation for op, operation in one.items()},
        }
    return paths


_VERBS = {"list": "get", "create": "post", "read": "get", "replace": "put", "delete": "delete"}
_PAGE_PARAMETERS: list[Json] = [
    {"name": "cursor", "in": "query", "schema": {"type": "string"}},
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    },
]


def _operation(name: str, op: str) -> Json:
    operation: Json = {
        "operationId": f"{op}{name}",
        "summary": f"{op.capitalize()} {name}",
        "tags": [name],
    }
    if op == "list":
        operation["parameters"] = _PAGE_PARAMETERS
    if op in ("create", "replace"):
        operation["requestBody"] = {"required": True, "content": _json(f"{name}Input")}
    shown = f"{name}Page" if op == "list" else name
    good: Json = {"description": "Done"}
    if op != "delete":
        good["content"] = _json(shown)
    responses: Json = {{"create": "201", "delete": "204"}.get(op, "200"): good}
    if op in ("create", "replace"):
        responses["422"] = _problem("The body breaks a rule")
    if op in ("read", "replace", "delete"):
        responses["404"] = _problem("There is none with this id")
    responses["default"] = _problem("Any other error")
    operation["responses"] = responses
    return operation


_PROBLEM: Json = {
    "type": "object",
    "description": "Problem details, RFC 9457",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    "required": ["title", "status"],
}


def _problem(description: str) -> Json:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": _ref("Problem")}},
    }


def _json(schema: str) -> Json:
    return {"application/json": {"schema": _ref(schema)}}


def _ref(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def _object(properties: Json, required: list[str]) -> Json:
    schema: Json = {"type": "object", "properties": properties, "required": required}
    return schema if required else {"type": "object", "properties": properties}


def _without_empty(entries: Json) -> Json:
    return {key: entry for key, entry in entries.items() if entry != ""}


def _words(name: str) -> list[str]:
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)


def _pascal(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in _words(name))


def _collection(resource: Resource) -> str:
    path = "-".join(word.lower() for word in _words(resource.plural or resource.name))
    if resource.plural or path.endswith("s"):
        return path
    if path.endswith("y") and path[-2:-1] not in "aeiou":
        return path[:-1] + "ies"
    return path + ("es" if path.endswith(("x", "ch", "sh", "z")) else "s")


EXAMPLE = b"""{
  "title": "Library", "resources": [
    {"name": "book", "fields": [
      {"name": "title", "maxLength": 200}, {"name": "pages", "type": "integer", "minimum": 1},
      {"name": "genre", "choices": ["novel", "essay"]},
      {"name": "addedAt", "type": "datetime", "readOnly": true}]},
    {"name": "member", "operations": ["list", "create", "read"],
     "fields": [{"name": "email", "type": "email"}]}]}"""

TOOL = Tool("dev-studio-api-designer", ApiInput, run, EXAMPLE)
