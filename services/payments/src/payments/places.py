"""Where the reader of `ledger.events` stands, kept beside what it began."""

from collections.abc import Mapping

from bus.reader import Position

from payments.inbox import Pool


async def read(pool: Pool) -> dict[int, Position]:
    """The kept positions; empty before the first."""
    async with pool.connection() as connection:
        found = await connection.execute(
            'SELECT partition, "offset", token, seq, commands_from FROM payments.positions'
        )
        rows = await found.fetchall()
    return {
        int(str(number)): Position(int(str(at)), str(token), int(str(seq)), int(str(commands)))
        for number, at, token, seq, commands in rows
    }


async def write(pool: Pool, positions: Mapping[int, Position]) -> None:
    """Keep all of them."""
    async with pool.connection() as connection, connection.cursor() as rows:
        await rows.executemany(
            'INSERT INTO payments.positions (partition, "offset", token, seq, commands_from)'
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (partition) DO UPDATE SET"
            ' "offset" = excluded."offset", token = excluded.token, seq = excluded.seq,'
            " commands_from = excluded.commands_from",
            [(n, x.offset, x.token, x.seq, x.commands_from) for n, x in positions.items()],
        )
