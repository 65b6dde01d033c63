"""An OpenID provider for the tests: a process of its own that really checks what it is sent.

    python -m tests.openid PORT

It lets anybody be anybody, and does on request what a broken or hostile provider would: the form of
its sign-in page has a field for the fault.
"""

import hashlib
import hmac
import sys
import time
from base64 import b64decode, urlsafe_b64encode
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import msgspec
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "scrip-tests", "s3cret/with+signs"  # what must be percent-encoded in a header
HOST = "127.0.0.1"
ALG = "RS256"


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


async def fields(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))


class Codes:
    """What was promised to whom, and the key that signs."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.open: dict[str, dict[str, str]] = {}
        self.rotate()

    def rotate(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": token_urlsafe(6), "alg": ALG, "use": "sig"})
        self.other = RSAKey.generate_key(2048, {"kid": str(self.key.kid)})

    def claims(self, asked: dict[str, str]) -> dict[str, Any]:
        now, fault = int(time.time()), asked["fault"]
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": asked["sub"],
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            "email": asked["email"],
            "email_verified": asked["verified"] == "yes",
        }
        wrong: dict[str, dict[str, Any]] = {
            "nonce": {"nonce": "another"},
            "no-nonce": {"nonce": None},
            "audience": {"aud": "somebody-else"},
            "audiences": {"aud": [CLIENT, "somebody-else"]},
            "party": {"azp": "somebody-else"},
            "expired": {"iat": now - 3_600, "exp": now - 600},
            "for-ever": {"exp": None},
            "issuer": {"iss": "https://evil.example"},
            "hash": {"at_hash": "AAAA"},
            "no-subject": {"sub": ""},
        }
        claims |= wrong.get(fault, {})
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, asked: dict[str, str]) -> str:
        claims, fault = self.claims(asked), asked["fault"]
        header = {"alg": ALG, "kid": str(self.key.kid)}
        if fault == "none":
            head = encoded(msgspec.json.encode({**header, "alg": "none"}))
            return f"{head}.{encoded(msgspec.json.encode(claims))}."
        if fault == "hs256":  # the public key, which everybody has, as if it were a shared secret
            head = encoded(msgspec.json.encode({**header, "alg": "HS256"}))
            said = f"{head}.{encoded(msgspec.json.encode(claims))}"
            mac = hmac.digest(self.key.as_pem(private=False), said.encode(), hashlib.sha256)
            return f"{said}.{encoded(mac)}"
        if fault == "kid":
            header["kid"] = "nobody-s"
        return jwt.encode(header, claims, self.other if fault == "signature" else self.key)


def application(issuer: str) -> FastAPI:
    app, codes = FastAPI(), Codes(issuer)

    @app.get("/.well-known/openid-configuration")
    def said() -> dict[str, Any]:
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "id_token_signing_alg_values_supported": [ALG],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        shared = {"kty": "oct", "k": "AAAA", "kid": "shared"}
        return {"keys": [codes.key.as_dict(private=False), shared]}

    people(app, codes)
    programs(app, codes)
    return app


def people(app: FastAPI, codes: Codes) -> None:
    """What browsers see."""

    @app.get("/authorize")
    def form(request: Request) -> Response:
        asked = request.query_params
        fits = asked["client_id"] == CLIENT and asked["response_type"] == "code"
        fits &= asked["code_challenge_method"] == "S256" and "openid" in asked["scope"].split()
        if not fits:
            return Response(status_code=400)
        return HTMLResponse(
            f'<form method="post" action="?{urlencode(dict(asked))}"><input name="sub">'
            '<input name="email"><input name="verified"><input name="fault"><button>In</button>'
        )

    @app.post("/authorize")
    async def enter(request: Request) -> Response:
        asked, code = request.query_params, token_urlsafe(24)
        told = {"email": "", "verified": "yes", "fault": "", **await fields(request)}
        fault = told["fault"]
        codes.open[code] = {**asked, **told}
        answer = {"code": code, "state": asked["state"], "iss": codes.issuer}
        if fault == "denied":
            answer = {"error": "access_denied", "state": asked["state"]}
        if fault == "mixed-up":
            answer["iss"] = "https://evil.example"
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 303)


def programs(app: FastAPI, codes: Codes) -> None:
    """What the gateway asks."""

    @app.post("/token")
    async def token(request: Request) -> Response:
        sent = await fields(request)
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        name, _, secret = b64decode(shown).decode().partition(":")
        if (scheme, unquote(name), unquote(secret)) != ("Basic", CLIENT, SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = codes.open.pop(sent["code"], None)
        challenge = encoded(hashlib.sha256(sent["code_verifier"].encode()).digest())
        if (
            asked is None
            or asked["redirect_uri"] != sent["redirect_uri"]
            or asked["code_challenge"] != challenge
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        granted = {"id_token": codes.token(asked), "access_token": token_urlsafe(8)}
        return JSONResponse({**granted, "token_type": "Bearer", "expires_in": 300})

    @app.post("/rotate")
    def rotate() -> Response:
        codes.rotate()
        return Response(status_code=204)


if __name__ == "__main__":
    place = int(sys.argv[1])
    uvicorn.run(application(f"http://{HOST}:{place}"), host=HOST, port=place, log_level="warning")
