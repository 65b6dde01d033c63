"""The routes of one command each: parse, ask the ledger, give its answer. Nothing else happens."""

from contracts.catalogue import Catalogue
from contracts.commands import AnyCommand
from contracts.events import CommandRefused
from msgspec import Struct

from gateway import answers, bodies, intents
from gateway.asgi import Call, Reply
from gateway.asked import account_of, id_of, key_of, member_of
from gateway.bodies import decoder
from gateway.metrics import Metrics
from gateway.waiting import Answer, Bridge

REPLAYED = ((b"idempotent-replayed", b"true"),)
_reserve = decoder(bodies.ReserveBody)
_charge = decoder(bodies.ChargeBody)
_release = decoder(bodies.ReleaseBody)
_extend = decoder(bodies.ExtendBody)
_refund = decoder(bodies.RefundBody)
_grant = decoder(bodies.GrantBody)
_transfer = decoder(bodies.TransferBody)


class Ledger(Struct, frozen=True):
    """The way to the ledger, and how its answers are told."""

    bridge: Bridge
    catalogue: Catalogue
    metrics: Metrics
    top_up_url: str

    async def ask(self, call: Call, command: AnyCommand) -> Reply:
        """The answer to a command as a reply; raises NoAnswer."""
        answer = await self.bridge.ask(command, call.now, call.trace)
        return self.told(answer, call.trace.request_id)

    def told(self, answer: Answer, request_id: str) -> Reply:
        """An answer as a reply."""
        status, body = answers.reply(answer, self.top_up_url, request_id)
        if type(answer.event) is CommandRefused:
            self.metrics.refusals.add(answer.event.reason.value)
        if answer.replayed:
            self.metrics.replays.add()
            return Reply(status, body, REPLAYED)
        return Reply(status, body)


class Spending:
    """Handlers: each one builds one command."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._catalogue = ledger.catalogue

    async def reserve(self, call: Call) -> Reply:
        """POST /v1/reservations."""
        body: bodies.ReserveBody = _reserve(call.body)
        key, account = key_of(call), account_of(call, body.account)
        member_of(call, body.member)
        actor = call.principal.actor
        return await self._ledger.ask(
            call, intents.reserve(key, account, actor, body, self._catalogue)
        )

    async def charge(self, call: Call) -> Reply:
        """POST /v1/reservations/{id}/charge."""
        body: bodies.ChargeBody = _charge(call.body)
        key, account = key_of(call), account_of(call, body.account)
        return await self._ledger.ask(
            call, intents.charge(key, account, call.principal.actor, id_of(call), body)
        )

    async def release(self, call: Call) -> Reply:
        """POST /v1/reservations/{id}/release."""
        body: bodies.ReleaseBody = _release(call.body or b"{}")
        key, account = key_of(call), account_of(call, body.account)
        return await self._ledger.ask(
            call, intents.release(key, account, call.principal.actor, id_of(call), body)
        )

    async def extend(self, call: Call) -> Reply:
        """POST /v1/reservations/{id}/extend."""
        body: bodies.ExtendBody = _extend(call.body)
        key, account = key_of(call), account_of(call, body.account)
        return await self._ledger.ask(
            call, intents.extend(key, account, call.principal.actor, id_of(call), body)
        )

    async def refund(self, call: Call) -> Reply:
        """POST /v1/charges/{id}/refund."""
        body: bodies.RefundBody = _refund(call.body or b"{}")
        key, account = key_of(call), account_of(call, body.account)
        command = intents.refund(key, account, call.principal.actor, id_of(call), body)
        command.approved_by = call.approved_by
        return await self._ledger.ask(call, command)

    async def grant(self, call: Call) -> Reply:
        """POST /v1/accounts/{id}/grants."""
        body: bodies.GrantBody = _grant(call.body)
        key, account = key_of(call), call.principal.acts_for(id_of(call))
        command = intents.grant(key, account, call.principal.actor, body)
        command.approved_by = call.approved_by
        return await self._ledger.ask(call, command)

    async def send(self, call: Call) -> Reply:
        """POST /v1/accounts/{id}/transfers."""
        body: bodies.TransferBody = _transfer(call.body)
        key, account = key_of(call), call.principal.acts_for(id_of(call))
        return await self._ledger.ask(call, intents.send(key, account, call.principal.actor, body))
