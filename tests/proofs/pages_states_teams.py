"""The states of the pages of teams: none, some, one's members, and what an invitation brings."""

from datetime import timedelta

from gateway.pages.invited import InvitationView
from gateway.pages.limitsform import Fault
from gateway.pages.shell import Shell
from gateway.pages.teamform import Invited
from gateway.pages.teaming import TOLD, TeamsView, TeamView
from gateway.pages.teammember import MemberView
from gateway.teams import Member, Seat
from gateway.teamshapes import AllocationTold, InvitationTold, MemberTold, TeamShown, UsedTold
from msgspec.structs import replace

from tests.proofs.pages_states import HOSTILE, LOST, NOW, State, balance, shell

SEAT = Seat("team-1", "Blue team", "owner")
LIMIT = "The most that can be given is 9,007,199,254,740,991."


def team_states() -> dict[str, State]:
    return {**_teams(), **_team(), **_member(), **_invitation()}


def _teams() -> dict[str, State]:
    mine = [SEAT, Seat("team-2", HOSTILE, "viewer")]
    view = TeamsView(shell=shell("Teams", "team"), teams=mine)
    wrong = replace(view, wrong="Give the team a name.")
    return {
        "teams": State("teams.html", view),
        "teams-none": State("teams.html", replace(view, teams=[], told=TOLD["left"])),
        "teams-lost": State("teams.html", replace(view, teams=LOST)),
        "teams-wrong": State("teams.html", wrong, 422),
    }


def _team() -> dict[str, State]:
    used = UsedTold(runs=4, charged=120, refunded=10, credits=110, held=16)
    cap = AllocationTold(500, "month")
    members = [
        MemberTold(id="p1", email="ada@example.org", role="owner", joined_at=NOW, used=used),
        MemberTold(id="p2", email="bob@example.org", role="member", allocation=cap, used=used),
        MemberTold(id="p3", email="x" * 60 + "@example.org", role="viewer", used=UsedTold()),
        MemberTold(id="person-0a1b2c3d4e", used=used, gone=True),
    ]
    until = NOW + timedelta(days=7)
    open_ = InvitationTold(
        id="inv-1", email="cy@example.org", role="member", expires_at=until, allocation=cap
    )
    team = TeamShown(
        id="team-1", name="Blue team", role="owner", period="30d", members=members,
        invitations=[open_],
    )  # fmt: skip
    view = TeamView(
        shell=shell("Blue team", "team"), seat=SEAT, team=team, pool=balance(), me="p1",
        period="30d",
    )  # fmt: skip
    alone = replace(team, members=members[:1], invitations=[])
    faults = (Fault("email", "Enter an address."), Fault("role", "No."), Fault("limit", LIMIT))
    form = Invited("nobody", "member", "many", "day")
    named = replace(view, seat=Seat("team-1", HOSTILE, "member"), me="p2")
    return {
        "team": State("team.html", view),
        "team-new": State("team.html", replace(view, team=alone, told=TOLD["made"])),
        "team-seen-by-member": State("team.html", named),
        "team-lost": State("team.html", replace(view, team=LOST, pool=LOST)),
        "team-wrong": State("team.html", replace(view, form=form, faults=faults), 422),
        "team-refused": State("team.html", replace(view, refused="Enough are on their way."), 429),
    }


def _member() -> dict[str, State]:
    bob = Member("p2", "bob@example.org", "member", 0)
    form = Invited("", "member", "500", "month")
    view = MemberView(shell=shell("A member", "team"), seat=SEAT, member=bob, mine=False, form=form)
    mine = replace(view, seat=Seat("team-1", HOSTILE, "member"), mine=True)
    wrong = replace(view, form=replace(form, limit="-1"), faults=(Fault("limit", LIMIT),))
    return {
        "team-member": State("member.html", view),
        "team-leaving": State("member.html", mine),
        "team-member-wrong": State("member.html", wrong, 422),
        "team-member-refused": State("member.html", replace(view, refused="It is the last."), 409),
    }


def _invitation() -> dict[str, State]:
    view = InvitationView(shell=shell("Join a team", ""), token="t")
    stranger = replace(view, shell=Shell(title="Join a team"), stranger=True)
    return {
        "invitation": State("invitation.html", view),
        "invitation-stranger": State("invitation.html", stranger),
        "invitation-over": State("invitation.html", replace(view, over=True), 410),
        "invitation-taken": State("invitation.html", replace(view, team=SEAT)),
    }
