"""The dev studio's tools, worked by hand."""

import json
from typing import Any

import pytest
import yaml
from studio_tools.tool import InputError, answer
from studio_tools.tools import api_designer, cicd, security

AWS_KEY = "AKIA" + "Q3EGRIT7PLKDM5WX"  # put together so that no scanner takes it for a real one


def _api(**given: object) -> dict[str, Any]:
    given = {"title": "T", "resources": [{"name": "book", "fields": [{"name": "title"}]}]} | given
    output: dict[str, Any] = json.loads(answer(api_designer.TOOL, json.dumps(given).encode()))
    return output


def test_api_takes_every_kind_of_field() -> None:
    kinds = ["string", "integer", "number", "boolean", "date", "datetime", "uuid", "email", "uri"]
    fields: list[dict[str, object]] = [{"name": f"f_{kind}", "type": kind} for kind in kinds]
    fields += [
        {"name": "tags", "many": True, "maxLength": 10, "choices": ["a", "b"]},
        {"name": "age", "type": "integer", "minimum": 0, "maximum": 130, "required": False},
        {"name": "madeAt", "type": "datetime", "readOnly": True},
    ]
    for auth in ("none", "bearer", "apiKey"):
        output = _api(auth=auth, server="https://api.example.org", resources=[
            {"name": "libraryCity", "fields": fields},
        ])  # fmt: skip
        document = output["openapi"]
        assert ("security" in document) == (auth != "none")
    assert set(document["paths"]) == {"/library-cities", "/library-cities/{id}"}
    sent = document["components"]["schemas"]["LibraryCityInput"]
    assert "madeAt" not in sent["properties"]
    assert "age" not in sent["required"]
    assert output["operations"] == 5


def test_api_has_only_the_operations_that_were_asked_for() -> None:
    output = _api(resources=[
        {"name": "box", "operations": ["list", "delete"], "fields": [{"name": "id"}]}
    ])  # fmt: skip
    paths = output["openapi"]["paths"]
    assert set(paths["/boxes"]) == {"get"}
    assert set(paths["/boxes/{id}"]) == {"parameters", "delete"}


@pytest.mark.parametrize(
    ("resources", "field"),
    [
        ([], "resources"),
        (
            [{"name": "a b", "fields": [{"name": "x"}]}],
            r"resources\[0\].name|resources\[...\].name",
        ),
        ([{"name": "a", "fields": [{"name": "x"}, {"name": "x"}]}], r"resources\[0\].fields\[1\]"),
        ([{"name": "a", "fields": [{"name": "x"}]}] * 2, r"resources\[1\].name"),
        ([{"name": "problem", "fields": [{"name": "x"}]}], r"resources\[0\].name"),
        ([{"name": "a", "fields": [{"name": "x", "minimum": 1}]}], "minimum"),
        (
            [
                {
                    "name": "a",
                    "fields": [{"name": "x", "type": "number", "minimum": 2, "maximum": 1}],
                }
            ],
            "above maximum",
        ),
    ],
)
def test_api_refuses_what_cannot_be_built(resources: object, field: str) -> None:
    with pytest.raises(InputError, match=field):
        _api(resources=resources)


def _pipeline(**given: object) -> tuple[dict[str, Any], dict[str, Any]]:
    output = json.loads(answer(cicd.TOOL, json.dumps(given).encode()))
    document = yaml.safe_load(output["yaml"])
    return output, document


