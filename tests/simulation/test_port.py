"""The simulated port does what every port must do."""

from collections.abc import Coroutine
from typing import Any

import pytest
from contracts.units import Ms

from tests.simulation.driver import Driver
from tests.simulation.port import SimLog, Turn
from tests.simulation.port_suite import CASES
from tests.simulation.rig import Case


class SimRig:
    """One simulated partition."""

    def __init__(self) -> None:
        self.driver = Driver()
        self._part = self.driver.site.broker.partitions[0]

    async def port(self) -> SimLog:
        return self.driver.port()

    async def command(self, value: bytes, *, gap_after: bool = False) -> int:
        await Turn()
        record = self._part.put_command(b"a", value, self.driver.site.now)
        self._part.command_end += gap_after
        return record.offset

    async def delete_commands_before(self, offset: int) -> None:
        await Turn()
        self._part.drop_commands_before(offset)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.driver.start(work)

    async def sleep(self, for_ms: Ms) -> None:
        await self.driver.sleep(for_ms)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_simulated_port(case: Case) -> None:
    rig = SimRig()
    rig.driver.run(case(rig))
    rig.driver.close()
