"""CSV that a spreadsheet may open: RFC 4180, numbers as numbers, no text that becomes a formula."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence

from fastapi.responses import Response, StreamingResponse

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def sheet(name: str, rows: Iterable[Sequence[str | int]]) -> Response:
    """A download of these rows; the first one is the heading."""
    return Response("".join(map(_written, rows)).encode(), headers=_headers(name))


def streamed_sheet(name: str, rows: AsyncIterator[Sequence[str | int]]) -> StreamingResponse:
    """The same for rows that come in their own time."""

    async def lines() -> AsyncIterator[bytes]:
        async for row in rows:
            yield _written(row).encode()

    return StreamingResponse(lines(), headers=_headers(name))


def _written(row: Sequence[str | int]) -> str:
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")
    writer.writerow([safe(cell) if isinstance(cell, str) else cell for cell in row])
    return line.getvalue()


def _headers(name: str) -> dict[str, str]:
    return {
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }


def safe(cell: str) -> str:
    """A text that a spreadsheet shows instead of computing it."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
