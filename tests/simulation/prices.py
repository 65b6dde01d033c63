"""Catalogues that differ, so that two owners who both decide do not agree by luck."""

import msgspec
from contracts.catalogue import Catalogue, bundled

VERSIONS = 3


def catalogues() -> tuple[Catalogue, ...]:
    """The same tools at other prices."""
    known = bundled()
    return tuple(
        msgspec.structs.replace(
            known,
            version=f"{known.version}-{more}",
            pricing=msgspec.structs.replace(
                known.pricing,
                base_credits=known.pricing.base_credits + more,
                min_credits=known.pricing.min_credits + more,
            ),
        )
        for more in range(VERSIONS)
    )
