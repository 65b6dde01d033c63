"""Mail goes out by SMTP: any server, named by `SCRIP_SMTP_URL`. Whom it goes to is never logged."""

from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog

from gateway.problems import RETRY_SOON_S, ProblemError, failure

log = structlog.get_logger(__name__)

WITHIN_S = 10.0  # of a whole delivery to the server; a person waits for it
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class MailAddressError(ValueError):
    """SCRIP_SMTP_URL must look like smtps://user:password@host or smtp+starttls://host:587."""


class Mail:
    """The way to the mail server; without an address there is none, and callers are told."""

    def __init__(self, url: str, sender: str) -> None:
        self._url = urlsplit(url)
        if url and (self._url.scheme not in _PORTS or not self._url.hostname):
            raise MailAddressError
        self._sender = sender

    @property
    def known(self) -> bool:
        """Whether there is a server to send by."""
        return bool(self._url.scheme)

    async def send(
        self, to: str, subject: str, text: str, *, name: str = "", leave: str = ""
    ) -> None:
        """Hand one message to the server; raises 503 when it does not take it.

        `name`: the message's own, the same at each try. `leave`: where one asks for no more.
        """
        if not self._url.scheme:
            raise _unavailable()
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, to, subject
        message["Auto-Submitted"] = "auto-generated"
        if name:
            domain = parseaddr(self._sender)[1].rpartition("@")[2] or "localhost"
            message["Message-ID"] = f"<{name}@{domain}>"
        if leave:
            message["List-Unsubscribe"] = f"<{leave}>"
        message.set_content(text)
        place = self._url
        try:
            await aiosmtplib.send(
                message,
                hostname=place.hostname,
                port=place.port or _PORTS[place.scheme],
                username=unquote(place.username) if place.username else None,
                password=unquote(place.password) if place.password else None,
                use_tls=place.scheme == "smtps",
                start_tls=place.scheme == "smtp+starttls",
                timeout=WITHIN_S,
            )
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as why:
            log.warning("mail_not_taken", why=type(why).__name__)
            raise _unavailable() from None


def _unavailable() -> ProblemError:
    return failure(
        503,
        "mail_unavailable",
        "No mail can be sent now; try again in a moment.",
        retry_after_s=RETRY_SOON_S,
    )
