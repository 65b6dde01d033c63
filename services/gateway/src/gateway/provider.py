"""An OpenID provider: what it says of itself, its keys, and what it says of who comes from it.

Nothing of a token is believed before its signature by one of the provider's keys, in the one
algorithm of the settings, and before issuer, audience, times and nonce fit. Keys are kept and
read again when a token names one that is not known.
"""

import time
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

import httpx
import msgspec
import structlog
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet
from msgspec import Struct, field

from gateway.departures import Departure
from gateway.problems import RETRY_SOON_S, ProblemError, failure
from gateway.settings import OpenId

log = structlog.get_logger(__name__)

WITHIN_S = 5.0  # of each request to the provider; a person waits for it
ANSWER_BYTES_MAX = 256 << 10  # a hundred times what providers send
DOCUMENT_KEPT_S = 3_600.0  # endpoints move rarely, and then both serve for a while
KEYS_AGAIN_S = 2.0  # tokens with invented key ids make us ask no faster
LEEWAY_S = 30  # between the provider's clock and ours
SUBJECT_LENGTH_MAX = 255  # of OpenID Connect Core, section 2
_SIGNING = ("RSA", "EC", "OKP")  # a shared secret is nobody's signature


class Document(Struct):
    """What a provider publishes about itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    id_token_signing_alg_values_supported: list[str] = field(default_factory=list)
    token_endpoint_auth_methods_supported: list[str] = field(
        default_factory=lambda: ["client_secret_basic"]
    )


class Stranger(Struct, frozen=True):
    """Who comes, in the provider's words; `email` only where it was verified there."""

    issuer: str
    subject: str
    email: str | None


class _KeySet(Struct):
    keys: list[dict[str, object]]


class _Granted(Struct):
    id_token: str
    access_token: str = ""


class _Claims(Struct):
    sub: str
    email: str = ""
    email_verified: object = None


