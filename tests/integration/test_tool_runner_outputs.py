"""What the real runner gives back: valid by the standards' own validators, within milliseconds."""

import json
import time
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator
from studio_tools import registry
from studio_tools.link import ZygoteConfig
from studio_tools.outcomes import Completed, Limits
from studio_tools.runner import ToolRunner

ROOMY = Limits(cpu_ms=5000, memory_mb=512, output_kb=1024, timeout_ms=10_000)
KINDS = ("string", "integer", "number", "boolean", "date", "datetime", "uuid", "email", "uri")
FIELDS: list[dict[str, object]] = [
    *(dict[str, object](name=f"f_{kind}", type=kind) for kind in KINDS),
    {"name": "tags", "many": True, "maxLength": 10, "choices": ["a", "b"]},
    {"name": "age", "type": "integer", "minimum": 0, "maximum": 130, "required": False},
    {"name": "madeAt", "type": "datetime", "readOnly": True, "description": "when"},
]
DEPLOY = {"environment": "live", "commands": ["./deploy.sh --to 'live: now' # {}"]}


@pytest.fixture(scope="module")
async def runner() -> AsyncIterator[ToolRunner]:
    async with ToolRunner(ZygoteConfig(registry.WITH_NOOP)) as runner:
        yield runner


async def _output(runner: ToolRunner, tool: str, **given: object) -> dict[str, Any]:
    outcome = await runner.run(tool, json.dumps(given).encode(), ROOMY)
    assert isinstance(outcome, Completed), outcome
    output: dict[str, Any] = json.loads(outcome.output)
    return output


def _schema(name: str) -> dict[str, Any]:
    vendored = files("check_jsonschema") / "builtin_schemas" / "vendor" / f"{name}.json"
    schema: dict[str, Any] = json.loads(vendored.read_text(encoding="utf-8"))
    return schema


@pytest.mark.parametrize("auth", ["none", "bearer", "apiKey"])
async def test_api_designer_gives_a_valid_openapi_31_document(
    runner: ToolRunner, auth: str
) -> None:
    output = await _output(
        runner,
        "dev-studio-api-designer",
        title="All of it",
        auth=auth,
        resources=[
            {"name": "libraryCity", "fields": FIELDS},
            {"name": "person", "plural": "people", "fields": FIELDS, "operations": ["list"]},
            {"name": "box", "fields": [{"name": "id"}], "operations": ["create", "delete"]},
        ],
    )
    OpenAPIV31SpecValidator(output["openapi"]).validate()
    assert (output["paths"], output["operations"]) == (5, 8)


@pytest.mark.parametrize("language", ["python", "node", "go", "rust", "java"])
async def test_pipelines_are_valid_by_the_schemas_of_github_and_gitlab(
    runner: ToolRunner, language: str
) -> None:
    for versions in ([], ["1.1", "1.2"]):
        given = {"language": language, "versions": versions, "deploy": DEPLOY}
        made = await _output(runner, "dev-studio-cicd", provider="github", **given)
        workflow: dict[object, object] = yaml.safe_load(made["yaml"])
        jsonschema.Draft7Validator(_schema("github-workflows")).validate(
            {str(key): value for key, value in workflow.items()}
        )
        assert "on" in workflow, "quoted, or YAML 1.1 reads it as true"
        made = await _output(runner, "dev-studio-cicd", provider="gitlab", **given)
        jsonschema.Draft7Validator(_schema("gitlab-ci")).validate(yaml.safe_load(made["yaml"]))


async def test_a_validator_does_refuse_what_is_wrong() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(_schema("github-workflows")).validate({"on": "push", "jobs": 1})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(_schema("gitlab-ci")).validate({"stages": 7})
    assert not OpenAPIV31SpecValidator({"openapi": "3.1.0", "paths": {}}).is_valid()


async def test_every_tool_does_its_example_under_the_catalogues_smallest_limits(
    runner: ToolRunner,
) -> None:
    tools = registry.tools_with_noop()
    assert set(runner.ready.tools) == set(tools)
    for tool in tools.values():
        outcome = await runner.run(tool.id, tool.example, ROOMY)
        assert isinstance(outcome, Completed), (tool.id, outcome)
        assert json.loads(outcome.output)
        assert outcome.usage.cpu_ms > 0
        least = Limits(cpu_ms=1000, memory_mb=2, output_kb=64, timeout_ms=5000)
        assert isinstance(await runner.run(tool.id, tool.example, least), Completed), tool.id


async def test_a_run_costs_a_few_milliseconds(runner: ToolRunner) -> None:
    took = []
    for _ in range(30):
        began = time.perf_counter()
        assert isinstance(await runner.run("noop", b"{}", ROOMY), Completed)
        took.append(time.perf_counter() - began)
    assert sorted(took)[15] < 0.05, "a fork, not the start of an interpreter"
