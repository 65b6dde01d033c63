"""An account's own API keys: made, listed, rotated and revoked by its owner, over HTTP.

A key is shown once, when it is made. It may do no more than who made it, and never grant. A rotated
key works on for a while beside its successor, so that nothing stops during the change. A team's key
ends when its maker leaves the team; one that a key makes has that key's maker.
"""

import time
from datetime import datetime

from contracts.units import DAY, Ms
from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import Struct

from gateway import bodies, keys
from gateway.asgi import BODY_BYTES_MAX, read_body
from gateway.bodies import decoder
from gateway.guest import Guest, Reception
from gateway.identity import Identity
from gateway.keys import Scope
from gateway.moments import milliseconds, moment
from gateway.principals import not_found
from gateway.problems import failure
from gateway.rates import SETTINGS_READ, SETTINGS_WRITE, Rates
from gateway.web import shown

KEYS_MAX = 50  # usable ones of an account: enough for every program, few enough to look through
OVERLAP_MS = DAY  # unless asked otherwise; time for a deployment
OFFERED = frozenset({Scope.READ, Scope.SPEND, Scope.ADMIN})

_COLUMNS = "id, label, scopes, created_at, expires_at, revoked_at, last_used_at, made_by"
_MAKER = "coalesce((SELECT by.made_by FROM gateway.keys AS by WHERE by.id = %(by)s), %(by)s)"
# Locked, so that who is removed at this very moment, or a key revoked, leaves none behind.
_MAY = """
(EXISTS (SELECT FROM gateway.keys AS by WHERE by.id = %(by)s AND by.revoked_at IS NULL FOR SHARE)
 OR NOT EXISTS (SELECT FROM gateway.keys AS by WHERE by.id = %(by)s)
    AND (NOT %(seated)s OR EXISTS (SELECT FROM identity.members AS m
                                    WHERE m.team = %(account)s AND m.person = %(by)s FOR SHARE)))"""
_LIST = f"""
SELECT {_COLUMNS} FROM gateway.keys WHERE account = %(account)s
 ORDER BY created_at DESC, id LIMIT 1000"""  # noqa: S608 - constants
_MAKE = f"""
INSERT INTO gateway.keys (id, sha256, scopes, account, label, created_at, expires_at, made_by)
SELECT %(id)s, %(sha256)s, %(scopes)s, %(account)s, %(label)s, %(now)s, %(expires)s, {_MAKER}
 WHERE (SELECT count(*) FROM gateway.keys WHERE account = %(account)s AND revoked_at IS NULL
          AND (expires_at IS NULL OR expires_at > %(now)s)) < %(most)s
   AND {_MAY}
RETURNING {_COLUMNS}"""  # noqa: S608 - constants
_ROTATE = f"""
WITH old AS (
  UPDATE gateway.keys SET changed_at = clock_timestamp(),
         expires_at = least(expires_at, %(until)s::bigint)
   WHERE id = %(old)s AND account = %(account)s AND revoked_at IS NULL
     AND (expires_at IS NULL OR expires_at > %(now)s) AND scopes <@ %(own)s::text[]
     AND {_MAY}
  RETURNING scopes, account, label
)
INSERT INTO gateway.keys (id, sha256, scopes, account, label, created_at, made_by)
SELECT %(id)s, %(sha256)s, scopes, account, label, %(now)s, {_MAKER} FROM old
RETURNING {_COLUMNS}"""  # noqa: S608 - constants
_REVOKE = """
UPDATE gateway.keys SET revoked_at = coalesce(revoked_at, %(now)s), changed_at = clock_timestamp()
 WHERE id = %(id)s AND account = %(account)s"""

_make = decoder(bodies.KeyBody)
_rotate = decoder(bodies.RotateBody)


class _Row(Struct):
    id: str
    label: str
    scopes: list[str]
    created_at: Ms
    expires_at: Ms | None
    revoked_at: Ms | None
    last_used_at: Ms | None
    made_by: str | None


