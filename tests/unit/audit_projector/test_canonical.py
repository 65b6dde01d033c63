"""Canonical bytes are those of the reference library, on the fast way and on the careful one."""

import json
from typing import Any

import msgspec
import pytest
import rfc8785
from audit_projector.canonical import NotCanonical, canonical, canonical_value
from hypothesis import given
from hypothesis import strategies as st

SAFE = 2**53 - 1
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-SAFE, SAFE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
PLAIN_TEXTS = st.text(st.characters(max_codepoint=127), max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | PLAIN_TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN_TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES | PLAIN, st.booleans(), st.sampled_from([None, 1]))
def test_any_spelling_of_a_value_has_the_bytes_of_the_reference(
    value: Any, ascii_only: bool, indent: int | None
) -> None:
    spelled = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()

    assert canonical(spelled) == rfc8785.dumps(value)


@given(PLAIN)
def test_what_an_encoder_of_ours_wrote_has_them_too(value: Any) -> None:
    assert canonical(msgspec.json.encode(value)) == rfc8785.dumps(value)


@given(VALUES)
def test_the_careful_way_alone_has_them(value: Any) -> None:
    assert canonical_value(value) == rfc8785.dumps(value)


@given(VALUES)
def test_canonical_bytes_are_their_own_canonical_form(value: Any) -> None:
    once = canonical(json.dumps(value).encode())

    assert canonical(once) == once


def test_names_are_ordered_by_utf_16_not_by_code_point() -> None:
    assert (
        canonical('{"\ufb01":1,"\U00010000":2}'.encode()) == '{"\U00010000":2,"\ufb01":1}'.encode()
    )


def test_integers_that_the_standard_leaves_out_are_written_in_full() -> None:
    assert canonical(b'{"b":-9007199254740993,"a":123456789012345678901234567890}') == (
        b'{"a":123456789012345678901234567890,"b":-9007199254740993}'
    )


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(NotCanonical):
        canonical(b'{"a":')
