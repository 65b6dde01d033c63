"""Finds secrets in source text, line by line: known key formats first, then by name and entropy.

A secret is never repeated: evidence shows its first characters and its length.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from studio_tools.tools.finding import Finding, Severity

LINE_CHARACTERS_MAX = 2000  # of a longer line (minified code) only this much is read
ENTROPY_MIN = 3.5  # bits per character; English words stay below, random base64 is above
NAMED_SECRET_CHARACTERS_MIN = 8
SHOWN_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class _Format:
    rule: str
    severity: Severity
    pattern: re.Pattern[str]
    message: str


_FORMATS = (
    _Format("aws-access-key", "critical", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "AWS key"),
    _Format(
        "github-token",
        "critical",
        re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{60,100})\b"),
        "GitHub token",
    ),
    _Format(
        "stripe-key", "critical", re.compile(r"\b[sr]k_live_[0-9A-Za-z]{16,99}\b"), "Stripe key"
    ),
    _Format(
        "slack-token", "high", re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{10,80}\b"), "Slack token"
    ),
    _Format("google-api-key", "high", re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"), "Google API key"),
    _Format(
        "private-key",
        "critical",
        re.compile(r"-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY-----"),
        "private key",
    ),
    _Format(
        "json-web-token",
        "high",
        re.compile(r"\beyJ[A-Za-z0-9_-]{10,500}\.eyJ[A-Za-z0-9_-]{10,1000}\.[A-Za-z0-9_-]{10,500}"),
        "JSON Web Token",
    ),
    _Format(
        "password-in-url",
        "high",
        re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"']{1,60}:([^\s/@\"'${}]{3,80})@"),
        "password in a URL",
    ),
)
_NAMED = re.compile(
    r"(?i)[\w.-]{0,40}(?:passw(?:or)?d|secret|token|api[_-]?key|private[_-]?key)[\w.-]{0,40}"
    r"[\"']?\s{0,5}(?::|=>?|:=)\s{0,5}[\"']([^\"'\s]{8,200})[\"']"
)
_PLACEHOLDER = re.compile(
    r"(?i)^(?:\$\{.*|\{\{.*|<.*>|.*(?:example|change_?me|placeholder|your[-_]|dummy|xxxx|\.\.\.).*)$"
)


def secrets(path: str, text: str) -> Iterator[Finding]:
    for number, whole in enumerate(text.splitlines(), start=1):
        line = whole[:LINE_CHARACTERS_MAX]
        known = list(_known(path, number, line))
        yield from known
        if not known:
            yield from _named(path, number, line)


def _known(path: str, number: int, line: str) -> Iterator[Finding]:
    for known in _FORMATS:
        for match in known.pattern.finditer(line):
            secret = match.group(match.lastindex or 0)
            yield Finding(
                rule=known.rule,
                severity=known.severity,
                path=path,
                line=number,
                message=f"A {known.message} stands in the source",
                evidence=redacted(secret),
                fix="Revoke it, and read the new one from the environment or a secret store",
            )


def _named(path: str, number: int, line: str) -> Iterator[Finding]:
    for match in _NAMED.finditer(line):
        secret = match.group(1)
        if _PLACEHOLDER.match(secret) or len(set(secret)) < NAMED_SECRET_CHARACTERS_MIN // 2:
            continue
        random = entropy(secret) >= ENTROPY_MIN
        yield Finding(
            rule="named-secret",
            severity="high" if random else "medium",
            path=path,
            line=number,
            message="A name that promises a secret is given a literal value",
            evidence=redacted(secret),
            fix="Read it from the environment or a secret store",
        )


def entropy(text: str) -> float:
    """Shannon's, in bits per character."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())


def redacted(secret: str) -> str:
    shown = secret[:SHOWN_CHARACTERS] if len(secret) > 2 * SHOWN_CHARACTERS else ""
    return f"{shown}... ({len(secret)} characters)"
