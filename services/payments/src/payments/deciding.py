"""An operator's decision about what waits in quarantine. The running relay does what follows."""

import getpass
import os

import structlog
from psycopg_pool import ConnectionPool

from payments import seeing
from payments.books import Books, Unknown
from payments.clock import now_ms
from payments.index import Held, Index, Pool
from payments.purchase import Purchase
from payments.settings import from_env

log = structlog.get_logger(__name__)


def held() -> list[Held]:
    """Everything in quarantine."""
    with _pool(from_env().postgres_url) as pool:
        return Index(pool).held()


def decide(name: str, *, release: bool) -> bool:
    """Release or reject; false when there is nothing to decide."""
    url = from_env().postgres_url
    with _pool(url) as pool, Books.open(url) as books:
        decided = (
            _purchase(books, name, release=release)
            or _command(books, name, release=release)
            or Index(pool).settle_webhook(name, again=release)
        )
    log.warning("quarantine_decided", name=name, release=release, decided=decided, by=_operator())
    return decided


def _purchase(books: Books, name: str, *, release: bool) -> bool:
    def rule(purchase: Purchase) -> bool:
        if release:
            return seeing.release(purchase, now_ms())
        return seeing.reject(purchase, _operator())

    try:
        return books.change(name, rule)
    except Unknown:
        return False


def _command(books: Books, name: str, *, release: bool) -> bool:
    try:
        return books.settle_refusal(name, _operator(), again=release)
    except Unknown:
        return False


def _operator() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def _pool(url: str) -> Pool:
    return ConnectionPool(url, min_size=1, max_size=2, timeout=5, open=True)
