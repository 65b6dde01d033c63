"""What is around every page: who is signed in, what is left, where one is, how to get help."""

from datetime import datetime

from msgspec import Struct

STALE_AFTER_S = 15  # behind by more than this is said, below it nobody could act on it


class Chip(Struct, frozen=True):
    """The balance in the head of a page; `live_from` is the position that it shows."""

    available: int
    held: int
    spent: int
    as_of: datetime
    stale: bool
    live_from: str
    account: str


class Place(Struct, frozen=True):
    """An entry of the navigation."""

    name: str
    url: str
    title: str


PLACES = (
    Place("credits", "/account/credits", "Credits"),
    Place("tools", "/tools", "Tools"),
    Place("usage", "/account/usage", "Usage"),
    Place("history", "/account/history", "History"),
    Place("gifts", "/account/gifts", "Gifts"),
    Place("team", "/account/team", "Teams"),
    Place("settings", "/account/settings/credits", "Limits"),
    Place("keys", "/account/keys", "API keys"),
    Place("notifications", "/notifications", "Notifications"),
)


STAFF_PLACES = (
    Place("find", "/admin", "Find"),
    Place("events", "/admin/events", "Events"),
    Place("waiting", "/admin/waiting", "Waiting"),
)


class Choice(Struct, frozen=True):
    """An account that somebody may act for: the own one, or a team's."""

    account: str
    name: str


class Shell(Struct, frozen=True, kw_only=True):
    """The frame of a page. `here` names its place; `chip` None: not known; no `who`: a stranger.

    `account`: whose page it is; `acting`: the team's name, when it is a team's; `choices`: whose
    pages the visitor may see; `unread`: how many notifications wait.
    """

    title: str
    here: str = ""
    who: str = ""
    chip: Chip | None = None
    zone: str = "UTC"
    request_id: str = ""
    places: tuple[Place, ...] = PLACES
    account: str = ""
    acting: str = ""
    choices: tuple[Choice, ...] = ()
    unread: int = 0
    home: str = "/"
