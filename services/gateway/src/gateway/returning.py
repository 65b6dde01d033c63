"""Where somebody goes on after signing in: the page they came from, of this host and no other."""

import re
from urllib.parse import urlsplit

HOME = "/account/credits"
LENGTH_MAX = 512  # of any address that a page of ours links to
_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")  # printable ASCII without spaces and backslashes
_NOT_AGAIN = ("/sign-in", "/sign-out", "/api/", "/v1/", "/static/", "/dev/", "/embed/")


def here(text: str) -> str:
    """A path of this host to go on with; home for anything else."""
    if len(text) > LENGTH_MAX or not _PATH.fullmatch(text) or text.startswith(_NOT_AGAIN):
        return HOME
    return text


def came_from(method: str, path: str, query: str, referer: str, host: str) -> str:
    """The page that a visitor wanted, or of a form the one that it stands on, without its query."""
    if method == "GET":
        return here(f"{path}?{query}" if query else path)
    page = urlsplit(referer)
    return here(page.path) if page.netloc == host else HOME
