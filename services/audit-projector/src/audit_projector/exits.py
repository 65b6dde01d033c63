"""Exit codes, and the table from what went wrong to one of them.

0 ok · 1 failure · 2 usage · 3 a verification found a difference · 4 not found · 5 refused
· 6 a dependency is down
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
import typer
from aiokafka.errors import KafkaError
from bus.reader import LogDivergedError
from bus.topics import TopicError
from contracts.codec import UnknownEvent

from audit_projector.auditlog import LogInUse
from audit_projector.chain import ChainBroken
from audit_projector.project import Halted
from audit_projector.schema import NotMigrated
from audit_projector.settings import SettingsError

FAILURE: Final = 1
USAGE: Final = 2
DIFFERENCE: Final = 3
NOT_FOUND: Final = 4
REFUSED: Final = 5
DEPENDENCY: Final = 6

_CODES: Final = (
    (SettingsError, USAGE),
    (ChainBroken, DIFFERENCE),
    (LogDivergedError, DIFFERENCE),
    ((NotMigrated, LogInUse), REFUSED),
    ((Halted, UnknownEvent), FAILURE),
    ((psycopg.OperationalError, KafkaError, TopicError, OSError, TimeoutError), DEPENDENCY),
)


@contextmanager
def explained(program: str) -> Iterator[None]:
    """Say what went wrong in one line on stderr and leave with its code."""
    try:
        yield
    except tuple(_kinds()) as wrong:
        print(f"{program}: {str(wrong) or repr(wrong)}", file=sys.stderr)
        raise typer.Exit(_code(wrong)) from None


def _kinds() -> Iterator[type[BaseException]]:
    for kinds, _ in _CODES:
        yield from kinds if isinstance(kinds, tuple) else (kinds,)


def _code(wrong: BaseException) -> int:
    return next(code for kinds, code in _CODES if isinstance(wrong, kinds))
