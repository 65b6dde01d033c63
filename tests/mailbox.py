"""A real SMTP server that keeps what it is sent, for the tests."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from engine.ports import free_port

_TOKEN = re.compile(r"token=([\w-]+)")


class Mailbox:
    """What came, newest last."""

    def __init__(self, port: int) -> None:
        self.url = f"smtp://127.0.0.1:{port}"
        self.messages: list[EmailMessage] = []
        self.refused: set[str] = set()  # whose mails are not taken for now

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        if self.refused & {*envelope.rcpt_tos}:
            return "451 not now"
        self.messages.append(message_from_bytes(content, EmailMessage, policy=policy.default))
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        return [message for message in self.messages if message["To"] == address]

    def token(self, address: str) -> str:
        """The token of the newest link sent to an address."""
        found = _TOKEN.search(self.to(address)[-1].get_content())
        assert found is not None
        return found[1]


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A running server."""
    port = free_port()
    box = Mailbox(port)
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
