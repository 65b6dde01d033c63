"""Runs one tool on one input under limits, and tells what it came to and what it took.

`run` never raises for anything that a tool or its input does.  How many run at once is the
caller's business (turns.py).  A dead zygote is replaced by a warm one, at a bounded pace.
"""

import asyncio
from types import TracebackType
from typing import Self

import structlog
from contracts.units import RECORD_BYTES_MAX

from studio_tools.frames import Ready
from studio_tools.link import Link, ZygoteConfig, ZygoteError, open_link
from studio_tools.outcomes import Failed, InvalidInput, Limits, Outcome, Reason, Usage

ANSWER_GRACE_S = 3.0  # how long after a run's timeout a silent zygote is believed to be stuck
RESTART_PAUSE_S = (0.0, 0.1, 0.5, 2.0, 5.0)  # before the nth restart in a row; the last one repeats

log = structlog.get_logger()


class ToolRunner:
    """Use as ``async with ToolRunner(config) as runner``."""

    def __init__(self, config: ZygoteConfig) -> None:
        self._config = config
        self._link: Link | None = None
        self._starting = asyncio.Lock()
        self._deaths_in_a_row = 0
        self.restarts = 0

    async def __aenter__(self) -> Self:
        await self._warm_link()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._link is not None:
            await self._link.close()

    @property
    def ready(self) -> Ready:
        """What the zygote said of itself when it was last started."""
        assert self._link is not None
        return self._link.ready

    @property
    def zygote_pid(self) -> int:
        assert self._link is not None
        return self._link.process.pid

    async def run(self, tool: str, payload: bytes, limits: Limits) -> Outcome:
        """One run, from its start to its end.  An input longer than any message is refused."""
        if len(payload) > RECORD_BYTES_MAX:
            return InvalidInput(f"input: longer than {RECORD_BYTES_MAX} bytes")
        try:
            link = await self._warm_link()
        except ZygoteError as wrong:
            return Failed(Reason.CRASHED, Usage(), str(wrong))
        outcome = await link.ask(tool, payload, limits, ANSWER_GRACE_S)
        if not link.gone.is_set():
            self._deaths_in_a_row = 0
        return outcome

    async def _warm_link(self) -> Link:
        async with self._starting:
            if self._link is not None and not self._link.gone.is_set():
                return self._link
            if self._link is not None:
                await self._bury(self._link)
            self._link = await open_link(self._config)
            return self._link

    async def _bury(self, link: Link) -> None:
        await link.close()
        pause = RESTART_PAUSE_S[min(self._deaths_in_a_row, len(RESTART_PAUSE_S) - 1)]
        self._deaths_in_a_row += 1
        self.restarts += 1
        log.warning("zygote died; starting another", exit=link.process.returncode, pause_s=pause)
        await asyncio.sleep(pause)
