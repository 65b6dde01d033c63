"""Blocking work beside the event loop that is never left half done behind our back."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

_Result = TypeVar("_Result")


async def in_thread(work: Callable[..., _Result], *arguments: object) -> _Result:
    """Run it in a thread, at once. When cancelled, wait for its end first: it uses things of ours.

    Not `to_thread`: that only begins when the loop gets round to it, and the loop is busy folding.
    """
    running = asyncio.get_running_loop().run_in_executor(None, partial(work, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        if not running.cancelled():
            running.exception()  # seen: the cancellation is what our caller hears of
        raise