LANGUAGES = ("python", "node", "go", "rust", "java")
DEPLOY = {"environment": "live", "commands": ["./deploy.sh --to 'live: now' # {}"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_github_workflow_has_the_jobs_in_order(language: str) -> None:
    output, document = _pipeline(language=language, versions=["1.1", "1.2"], deploy=DEPLOY)
    assert output["path"] == ".github/workflows/ci.yml"
    jobs = document["jobs"]
    assert list(jobs) == output["jobs"] == ["lint", "test", "build", "deploy"]
    assert jobs["test"]["strategy"]["matrix"]["version"] == ["1.1", "1.2"]
    assert jobs["deploy"]["needs"] == ["build"]
    assert jobs["deploy"]["steps"][-1]["run"] == DEPLOY["commands"][0], "quoted as it should be"


@pytest.mark.parametrize("language", LANGUAGES)
def test_gitlab_file_has_the_stages_in_order(language: str) -> None:
    output, document = _pipeline(
        language=language, provider="gitlab", versions=["1.1", "1.2"], deploy=DEPLOY
    )
    assert output["path"] == ".gitlab-ci.yml"
    assert document["stages"] == ["check", "build", "deploy"]
    assert document["deploy"]["script"] == DEPLOY["commands"]


def test_pipeline_without_build_deploys_after_the_checks() -> None:
    _, document = _pipeline(language="go", build=False, lint=False, deploy=DEPLOY)
    assert document["jobs"]["deploy"]["needs"] == ["test"]
    with pytest.raises(InputError, match="versions"):
        _pipeline(language="go", versions=["1", "1"])
    with pytest.raises(InputError, match="language"):
        _pipeline(language="cobol")


def _scan(path: str, content: str, **more: object) -> dict[str, Any]:
    given = {"files": [{"path": path, "content": content}], **more}
    output: dict[str, Any] = json.loads(answer(security.TOOL, json.dumps(given).encode()))
    return output


def _found(path: str, content: str) -> list[tuple[str, int]]:
    return [(each["rule"], each["line"]) for each in _scan(path, content)["findings"]]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (f"key = '{AWS_KEY}'", "aws-access-key"),
        ("t = 'ghp_" + "a1B2" * 9 + "'", "github-token"),
        ("stripe.key = 'sk_live_" + "4eC39HqLyjWD" * 2 + "'", "stripe-key"),
        ("-----BEGIN RSA PRIVATE" + " KEY-----", "private-key"),
        ("url: postgres://app:hunter2222@db.internal/app", "password-in-url"),
        ("password = 'hV7-pQ2x_Kd91z'", "named-secret"),
        ('{"apiKey": "0b5aa1c77f0e4d1c"}', "named-secret"),
    ],
)
def test_a_secret_is_found_and_never_repeated(line: str, rule: str) -> None:
    output = _scan("config.txt", f"first\n{line}\n")
    assert [(each["rule"], each["line"]) for each in output["findings"]] == [(rule, 2)]
    for secret in (AWS_KEY, "a1B2a1B2", "4eC39HqLyjWD", "hunter2222", "hV7-pQ2x", "0b5aa1c77"):
        assert secret not in json.dumps(output)


@pytest.mark.parametrize(
    "line",
    [
        "password = '<your password>'",
        "password = os.environ['PASSWORD']",
        "token = '${TOKEN_FROM_VAULT}'",
        "secret: 'changeme-changeme'",
        "# the password is kept elsewhere",
        "postgres://app:${PASSWORD}@db/app",
    ],
)
def test_what_only_speaks_of_a_secret_is_none(line: str) -> None:
    assert _found("config.txt", line) == []


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("import subprocess as sp\nsp.run(x, shell=True)", "shell-injection"),
        ("from os import system\nsystem(x)", "shell-injection"),
        ("x = 1\neval(x)", "code-execution"),
        ("import pickle\npickle.loads(x)", "unsafe-deserialisation"),
        ("import yaml\nyaml.load(x)", "unsafe-deserialisation"),
        ("import hashlib\nhashlib.md5(x)", "weak-hash"),
        ("import requests\nrequests.get(u, verify=False)", "tls-not-verified"),
        ("x = 1\ncursor.execute(f'select {x}')", "sql-injection"),
        ("x = 1\ncursor.execute('select ' + x)", "sql-injection"),
        ("x = 1\napp.run(debug=True)", "debug-server"),
    ],
)
def test_a_risky_python_call_is_found(code: str, rule: str) -> None:
    assert _found("app.py", code) == [(rule, 2)]


@pytest.mark.parametrize(
    "code",
    [
        "import subprocess\nsubprocess.run(['ls'], shell=False)",
        "import yaml\nyaml.load(x, Loader=yaml.SafeLoader)\nyaml.safe_load(x)",
        "import hashlib\nhashlib.md5(x, usedforsecurity=False)",
        "cursor.execute('select %s', (x,))\ncursor.execute(f'select 1')",
        "'''eval(x) and os.system(x)'''  # eval(x)",
        "self.eval(x)",
    ],
)
def test_a_harmless_python_call_is_not(code: str) -> None:
    assert _found("app.py", code) == []


def test_other_languages_are_read_line_by_line() -> None:
    assert _found("a.js", "x\nbox.innerHTML = text") == [("cross-site-scripting", 2)]
    assert _found("a.go", "tls.Config{InsecureSkipVerify: true}") == [("tls-not-verified", 1)]


def test_python_that_does_not_parse_is_said_not_to_be_read() -> None:
    output = _scan("bad.py", f"def (:\nkey = '{AWS_KEY}'")
    assert output["notRead"] == ["bad.py: not valid Python, line 1"]
    assert output["byRule"] == {"aws-access-key": 1}, "secrets are found all the same"
    deep = _scan("deep.py", "(" * 5000)
    assert deep["notRead"]


def test_findings_are_ordered_counted_and_filtered() -> None:
    text = f"import hashlib\nhashlib.md5(x)\nkey = '{AWS_KEY}'\n"
    output = _scan("a.py", text)
    assert [each["severity"] for each in output["findings"]] == ["critical", "medium"]
    assert output["bySeverity"] == {"critical": 1, "high": 0, "medium": 1, "low": 0}
    assert output["lines"] == 3
    assert len(_scan("a.py", text, minimumSeverity="high")["findings"]) == 1
