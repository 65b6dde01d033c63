"""What would a run cost? For services by account, for the pages also without one."""

from secrets import token_hex

from contracts.catalogue import Catalogue
from contracts.units import ANONYMOUS

from gateway import bodies, intents
from gateway.asgi import Call, Reply
from gateway.asked import account_of, key_of, member_of
from gateway.bodies import decoder
from gateway.problems import failure
from gateway.rates import ESTIMATE, Rates
from gateway.spending import Ledger

_estimate = decoder(bodies.EstimateBody)


class Estimates:
    """Handlers. An estimate moves nothing, so its key is ours when the caller sends none."""

    def __init__(self, ledger: Ledger, rates: Rates) -> None:
        self._ledger = ledger
        self._catalogue: Catalogue = ledger.catalogue
        self._rates = rates

    async def service(self, call: Call) -> Reply:
        """POST /v1/estimates."""
        body: bodies.EstimateBody = _estimate(call.body)
        return await self._ask(call, account_of(call, body.account), body)

    async def billing(self, call: Call) -> Reply:
        """POST /api/billing/estimate."""
        body: bodies.EstimateBody = _estimate(call.body)
        tool = self._catalogue.tools.get(body.tool_id)
        if call.principal.account == ANONYMOUS and (tool is None or tool.requires_account):
            raise failure(401, "unauthenticated", "Sign in to see what this tool costs.")
        return await self._ask(call, account_of(call, body.account), body)

    async def _ask(self, call: Call, account: str, body: bodies.EstimateBody) -> Reply:
        member_of(call, body.member)
        allowed = self._rates.take(ESTIMATE, call.principal, call.now / 1000)
        key = key_of(call) if b"idempotency-key" in call.headers else f"est-{token_hex(12)}"
        actor = call.principal.actor
        asked = intents.estimate(key, account, actor, body, self._catalogue)
        if call.principal.member is not None:
            asked.member = call.principal.member
        reply = await self._ledger.ask(call, asked)
        reply.headers = (*reply.headers, *allowed)
        return reply
