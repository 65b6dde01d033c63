"""The routes of notifications in the OpenAPI document, by the structs that they speak."""

from gateway import choices, noticeroutes, notifications
from gateway.documented import Documented

_HOME = ("key", "session")

NOTICES = (
    Documented(
        "get", "/api/notifications", "", None, notifications.NotificationsShown,
        security=_HOME,
    ),
    Documented(
        "get", "/api/notifications/unread", "", None, noticeroutes.UnreadShown,
        security=_HOME,
    ),
    Documented(
        "post", "/api/notifications/read", "",
        noticeroutes.ReadBody, noticeroutes.AllRead, security=_HOME,
    ),
    Documented("post", "/api/notifications/{id}/read", "", None, None, 204, security=_HOME),
    Documented(
        "post", "/api/notifications/test", "", None, noticeroutes.TestSent, 202,
        security=_HOME,
    ),
    Documented(
        "get", "/api/notifications/preferences", "", None, choices.ChoicesShown,
        security=_HOME,
    ),
    Documented(
        "put", "/api/notifications/preferences", "",
        noticeroutes.ChoicesBody, choices.ChoicesShown, security=_HOME,
        also=((412, choices.ChoicesDiffer),),
    ),
)  # fmt: skip
