"""The metrics reference is what the services show, and what names a metric names one of them."""

import re

from tests.reference import TARGET, families, written
from tests.tidy.sources import texts, told

NAME = re.compile(r"`(scrip_[a-z0-9_]+)")
SUFFIXES = ("", "_total", "_bucket", "_count", "_sum", "_created")
OTHERS = {"scrip_gateway", "scrip_identity", "scrip_projector", "scrip_session"}  # roles, a cookie


def test_the_metrics_reference_is_up_to_date() -> None:
    assert TARGET.read_text() == written(), "out of date: `make schemas` writes it anew"


def test_every_metric_in_the_documents_exists() -> None:
    known = {one.name + x for some in families().values() for one in some for x in SUFFIXES}
    faults = [
        f"{path}: {name}"
        for path, text in texts()
        if path.suffix == ".md"
        for name in NAME.findall(text)
        if name not in known | OTHERS
    ]
    assert not faults, told(faults, "No service shows this metric:")
