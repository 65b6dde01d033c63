"""Finds risky calls in source text: Python by its syntax tree, other languages line by line.

In Python a call is known by what was imported: `import subprocess as sp; sp.run(x, shell=True)`
is found and a comment or a string that only speaks of it is not.
"""

import ast
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from studio_tools.tools.finding import Finding, Severity

EVIDENCE_CHARACTERS_MAX = 80
LINE_CHARACTERS_MAX = 2000


class UnreadableError(ValueError):
    """This Python does not parse; what is in it was not checked."""


@dataclass(frozen=True, slots=True)
class _Risk:
    rule: str
    severity: Severity
    message: str
    fix: str
    when: Callable[[ast.Call], bool] = lambda _call: True


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def _is(call: ast.Call, name: str, wanted: object) -> bool:
    found = _keyword(call, name)
    return isinstance(found, ast.Constant) and found.value is wanted


def _shell(call: ast.Call) -> bool:
    return _is(call, "shell", wanted=True)


def _unverified(call: ast.Call) -> bool:
    return _is(call, "verify", wanted=False)


def _built_sql(call: ast.Call) -> bool:
    """The statement is put together from text: an f-string with values, %, + or format."""
    if not call.args:
        return False
    first = call.args[0]
    if isinstance(first, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in first.values)
    if isinstance(first, ast.BinOp):
        return isinstance(first.op, ast.Mod | ast.Add)
    return (
        isinstance(first, ast.Call)
        and isinstance(first.func, ast.Attribute)
        and first.func.attr == "format"
    )


def _unsafe_yaml(call: ast.Call) -> bool:
    loader = _keyword(call, "Loader") or (call.args[1] if len(call.args) > 1 else None)
    name = loader.attr if isinstance(loader, ast.Attribute) else getattr(loader, "id", "")
    return name not in ("SafeLoader", "CSafeLoader", "BaseLoader")


_CODE = _Risk("code-execution", "critical", "Runs text as code", "Parse the text; never run it")
_SHELL = _Risk(
    "shell-injection", "high", "Goes through a shell", "Give a list of arguments, no shell", _shell
)
_OS = _Risk("shell-injection", "high", "Goes through a shell", "subprocess.run with a list")
_LOAD = _Risk("unsafe-deserialisation", "high", "Loading can run code", "Use JSON")
_YAML = _Risk(
    "unsafe-deserialisation", "high", "Loading can run code", "yaml.safe_load", _unsafe_yaml
)
_HASH = _Risk(
    "weak-hash",
    "medium",
    "A broken hash",
    "SHA-256; for passwords argon2 or scrypt",
    lambda call: not _is(call, "usedforsecurity", wanted=False),
)
_TLS = _Risk(
    "tls-not-verified", "high", "The certificate is not checked", "Leave it on", _unverified
)
_CONTEXT = _Risk("tls-not-verified", "high", "The certificate is not checked", "Default context")
_TEMP = _Risk("race-in-temp-file", "medium", "The name can be taken meanwhile", "mkstemp")
_SQL = _Risk("sql-injection", "high", "A statement built from text", "Use parameters", _built_sql)
_DEBUG = _Risk(
    "debug-server",
    "medium",
    "Debug mode lets anyone run code",
    "Turn debug off outside development",
    lambda call: _is(call, "debug", wanted=True),
)
_CALLS: dict[str, _Risk] = {
    "eval": _CODE, "exec": _CODE, "os.system": _OS, "os.popen": _OS,
    "subprocess.run": _SHELL, "subprocess.call": _SHELL, "subprocess.Popen": _SHELL,
    "subprocess.check_output": _SHELL, "subprocess.check_call": _SHELL,
    "pickle.load": _LOAD, "pickle.loads": _LOAD, "marshal.loads": _LOAD, "shelve.open": _LOAD,
    "yaml.load": _YAML, "yaml.unsafe_load": _LOAD,
    "hashlib.md5": _HASH, "hashlib.sha1": _HASH,
    "requests.get": _TLS, "requests.post": _TLS, "requests.put": _TLS, "requests.request": _TLS,
    "httpx.get": _TLS, "httpx.post": _TLS, "httpx.Client": _TLS, "httpx.AsyncClient": _TLS,
    "ssl._create_unverified_context": _CONTEXT, "tempfile.mktemp": _TEMP,
}  # fmt: skip
_METHODS = {"execute": _SQL, "executemany": _SQL, "executescript": _SQL, "run": _DEBUG}

_LINES: tuple[tuple[re.Pattern[str], _Risk], ...] = (
    (re.compile(r"(?<![\w.])eval\s?\(|\bnew Function\s?\("), _CODE),
    (re.compile(r"\bchild_process\b.{0,40}\bexec(?:Sync)?\s?\("), _OS),
    (re.compile(r"\bRuntime\.getRuntime\(\)\.exec\s?\(|\b(?:shell_exec|passthru)\s?\("), _OS),
    (
        re.compile(r"\.innerHTML\s?=(?!=)|\bdocument\.write\s?\(|\bdangerouslySetInnerHTML\b"),
        _Risk("cross-site-scripting", "high", "Text becomes markup", "Use textContent"),
    ),
    (re.compile(r"\brejectUnauthorized\s?:\s?false|\bInsecureSkipVerify\s?:\s?true"), _CONTEXT),
    (re.compile(r"\b(?:md5|sha1)\.(?:New|Sum)\b|createHash\(['\"](?:md5|sha1)"), _HASH),
)


def python_calls(path: str, text: str) -> Iterator[Finding]:
    """Raises UnreadableError when the text is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the scanned source's style, not ours
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as wrong:
        raise UnreadableError(f"line {getattr(wrong, 'lineno', None) or '?'}") from None
    lines = text.splitlines()
    known = _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (risk := _risk(node, known)) is not None:
            yield _finding(risk, path, node.lineno, lines[node.lineno - 1])


def line_calls(path: str, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern, risk in _LINES:
            if pattern.search(line[:LINE_CHARACTERS_MAX]):
                yield _finding(risk, path, number, line)


def _imported(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for: sp -> subprocess, system -> os.system."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                known[each.asname or each.name.split(".")[0]] = (
                    each.name if each.asname else each.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                known[each.asname or each.name] = f"{node.module}.{each.name}"
    return known


def _risk(call: ast.Call, known: dict[str, str]) -> _Risk | None:
    risk = _CALLS.get(_name(call.func, known))
    if risk is None and isinstance(call.func, ast.Attribute):
        risk = _METHODS.get(call.func.attr)
    return risk if risk is not None and risk.when(call) else None


def _name(function: ast.expr, known: dict[str, str]) -> str:
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if not isinstance(function, ast.Name):
        return ""
    return ".".join([known.get(function.id, function.id), *reversed(parts)])


def _finding(risk: _Risk, path: str, number: int, line: str) -> Finding:
    return Finding(
        rule=risk.rule,
        severity=risk.severity,
        path=path,
        line=number,
        message=risk.message,
        evidence=line.strip()[:EVIDENCE_CHARACTERS_MAX],
        fix=risk.fix,
    )
