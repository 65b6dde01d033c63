"""Caps: limits of one API key, one member or one tool of an account, as its owner sets them."""

from enum import StrEnum

from msgspec import Struct

from contracts.units import Credits, Id


class CapOf(StrEnum):
    """Whose spending a cap bounds: an API key's, a member's, or a tool's."""

    KEY = "key"
    MEMBER = "member"
    TOOL = "tool"


class CapWindow(StrEnum):
    """What a cap counts in: the account's day, its month, or ever since it was set."""

    DAY = "day"
    MONTH = "month"
    EVER = "ever"


class Cap(Struct, frozen=True, cache_hash=True, gc=False, rename="camel"):
    """The most that one key, member or tool may spend and hold of the account in a window."""

    of: CapOf
    id: Id
    limit: Credits
    window: CapWindow = CapWindow.EVER
