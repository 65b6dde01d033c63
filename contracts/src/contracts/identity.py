"""The identity token: who calls, as the gateway vouches for it to a service behind the same host.

A JWT, HS256 under a secret that only the services of one installation share. The gateway makes one
per request that it passes on; the service checks algorithm, type, issuer, audience and expiry, and
then knows account, scopes and actor. It carries no name and no address.
"""

from msgspec import Struct

from contracts.commands import ActorKind
from contracts.units import Id

ISSUER = "scrip-gateway"
PAYMENTS = "scrip-payments"  # the audience of what is passed on to payments
ALGORITHM = "HS256"
TYPE = "scrip-identity+jwt"
LIFETIME_S = 60  # longer than any request that is passed on may take
SECRET_BYTES_MIN = 32  # as long as the hash
HEADER = "scrip-identity"  # where the token travels; a caller's own header of this name is dropped


class Identity(Struct, frozen=True):
    """The claims. `account` is the one to act for; `sub` names the key or session that asks."""

    iss: str
    aud: str
    sub: str
    iat: int
    exp: int
    account: Id
    scopes: tuple[str, ...]
    kind: ActorKind
    actor: Id
