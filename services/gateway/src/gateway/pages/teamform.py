"""The forms of a team: a name, an invitation, a member; what is wrong stands at each field."""

import re
from collections.abc import Mapping

from contracts.caps import CapWindow
from contracts.units import AMOUNT_MAX
from msgspec import Struct

from gateway.bodies import LABEL
from gateway.pages.limitsform import Fault, whole_number
from gateway.people import address
from gateway.problems import ProblemError
from gateway.teambodies import AllocationBody
from gateway.teamroles import TeamRole

NAME_LENGTH_MAX = 64
EMAIL_SHOWN_MAX = 254
TYPED_MAX = 40
WINDOWS = {
    CapWindow.DAY.value: "a day",
    CapWindow.MONTH.value: "a month",
    CapWindow.EVER.value: "in all",
}
_label = re.compile(LABEL).fullmatch


class Invited(Struct, frozen=True):
    """Whom to invite, or what a member is to be. An empty `limit` is none."""

    email: str = ""
    role: str = TeamRole.MEMBER.value
    limit: str = ""
    window: str = CapWindow.MONTH.value

    @property
    def allocation(self) -> AllocationBody | None:
        """What was typed, once it has no fault."""
        if not self.limit:
            return None
        digits = self.limit.replace(",", "").replace(" ", "")
        return AllocationBody(int(digits), CapWindow(self.window))


def named(form: Mapping[str, str]) -> tuple[str, str]:
    """A team's name, and what is wrong with it."""
    name = " ".join(form.get("name", "").split())
    if not name:
        return "", "Give the team a name."
    if len(name) > NAME_LENGTH_MAX or _label(name) is None:
        says = f"Use at most {NAME_LENGTH_MAX} characters that can be seen."
        return name[:NAME_LENGTH_MAX], says
    return name, ""


def invited(form: Mapping[str, str]) -> tuple[Invited, tuple[Fault, ...]]:
    """An invitation; nobody is invited as an owner."""
    typed, faults = member(form)
    if typed.role == TeamRole.OWNER:
        faults = (*faults, Fault("role", "Invite somebody first, then make them an owner."))
    try:
        address(typed.email)
    except ProblemError:
        faults = (Fault("email", "Enter an address like ada@example.org."), *faults)
    return typed, faults


def member(form: Mapping[str, str]) -> tuple[Invited, tuple[Fault, ...]]:
    """A role and what may be taken."""
    faults = list[Fault]()
    limit = form.get("limit", "").strip()[:TYPED_MAX]
    role, window = form.get("role", ""), form.get("window", "")
    if limit:
        whole_number("limit", limit, 0, AMOUNT_MAX, faults)
    if role not in set(TeamRole):
        faults.append(Fault("role", "Choose what they are in the team."))
        role = TeamRole.MEMBER.value
    window = window if window in WINDOWS else CapWindow.MONTH.value
    email = form.get("email", "").strip()[: EMAIL_SHOWN_MAX + 1]
    return Invited(email, role, limit, window), tuple(faults)
