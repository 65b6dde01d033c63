"""One thing that a scan found, and where."""

from typing import Literal

from studio_tools.tool import ToolOutput

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")


class Finding(ToolOutput, kw_only=True):
    """`evidence` never holds a secret; `line` counts from 1."""

    rule: str
    severity: Severity
    path: str
    line: int
    message: str
    evidence: str
    fix: str
