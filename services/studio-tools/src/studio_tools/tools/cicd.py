"""Builds a CI pipeline: a GitHub Actions workflow or a GitLab CI file that is valid as it stands.

The stages run in order: checks and tests beside each other, then the build, then the deployment of
the release branch behind an environment.  A job may only read the repository unless it deploys.
"""

from typing import Annotated, Literal

import yaml
from msgspec import Meta

from studio_tools.tool import InputError, Tool, ToolInput, ToolOutput
from studio_tools.tools.shapes import Line, Name

COMMANDS_MAX = 20
JOB_TIMEOUT_MINUTES = 20  # a hung job must not hold a runner for the default of six hours

Json = dict[str, object]
Provider = Literal["github", "gitlab"]
Language = Literal["python", "node", "go", "rust", "java"]
Version = Annotated[str, Meta(pattern=r"^[0-9A-Za-z.]{1,12}$")]
Branch = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._/-]{1,80}$")]
Commands = Annotated[tuple[Line, ...], Meta(max_length=COMMANDS_MAX)]

_SETUP: dict[Language, tuple[str, str, str]] = {  # action, its version input, default version
    "python": ("actions/setup-python@v5", "python-version", "3.12"),
    "node": ("actions/setup-node@v4", "node-version", "22"),
    "go": ("actions/setup-go@v5", "go-version", "1.23"),
    "rust": ("dtolnay/rust-toolchain@stable", "toolchain", "stable"),
    "java": ("actions/setup-java@v4", "java-version", "21"),
}
_IMAGE: dict[Language, str] = {
    "python": "python:{}-slim",
    "node": "node:{}",
    "go": "golang:{}",
    "rust": "rust:{}",
    "java": "maven:3-eclipse-temurin-{}",
}
_COMMANDS: dict[Language, dict[str, list[str]]] = {
    "python": {
        "install": ["python -m pip install -r requirements.txt"],
        "lint": ["python -m pip install ruff", "ruff check ."],
        "test": ["python -m pip install pytest", "pytest"],
        "build": ["python -m pip install build", "python -m build"],
    },
    "node": {
        "install": ["npm ci"],
        "lint": ["npm run lint"],
        "test": ["npm test"],
        "build": ["npm run build"],
    },
    "go": {
        "install": ["go mod download"],
        "lint": ["go vet ./..."],
        "test": ["go test ./..."],
        "build": ["go build ./..."],
    },
    "rust": {
        "install": ["cargo fetch"],
        "lint": ["cargo clippy -- -D warnings"],
        "test": ["cargo test"],
        "build": ["cargo build --release"],
    },
    "java": {
        "install": [],
        "lint": ["mvn -B validate"],
        "test": ["mvn -B test"],
        "build": ["mvn -B package"],
    },
}


class Deployment(ToolInput, kw_only=True):
    environment: Name = "production"
    commands: Annotated[list[Line], Meta(min_length=1, max_length=COMMANDS_MAX)]


class PipelineInput(ToolInput, kw_only=True):
    language: Language
    provider: Provider = "github"
    name: Name = "CI"
    versions: Annotated[tuple[Version, ...], Meta(max_length=6)] = ()
    branch: Branch = "main"
    lint: bool = True
    build: bool = True
    lint_commands: Commands = ()
    test_commands: Commands = ()
    build_commands: Commands = ()
    deploy: Deployment | None = None


class PipelineOutput(ToolOutput, kw_only=True):
    path: str
    yaml: str
    jobs: list[str]


def run(given: PipelineInput) -> PipelineOutput:
    if len(set(given.versions)) != len(given.versions):
        raise InputError("versions", "a version is there twice")
    stages = _stages(given)
    if given.provider == "github":
        path, document = ".github/workflows/ci.yml", _github(given, stages)
    else:
        path, document = ".gitlab-ci.yml", _gitlab(given, stages)
    text = yaml.safe_dump(document, sort_keys=False, width=100, allow_unicode=True)
    return PipelineOutput(path=path, yaml=text, jobs=list(stages))


