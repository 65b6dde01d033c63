"""What a request about a gift says."""

from typing import Annotated

from msgspec import Meta

from gateway.bodies import Body


class GiftBody(Body):
    """Give credits to whoever has the code, within so many days; then they come back."""

    amount: int
    days: Annotated[int, Meta(ge=1, le=90)] = 30
    note: Annotated[str, Meta(max_length=200)] = ""


class GiftCodeBody(Body):
    """The code of a gift."""

    code: Annotated[str, Meta(max_length=64)]
