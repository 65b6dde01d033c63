"""Bounded shapes that the tools' inputs share: no text and no list without a limit."""

from typing import Annotated, TypeAlias

from msgspec import Meta

NAME_CHARACTERS_MAX = 80  # fits one line of any report
LINE_CHARACTERS_MAX = 300  # one sentence

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=NAME_CHARACTERS_MAX)]
Line: TypeAlias = Annotated[str, Meta(max_length=LINE_CHARACTERS_MAX)]
Word: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
Percent: TypeAlias = float  # 0 to 100, one decimal


def percent(part: int, whole: int) -> Percent:
    """`part` of `whole` with one decimal; of nothing, everything."""
    return round(100 * part / whole, 1) if whole else 100.0


def mermaid_text(text: str) -> str:
    """Text that is safe inside a quoted Mermaid label."""
    return text.replace("&", "&amp;").replace('"', "#quot;").replace("<", "&lt;").replace("\n", " ")