def _stages(given: PipelineInput) -> dict[str, list[str]]:
    usual = _COMMANDS[given.language]
    install = usual["install"]
    stages: dict[str, list[str]] = {}
    if given.lint:
        stages["lint"] = [*install, *(given.lint_commands or usual["lint"])]
    stages["test"] = [*install, *(given.test_commands or usual["test"])]
    if given.build:
        stages["build"] = [*install, *(given.build_commands or usual["build"])]
    if given.deploy is not None:
        stages["deploy"] = list(given.deploy.commands)
    return stages


def _github(given: PipelineInput, stages: dict[str, list[str]]) -> Json:
    return {
        "name": given.name,
        "on": {"push": {"branches": [given.branch]}, "pull_request": {}},
        "permissions": {"contents": "read"},
        "concurrency": {
            "group": "${{ github.workflow }}-${{ github.ref }}",
            "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
        },
        "jobs": {stage: _github_job(given, stages, stage) for stage in stages},
    }


def _github_job(given: PipelineInput, stages: dict[str, list[str]], stage: str) -> Json:
    action, version_input, default = _SETUP[given.language]
    versions = given.versions or [default]
    job: Json = {"runs-on": "ubuntu-latest", "timeout-minutes": JOB_TIMEOUT_MINUTES}
    version = versions[-1]
    if stage == "test" and len(versions) > 1:
        job["strategy"] = {"fail-fast": False, "matrix": {"version": versions}}
        version = "${{ matrix.version }}"
    if needed := _needs(stages, stage):
        job["needs"] = needed
    if stage == "deploy" and given.deploy is not None:
        job["if"] = f"github.event_name == 'push' && github.ref == 'refs/heads/{given.branch}'"
        job["environment"] = given.deploy.environment
    setup: Json = {version_input: version}
    if given.language == "java":
        setup["distribution"] = "temurin"
    job["steps"] = [
        {"uses": "actions/checkout@v4"},
        {"uses": action, "with": setup},
        *({"run": command} for command in stages[stage]),
    ]
    return job


def _gitlab(given: PipelineInput, stages: dict[str, list[str]]) -> Json:
    default = _SETUP[given.language][2] if given.language != "rust" else "1"
    versions = given.versions or [default]
    order = [each for each in ("check", "build", "deploy") if each in map(_gitlab_stage, stages)]
    document: Json = {
        "workflow": {
            "name": given.name,
            "rules": [
                {"if": "$CI_PIPELINE_SOURCE == 'merge_request_event'"},
                {"if": f"$CI_COMMIT_BRANCH == '{given.branch}'"},
            ],
        },
        "stages": order,
        "default": {
            "image": _IMAGE[given.language].format(versions[-1]),
            "timeout": f"{JOB_TIMEOUT_MINUTES} minutes",
        },
    }
    for stage, commands in stages.items():
        job: Json = {"stage": _gitlab_stage(stage), "script": commands}
        if stage == "test" and len(versions) > 1:
            job["parallel"] = {"matrix": [{"VERSION": versions}]}
            job["image"] = _IMAGE[given.language].format("$VERSION")
        if stage == "deploy" and given.deploy is not None:
            job["environment"] = {"name": given.deploy.environment}
            job["rules"] = [{"if": f"$CI_COMMIT_BRANCH == '{given.branch}'"}]
        document[stage] = job
    return document


def _gitlab_stage(stage: str) -> str:
    return "check" if stage in ("lint", "test") else stage


def _needs(stages: dict[str, list[str]], stage: str) -> list[str]:
    if stage == "build":
        return [each for each in ("lint", "test") if each in stages]
    if stage == "deploy":
        return ["build"] if "build" in stages else [e for e in ("lint", "test") if e in stages]
    return []


EXAMPLE = b"""{"language": "python", "versions": ["3.11", "3.12"],
  "deploy": {"environment": "production", "commands": ["./deploy.sh"]}}"""

TOOL = Tool("dev-studio-cicd", PipelineInput, run, EXAMPLE)
