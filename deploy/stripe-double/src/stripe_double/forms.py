"""Form bodies and queries as Stripe's clients write them: `a[0][b]=1` is a list of a thing."""

import re
from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import parse_qsl

from stripe_double.refusals import Refused

FIELDS_MAX = 500  # far above any call
_PARTS = re.compile(r"[^\[\]]+|(?<=\[)(?=\])")

Value: TypeAlias = "str | Mapping[str, Value] | list[Value]"
Values: TypeAlias = Mapping[str, Value]
_Tree: TypeAlias = "dict[str, str | _Tree]"


def unfolded(form: str) -> Values:
    """A form as nested values; raises Refused."""
    root: _Tree = {}
    try:
        pairs = parse_qsl(form, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError as why:
        raise Refused("The request has too many parameters.") from why
    for number, (name, value) in enumerate(pairs):
        parts = [str(number) if x == "" else x for x in _PARTS.findall(name)]
        at = root
        for part in parts[:-1]:
            deeper = at.setdefault(part, {})
            if isinstance(deeper, str):
                raise Refused(f"Received both a value and a hash: {name}", param=name)
            at = deeper
        if parts:
            at[parts[-1]] = value
    return {name: _listed(value) for name, value in root.items()}


def _listed(found: "str | _Tree") -> Value:
    if isinstance(found, str):
        return found
    if found and all(name.isdigit() for name in found):
        return [_listed(found[name]) for name in sorted(found, key=int)]
    return {name: _listed(value) for name, value in found.items()}
