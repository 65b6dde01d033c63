"""What a request about referrals says."""

from typing import Annotated

from msgspec import Meta

from gateway.bodies import Body


class ReferralBody(Body):
    """The code of whoever brought you; case does not matter."""

    code: Annotated[str, Meta(max_length=64)]
