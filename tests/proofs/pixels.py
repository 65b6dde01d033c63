"""Screenshots as pixels: just enough of PNG to compare two of them."""

import struct
import zlib
from collections.abc import Iterator

Pixel = tuple[int, int, int]


def pixels(png: bytes) -> list[list[Pixel]]:
    """Rows of an 8-bit RGB or RGBA picture, as browsers make them."""
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert (depth, kind in {2, 6}) == (8, True)
    size = 3 if kind == 2 else 4
    raw = zlib.decompress(b"".join(_chunks(png)))
    rows, before, stride = [], bytes(width * size), width * size
    for number in range(height):
        at = number * (stride + 1)
        before = _row(raw[at], raw[at + 1 : at + 1 + stride], before, size)
        rows.append([(before[x], before[x + 1], before[x + 2]) for x in range(0, stride, size)])
    return rows


def contrast(one: Pixel, two: Pixel) -> float:
    """Between two colours, as WCAG counts it."""
    low, high = sorted((_light(one), _light(two)))
    return (high + 0.05) / (low + 0.05)


def _chunks(png: bytes) -> Iterator[bytes]:
    at = 8
    while at < len(png):
        length, name = struct.unpack(">I4s", png[at : at + 8])
        if name == b"IDAT":
            yield png[at + 8 : at + 8 + length]
        at += length + 12


def _row(how: int, row: bytes, above: bytes, size: int) -> bytes:
    done = bytearray(row)
    for at, value in enumerate(row):
        left = done[at - size] if at >= size else 0
        corner = above[at - size] if at >= size else 0
        done[at] = (value + _guess(how, left, above[at], corner)) & 255
    return bytes(done)


def _guess(how: int, left: int, above: int, corner: int) -> int:
    match how:
        case 1:
            return left
        case 2:
            return above
        case 3:
            return (left + above) // 2
        case 4:
            guess = left + above - corner
            return min((left, above, corner), key=lambda near: abs(guess - near))
        case _:
            return 0


def _light(pixel: Pixel) -> float:
    parts = [x / 255 for x in pixel]
    red, green, blue = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
