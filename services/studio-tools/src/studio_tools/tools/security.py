"""Scans source text for secrets and risky calls: each finding with its rule, place and remedy.

Nothing is fetched and nothing is run.  A line that holds a secret is never quoted.
"""

from typing import Annotated

from msgspec import Meta

from studio_tools.tool import InputError, Tool, ToolInput, ToolOutput
from studio_tools.tools.finding import SEVERITIES, Finding, Severity
from studio_tools.tools.risky_calls import UnreadableError, line_calls, python_calls
from studio_tools.tools.secret_scan import secrets

FILES_MAX = 100
FINDINGS_MAX = 500  # a report nobody reads to its end helps nobody

Path = Annotated[str, Meta(min_length=1, max_length=200)]


class Source(ToolInput, kw_only=True):
    path: Path
    content: str


class ScanInput(ToolInput, kw_only=True):
    files: Annotated[list[Source], Meta(min_length=1, max_length=FILES_MAX)]
    minimum_severity: Severity = "low"


class ScanOutput(ToolOutput, kw_only=True):
    findings: list[Finding]
    by_severity: dict[Severity, int]
    by_rule: dict[str, int]
    files: int
    lines: int
    not_read: list[str]
    truncated: bool


def run(given: ScanInput) -> ScanOutput:
    seen: set[str] = set()
    found: list[Finding] = []
    not_read: list[str] = []
    for place, source in enumerate(given.files):
        if source.path in seen:
            raise InputError(f"files[{place}].path", f"{source.path} is there twice")
        seen.add(source.path)
        found += _scan(source, not_read)
    shown = SEVERITIES[: SEVERITIES.index(given.minimum_severity) + 1]
    found = [each for each in found if each.severity in shown]
    found.sort(key=lambda each: (SEVERITIES.index(each.severity), each.path, each.line, each.rule))
    return ScanOutput(
        findings=found[:FINDINGS_MAX],
        by_severity={name: sum(each.severity == name for each in found) for name in SEVERITIES},
        by_rule={
            rule: sum(each.rule == rule for each in found)
            for rule in sorted({each.rule for each in found})
        },
        files=len(given.files),
        lines=sum(len(source.content.splitlines()) for source in given.files),
        not_read=not_read,
        truncated=len(found) > FINDINGS_MAX,
    )


def _scan(source: Source, not_read: list[str]) -> list[Finding]:
    found = list(secrets(source.path, source.content))
    secret_lines = {each.line for each in found}
    calls: list[Finding] = []
    if source.path.endswith((".py", ".pyi")):
        try:
            calls = list(python_calls(source.path, source.content))
        except UnreadableError as wrong:
            not_read.append(f"{source.path}: not valid Python, {wrong}")
    else:
        calls = list(line_calls(source.path, source.content))
    for call in calls:
        if call.line in secret_lines:
            call.evidence = "(not shown: the line holds a secret)"
    return found + calls


EXAMPLE = b"""{"files": [
  {"path": "app.py", "content": "import subprocess as sp\\npassword = 'hV7-pQ2x_Kd91z'\\n\
sp.run(command, shell=True)\\n"},
  {"path": "page.js", "content": "box.innerHTML = text\\n"}]}"""

TOOL = Tool("dev-studio-security", ScanInput, run, EXAMPLE)
