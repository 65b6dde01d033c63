"""POST /api/{studio}/{tool}/run: hold the credits, have it run, answer with result and price.

The caller is answered when the result *and* the counted end of the reservation are known. When the
wait is over first it gets 202 and an address to look at; the run goes on. A retry with the same key
joins the run, hands it over again while it may still start, and never pays twice.
"""

import asyncio
import re

import structlog
from contracts.catalogue import Mode, Tool
from contracts.commands import Reserve
from contracts.events import CreditsReserved
from contracts.runs import INPUT_BYTES_MAX

from gateway import intents, runshown
from gateway.asgi import Call, Reply
from gateway.asked import account_of, key_of
from gateway.bodies import RunBody, decoder
from gateway.dispatch import Dispatch
from gateway.problems import failure
from gateway.rates import RUN, Rates
from gateway.reservations import Reservations
from gateway.spending import REPLAYED, Ledger
from gateway.waiting import Answer, Unknown
from gateway.watching import RunWatch, Watch

log = structlog.get_logger(__name__)

_run = decoder(RunBody)
_prefer_wait = re.compile(rb"(?:^|[,;\s])wait=(\d{1,3})(?:$|[,;\s])").search


class Runs:
    """The handler behind the 24 paths."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        dispatch: Dispatch,
        watch: RunWatch,
        reservations: Reservations,
        rates: Rates,
        wait_ms: int,
    ) -> None:
        self._ledger = ledger
        self._dispatch = dispatch
        self._watch = watch
        self._reservations = reservations
        self._rates = rates
        self._wait_s = wait_ms / 1000

    async def post(self, tool: Tool, call: Call) -> Reply:
        """One run of one tool."""
        account = account_of(call, None)
        if tool.mode is Mode.CLIENT_ONLY:
            raise failure(
                422,
                "tool_client_only",
                "This tool runs in the browser and costs nothing.",
                credits_charged=0,
            )
        body: RunBody = _run(call.body)
        if len(bytes(body.input)) > INPUT_BYTES_MAX:
            raise failure(
                413,
                "input_too_large",
                f"The input may have {INPUT_BYTES_MAX} bytes at most.",
                credits_charged=0,
            )
        command = Reserve(
            id=key_of(call),
            account=account,
            actor=call.principal.actor,
            tool=tool.id,
            limits=intents.limits(body.requested_limits, tool.id, self._ledger.catalogue),
            member=call.principal.member,
        )
        allowed = self._rates.take(RUN, call.principal, call.now / 1000, tool.id)
        with self._watch.watch(command.account, command.id) as watch:
            reply = await self._paid(command, body, call, watch)
        reply.headers = (*reply.headers, *allowed)
        return reply

    async def _paid(self, command: Reserve, body: RunBody, call: Call, watch: Watch) -> Reply:
        answer = await self._ledger.bridge.ask(command, call.now, call.trace)
        held = answer.event
        if not isinstance(held, CreditsReserved):
            return self._ledger.told(answer, call.trace.request_id)
        if answer.replayed:
            await self._recall(held, watch)
        handing: asyncio.Task[None] | None = None
        if not watch.over and call.now < held.expires_at:
            handing = asyncio.create_task(self._dispatch.hand_over(held, body.input, call.trace))
        try:
            over = await watch.until_over(self._patience(call, handing))
            return self._told(call, answer, held, watch, over=over, handing=handing)
        finally:
            if handing is not None:
                handing.cancel()

    def _patience(self, call: Call, handing: asyncio.Task[None] | None) -> float:
        if handing is None:
            return 0.0
        asked = _prefer_wait(call.headers.get(b"prefer", b""))
        return min(self._wait_s, int(asked[1])) if asked else self._wait_s

    async def _recall(self, held: CreditsReserved, watch: Watch) -> None:
        """What is known of a run that was asked for before."""
        recent = self._watch.recent(held.account, held.reservation)
        if recent is not None and watch.result is None:
            watch.result = recent
        if watch.ending is None:
            watch.ending = await self._reservations.ending(held.account, held.reservation)

    def _told(
        self,
        call: Call,
        answer: Answer,
        held: CreditsReserved,
        watch: Watch,
        *,
        over: bool,
        handing: asyncio.Task[None] | None,
    ) -> Reply:
        if not over and handing is not None and not handing.done():
            raise Unknown  # held, but nobody can say that a worker will see it
        told = runshown.told(
            answer, held, watch.result, watch.ending, call.trace.request_id, over=over
        )
        self._ledger.metrics.runs.add(told.outcome)
        return Reply(told.status, told.body, REPLAYED if answer.replayed else ())
