"""The states of the notifications' pages: full, empty, stale, lost, a viewer's, and the choices."""

from datetime import timedelta

from gateway.choices import CHOSEN
from gateway.noticewords import KIND_TITLES
from gateway.notifications import NotificationShown
from gateway.pages.noticed import ChoicesView, Line, NoticesView
from msgspec.structs import replace

from tests.proofs.pages_states import HOSTILE, LOST, NOW, State, shell


def items() -> list[NotificationShown]:
    return [
        NotificationShown(
            id=f"ntf-1-{number}-{kind.value}",
            at=NOW - timedelta(hours=9 * number),
            kind=kind.value,
            title=title,
            text="Once 50 credits are used or held in a day, further runs are refused.",
            read=number > 3,
            cap=HOSTILE if number == 1 else None,
        )
        for number, (kind, title) in enumerate(KIND_TITLES.items())
    ]


def notice_states() -> dict[str, State]:
    page, form = "notifications.html", "notification-preferences.html"
    here = replace(shell("Notifications", "notifications"), unread=4)
    view = NoticesView(shell=here, items=items(), unread=4, next_query="cursor=7", sent=True)
    stale = shell("Notifications", "notifications", stale=True)
    lines = [Line(kind.value, KIND_TITLES[kind], True, number % 2 == 0) for number, kind in
             enumerate(CHOSEN)]  # fmt: skip
    told = shell("What you are told", "notifications")
    chosen = ChoicesView(shell=told, lines=lines, saved=True)
    return {
        "notices": State(page, view),
        "notices-none": State(page, NoticesView(shell=shell("Notifications"), items=[])),
        "notices-older": State(page, replace(view, newer=True, next_query="", sent=False)),
        "notices-stale": State(page, replace(view, shell=stale, unread=0)),
        "notices-viewer": State(page, replace(view, may=False)),
        "notices-lost": State(page, replace(view, items=LOST), 503),
        "notices-chosen": State(form, chosen),
        "notices-differ": State(form, replace(chosen, saved=False, differs=True), 412),
        "notices-choices-lost": State(form, replace(chosen, lines=LOST, saved=False), 503),
    }
