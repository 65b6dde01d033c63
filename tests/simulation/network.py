"""The simulated network: requests and answers that are late, lost, repeated, out of order."""

from collections.abc import Callable
from random import Random
from typing import Any

from bus.log import LogError
from contracts.units import Ms

from tests.simulation.broker import Refused

RESENDS_MAX = 2  # how often a client library sends again before it gives up
IN_ORDER = 0.93  # how often one connection keeps the order of its requests

REQUEST, ANSWER = 0, 1


class Call:
    """One request of a client, however often it travels. Rests until its outcome is known.

    `settled` looks at the broker's answer: True takes it, False waits, None has to send again.
    """

    __slots__ = ("done", "failure", "lane", "result", "serve", "settled", "tries")

    def __init__(
        self,
        serve: Callable[[], Any],
        lane: object,
        settled: Callable[[Any], bool | None] | None = None,
    ) -> None:
        self.serve = serve
        self.lane = lane
        self.settled = settled
        self.tries = 0
        self.done = False
        self.result: Any = None
        self.failure = ""

    def ready(self) -> bool:
        return self.done

    def __await__(self) -> Any:
        yield self
        return self.outcome()

    def outcome(self) -> Any:
        """The answer; raises LogError for a refusal or when it never came."""
        if self.failure:
            raise LogError(self.failure)
        return self.result

    def fail(self, why: str) -> None:
        self.failure, self.done = why, True


class Message:
    """A request or an answer on its way."""

    __slots__ = ("body", "call", "due", "kind")

    def __init__(self, kind: int, call: Call, body: Any = None, due: Ms = 0) -> None:
        self.kind = kind
        self.call = call
        self.body = body
        self.due = due


class Network:
    """All that is on its way."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.messages: list[Message] = []

    def send(self, call: Call) -> Call:
        self.messages.append(Message(REQUEST, call))
        return call

    def again(self, call: Call) -> bool:
        """The client library sends once more, or gives up."""
        if call.done:
            return False
        call.tries += 1
        if call.tries > RESENDS_MAX:
            call.fail("timed out")
            return False
        self.send(call)
        return True

    def deliver(self, now: Ms) -> None:
        """One message arrives, if the chosen one is not delayed."""
        random = self._random.random
        messages = self.messages
        at = int(random() * len(messages))
        message = messages[at]
        if message.due > now:
            return
        if message.kind == REQUEST:
            if random() < IN_ORDER:
                at = self._first_of(message, now)
            self._serve(messages.pop(at))
        elif self._answer(message):
            messages.remove(message)

    def _first_of(self, message: Message, now: Ms) -> int:
        lane = message.call.lane
        for at, other in enumerate(self.messages):
            if other.kind == REQUEST and other.call.lane == lane and other.due <= now:
                return at
        raise AssertionError("the message itself is there")

    def _serve(self, message: Message) -> None:
        call = message.call
        try:
            body = call.serve()
        except Refused as no:
            body = no
        self.messages.append(Message(ANSWER, call, body))

    def _answer(self, message: Message) -> bool:
        """Whether the answer is used up."""
        call, body = message.call, message.body
        if call.done:
            return True
        if isinstance(body, Refused):
            call.fail(str(body))
            return True
        if call.settled is not None:
            settled = call.settled(body)
            if settled is None:
                self.again(call)
                return True
            if not settled:
                return False
        call.result, call.done = body, True
        return True

    # ---- faults

    def drop(self) -> None:
        """A message is lost; its sender notices and sends again."""
        message = self.messages.pop(int(self._random.random() * len(self.messages)))
        self.again(message.call)

    def delay(self, until: Ms) -> None:
        """A message is late; half of the senders repeat it meanwhile."""
        message = self.messages[int(self._random.random() * len(self.messages))]
        message.due = until
        if self._random.random() < 0.5:
            self.again(message.call)

    def time_out(self, until: Ms) -> None:
        """The sender gives up; half of the messages arrive all the same."""
        at = int(self._random.random() * len(self.messages))
        message = self.messages[at]
        message.due = until
        if self._random.random() < 0.5:
            del self.messages[at]
        if not message.call.done:
            message.call.fail("timed out")

    def disconnect(self) -> None:
        """All connections break; nothing that was on its way arrives."""
        for message in self.messages:
            if not message.call.done:
                message.call.fail("connection lost")
        self.messages.clear()
