"""POST /v1/batch: up to 1,000 operations in one call, each with its own outcome, in order."""

import asyncio
from typing import TypeAlias

from contracts.codec import encode
from msgspec import Raw, Struct

from gateway import bodies, intents
from gateway.asgi import Call, Reply
from gateway.asked import account_of
from gateway.bodies import BatchBody, BatchItem, decoder
from gateway.faults import of_no_answer, problem_reply
from gateway.problems import ProblemError
from gateway.spending import REPLAYED, Ledger
from gateway.waiting import Answer, NoAnswer

_batch = decoder(BatchBody)
_item = decoder(BatchItem)
Begun: TypeAlias = "asyncio.Future[Answer] | Reply"


class ItemShown(Struct, rename="camel", omit_defaults=True):
    """One item's outcome: what its own route would have answered."""

    status: int
    body: Raw
    idempotent_replayed: bool = False


class BatchShown(Struct):
    """All outcomes, in the order of the items."""

    items: list[ItemShown]


class Batch:
    """The handler. All items are sent before the first answer is waited for."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def post(self, call: Call) -> Reply:
        """POST /v1/batch."""
        body: BatchBody = _batch(call.body)
        begun = [self._begin(call, raw) for raw in body.items]
        replies = [await self._end(call, one) for one in begun]
        shown = [
            ItemShown(reply.status, Raw(reply.body), reply.headers is REPLAYED) for reply in replies
        ]
        return Reply(200, encode(BatchShown(shown)))

    def _begin(self, call: Call, raw: Raw) -> Begun:
        try:
            asked: bodies.BatchItem = _item(bytes(raw))
            account = account_of(call, asked.account)
            command = intents.item(account, call.principal.actor, asked, self._ledger.catalogue)
            return self._ledger.bridge.begin(command, call.now, call.trace)
        except ProblemError as why:
            return problem_reply(why, call.trace.request_id)
        except NoAnswer as why:
            return problem_reply(of_no_answer(why), call.trace.request_id)

    async def _end(self, call: Call, begun: Begun) -> Reply:
        if isinstance(begun, Reply):
            return begun
        try:
            return self._ledger.told(await begun, call.trace.request_id)
        except NoAnswer as why:
            return problem_reply(of_no_answer(why), call.trace.request_id)
