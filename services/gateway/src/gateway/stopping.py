"""What only staff asks: taking back a grant, stopping spending and letting it go on, a plan."""

from gateway import bodies, intents
from gateway.asgi import Call, Reply
from gateway.asked import account_of, id_of, key_of
from gateway.bodies import decoder
from gateway.spending import Ledger

_revoke = decoder(bodies.RevokeBody)
_freeze = decoder(bodies.FreezeBody)
_plan = decoder(bodies.PlanBody)


class Stopping:
    """Handlers: each one builds one command."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def revoke(self, call: Call) -> Reply:
        """POST /v1/grants/{id}/revoke."""
        body: bodies.RevokeBody = _revoke(call.body)
        key, account = key_of(call), account_of(call, body.account)
        command = intents.revoke(key, account, call.principal.actor, id_of(call), body)
        command.approved_by = call.approved_by
        return await self._ledger.ask(call, command)

    async def freeze(self, call: Call) -> Reply:
        """POST /v1/accounts/{id}/freeze."""
        body: bodies.FreezeBody = _freeze(call.body)
        command = intents.freeze(key_of(call), id_of(call), call.principal.actor, body)
        return await self._ledger.ask(call, command)

    async def thaw(self, call: Call) -> Reply:
        """POST /v1/accounts/{id}/thaw."""
        body: bodies.FreezeBody = _freeze(call.body)
        command = intents.thaw(key_of(call), id_of(call), call.principal.actor, body)
        return await self._ledger.ask(call, command)

    async def plan(self, call: Call) -> Reply:
        """POST /v1/accounts/{id}/plan."""
        body: bodies.PlanBody = _plan(call.body)
        command = intents.set_plan(key_of(call), id_of(call), call.principal.actor, body)
        return await self._ledger.ask(call, command)