class KeyShown(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A key without its secret; `key` is the whole text, there only when it was just made."""

    id: str
    label: str
    scopes: list[str]
    state: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    made_by: str | None = None
    key: str | None = None


class KeysShown(Struct):
    """Newest first."""

    items: list[KeyShown]


class AccountKeys(Struct, frozen=True):
    """Reads and writes of an account's keys."""

    identity: Identity
    env: str

    async def all(self, account: str, now: Ms) -> list[KeyShown]:
        """Every key of the account."""
        rows = await self.identity.rows(_Row, _LIST, {"account": account})
        return [_shown(row, now) for row in rows]

    async def make(self, guest: Guest, asked: bodies.KeyBody) -> KeyShown:
        """A new key; raises 403 for more than the caller may, 409 with too many."""
        wanted = frozenset(asked.scopes)
        if not wanted <= OFFERED or not wanted <= guest.principal.scopes:
            raise failure(403, "scope_missing", "A key may do no more than who makes it.")
        expires = None if asked.expires_at is None else milliseconds(asked.expires_at)
        if expires is not None and expires <= guest.now:
            raise failure(422, "expiry_in_the_past", "expiresAt must lie in the future.")
        key_id, text = keys.make(self.env)
        values = {
            "id": key_id,
            "sha256": keys.sha256(text),
            "scopes": sorted(wanted),
            "account": guest.account,
            "label": asked.label,
            **_by(guest),
            "now": guest.now,
            "expires": expires,
            "most": KEYS_MAX,
        }
        if (row := await self.identity.row(_Row, _MAKE, values)) is None:
            raise failure(409, "too_many_keys", f"Revoke some: {KEYS_MAX} keys are in use.")
        return _shown(row, guest.now, text)

    async def rotate(self, guest: Guest, old: str, overlap_ms: Ms) -> KeyShown:
        """A successor; the old key ends after the overlap. 404 for what is not in use."""
        key_id, text = keys.make(self.env)
        values = {
            "id": key_id,
            "sha256": keys.sha256(text),
            "account": guest.account,
            "old": old,
            **_by(guest),
            "own": sorted(guest.principal.scopes),
            "now": guest.now,
            "until": guest.now + overlap_ms,
        }
        if (row := await self.identity.row(_Row, _ROTATE, values)) is None:
            raise not_found()
        return _shown(row, guest.now, text)

    async def revoke(self, account: str, key_id: str) -> None:
        """End a key everywhere within five seconds; 404 for another's."""
        now = time.time_ns() // 1_000_000
        values = {"id": key_id, "account": account, "now": now}
        if await self.identity.change(_REVOKE, values) != 1:
            raise not_found()


def routes(own: AccountKeys, reception: Reception, rates: Rates) -> APIRouter:
    """The routes under /api/account/keys."""
    router = APIRouter(tags=["account"])

    @router.get("/api/account/keys", summary="Your API keys, without their secrets")
    async def every(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, SETTINGS_READ)
        return guest.with_headers(shown(KeysShown(await own.all(guest.account, guest.now))))

    @router.post("/api/account/keys", summary="Make a key; it is shown this once")
    async def make(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, SETTINGS_WRITE)
        asked: bodies.KeyBody = _make(await read_body(request.receive, BODY_BYTES_MAX))
        return guest.with_headers(shown(await own.make(guest, asked), status=201))

    @router.post("/api/account/keys/{key}/rotate", summary="A successor, and a while for both")
    async def rotate(request: Request, key: str) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, SETTINGS_WRITE)
        raw = await read_body(request.receive, BODY_BYTES_MAX)
        asked: bodies.RotateBody = _rotate(raw or b"{}")
        overlap = OVERLAP_MS if asked.overlap_ms is None else asked.overlap_ms
        made = await own.rotate(guest, bodies.name_or_404(key), overlap)
        return guest.with_headers(shown(made, status=201))

    @router.delete("/api/account/keys/{key}", summary="Revoke a key")
    async def revoke(request: Request, key: str) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, SETTINGS_WRITE)
        await own.revoke(guest.account, bodies.name_or_404(key))
        return guest.with_headers(Response(status_code=204))

    return router


def _by(guest: Guest) -> dict[str, object]:
    principal = guest.principal
    return {"by": principal.actor.id, "seated": principal.member is not None}


def _shown(row: _Row, now: Ms, text: str | None = None) -> KeyShown:
    over = row.expires_at is not None and row.expires_at <= now
    return KeyShown(
        id=row.id,
        label=row.label,
        scopes=row.scopes,
        state="revoked" if row.revoked_at is not None else "expired" if over else "usable",
        created_at=moment(row.created_at),
        expires_at=None if row.expires_at is None else moment(row.expires_at),
        revoked_at=None if row.revoked_at is None else moment(row.revoked_at),
        last_used_at=None if row.last_used_at is None else moment(row.last_used_at),
        made_by=row.made_by,
        key=text,
    )
