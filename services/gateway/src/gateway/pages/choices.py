"""For whom a visitor may act: for themselves, and for each of their teams.

Every form says for which account its page was shown, so that what was meant for one is never done
for another, whatever was chosen in another tab meanwhile.
"""

import re

from markupsafe import Markup

from gateway.guest import Guest
from gateway.pages.shell import Choice
from gateway.teams import Teams

ACTING = "acting"  # the field of a form that says it
_FORM = re.compile(r'<form [^>]*method="post"[^>]*>')


async def choices(teams: Teams, guest: Guest, who: str) -> tuple[Choice, ...]:
    """The visitor's choices, the own account first; none for a key and for staff."""
    person = guest.principal.member or guest.account
    if guest.principal.actor.id != person:
        return ()
    seats = await teams.mine(person)
    return (Choice(person, who), *(Choice(seat.id, seat.name) for seat in seats))


def said(html: str, account: str) -> str:
    """A page whose forms say for which account it was shown."""
    field = str(Markup('<input type="hidden" name="{}" value="{}">').format(ACTING, account))
    return _FORM.sub(lambda found: found[0] + field, html)