class Provider:
    """One provider. `back`: where it sends people; `plain`: it may be reached without TLS."""

    def __init__(self, known: OpenId, back: str, *, plain: bool) -> None:
        self.known = known
        self._back = back
        self._plain = plain
        self._document: tuple[Document, float] | None = None
        self._keys: KeySet = KeySet([])
        self._keys_at = float("-inf")
        self._client = httpx.AsyncClient(timeout=WITHIN_S, trust_env=False)

    async def way(self, departure: Departure) -> str:
        """Where to send somebody who wants to come from there; raises 503."""
        document = await self._said()
        challenge = create_s256_code_challenge(departure.verifier)  # type: ignore[no-untyped-call]
        return str(
            prepare_grant_uri(
                document.authorization_endpoint,
                client_id=self.known.client_id,
                response_type="code",
                redirect_uri=self._back,
                scope="openid email",
                state=departure.state,
                nonce=departure.nonce,
                code_challenge=challenge,
                code_challenge_method="S256",
            )
        )

    async def who(self, code: str, departure: Departure) -> Stranger:
        """Who came back with this code; raises 403 for what cannot be believed, 503."""
        granted = await self._granted(code, departure)
        token = await self._signed(granted.id_token)
        known = self.known
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": known.issuer},
                "aud": {"essential": True, "value": known.client_id},
            },
            params={
                "nonce": departure.nonce,
                "client_id": known.client_id,
                "access_token": granted.access_token,
            },
        )
        try:
            claims.validate(now=int(time.time()), leeway=LEEWAY_S)
            found = msgspec.convert(dict(claims), _Claims)
        except (JoseError, msgspec.ValidationError) as why:
            raise _unbelievable(repr(why)) from None
        if not 0 < len(found.sub) <= SUBJECT_LENGTH_MAX:
            raise _unbelievable("no subject")
        email = found.email if found.email_verified is True else None
        return Stranger(known.issuer, found.sub, email or None)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _said(self) -> Document:
        now = time.monotonic()
        if self._document is not None and now - self._document[1] < DOCUMENT_KEPT_S:
            return self._document[0]
        known = self.known
        _, raw = await self._asked("GET", get_well_known_url(known.issuer, external=True))
        try:
            document = msgspec.json.decode(raw, type=Document)
        except msgspec.DecodeError as why:
            raise _away(repr(why)) from None
        places = (document.authorization_endpoint, document.token_endpoint, document.jwks_uri)
        named = document.id_token_signing_alg_values_supported
        if document.issuer != known.issuer:
            raise _away("the document names another issuer")
        if not all(self._may_be_asked(place) for place in places):
            raise _away("the document names an endpoint without TLS")
        if named and known.algorithm not in named:
            raise _away(f"the provider does not sign by {known.algorithm}")
        self._document = (document, now)
        return document

    def _may_be_asked(self, url: str) -> bool:
        parts = urlsplit(url)
        return bool(parts.netloc) and parts.scheme in (
            {"https", "http"} if self._plain else {"https"}
        )

    async def _granted(self, code: str, departure: Departure) -> _Granted:
        document, known = await self._said(), self.known
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back,
            "code_verifier": departure.verifier,
        }
        auth = None
        if "client_secret_basic" in document.token_endpoint_auth_methods_supported:
            names = (quote(known.client_id, safe=""), quote(known.client_secret, safe=""))
            auth = httpx.BasicAuth(*names)  # percent-encoded first: RFC 6749, section 2.3.1
        else:
            form |= {"client_id": known.client_id, "client_secret": known.client_secret}
        status, raw = await self._asked("POST", document.token_endpoint, form, auth)
        if status != 200:
            raise _unbelievable(f"the code was answered by {status}")
        try:
            return msgspec.json.decode(raw, type=_Granted)
        except msgspec.DecodeError as why:
            raise _unbelievable(repr(why)) from None

    async def _signed(self, text: str) -> jwt.Token:
        """A token whose signature holds, by a key that may have been made a moment ago."""
        for last in (False, True):
            try:
                return jwt.decode(text, self._keys, algorithms=[self.known.algorithm])
            except InvalidKeyIdError as why:
                if last or time.monotonic() - self._keys_at < KEYS_AGAIN_S:
                    raise _unbelievable(repr(why)) from None
                await self._read_keys()
            except (JoseError, ValueError) as why:
                raise _unbelievable(repr(why)) from None
        raise AssertionError("the second look returns or raises")

    async def _read_keys(self) -> None:
        document = await self._said()
        _, raw = await self._asked("GET", document.jwks_uri)
        try:
            listed = msgspec.json.decode(raw, type=_KeySet).keys
            signing = [key for key in listed if key.get("kty") in _SIGNING]
            keys = [JWKRegistry.import_key(key) for key in signing]  # type: ignore[arg-type]
        except (msgspec.DecodeError, JoseError, ValueError) as why:
            raise _away(repr(why)) from None
        self._keys, self._keys_at = KeySet(keys), time.monotonic()

    async def _asked(
        self,
        method: str,
        url: str,
        form: Mapping[str, str] | None = None,
        auth: httpx.BasicAuth | None = None,
    ) -> tuple[int, bytes]:
        body = bytearray()
        try:
            async with self._client.stream(method, url, data=form, auth=auth) as answer:
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > ANSWER_BYTES_MAX:
                        raise _away("the answer is too long")
        except (httpx.HTTPError, httpx.InvalidURL) as why:
            raise _away(repr(why)) from None
        if answer.status_code >= 500 or (method == "GET" and answer.status_code != 200):
            raise _away(f"{answer.status_code} for {urlsplit(url).path}")
        return answer.status_code, bytes(body)


def _away(why: str) -> ProblemError:
    log.warning("provider_away", why=why)
    return failure(
        503,
        "provider_unavailable",
        "The provider cannot be asked now; try again in a moment, or use the link by e-mail.",
        retry_after_s=RETRY_SOON_S,
    )


def _unbelievable(why: str) -> ProblemError:
    log.warning("provider_not_believed", why=why)
    return failure(
        403, "token_refused", "What the provider said cannot be believed; nobody was signed in."
    )
