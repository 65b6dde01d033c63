"""`python -m tests.reference`: write `docs/metrics.md`, every metric of every service.

Made from the very registries that Prometheus scrapes; `tests/tidy` compares.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import cast

from audit_projector import metrics as projector
from bus.outbox import Outbox
from contracts.invariants import Invariant
from gateway import board
from gateway.listening import Listener
from gateway.metrics import Metrics as Gateway
from gateway.waiting import Bridge
from gateway.watching import RunWatch
from ledger.metrics import Board as Ledger
from notifier.metrics import Metrics as Notifier
from payments.metrics import Metrics as Payments
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from studio_tools.metrics import Metrics as Tools

TARGET = Path(__file__).parents[1] / "docs" / "metrics.md"
_HEAD = """# Metrics

What each service shows to Prometheus, one process a port. Generated: `make schemas` writes it.
Names begin with `scrip_`, units stand last, moments are seconds since the epoch and never ages
where an age would go stale. No label holds an id; each value comes from a closed list.

Invariants: {invariants}. The gauge `scrip_invariant_violations` is what the last whole look found,
and must be 0; `scrip_invariant_last_check_timestamp_seconds` is when that look ended, and is absent
where nobody looks. Read models and compliance log are watched by the audit-projector that has them,
what was paid and what was credited by payments. `scrip verify` looks at everything at once.
"""


class _Nothing:
    """In place of what is only asked when somebody scrapes."""

    def __getattr__(self, name: str) -> "_Nothing":
        return self

    def __len__(self) -> int:
        return 0

    def __int__(self) -> int:
        return 0

    def __iter__(self) -> "_Nothing":
        return self

    def __next__(self) -> int:
        raise StopIteration


def families() -> dict[str, list[Metric]]:
    """All families, by service."""
    gateway, nothing = Gateway(), _Nothing()
    board.show(
        gateway,
        cast("Bridge", nothing),
        cast("Listener", nothing),
        cast("Outbox", nothing),
        cast("RunWatch", nothing),
    )
    tools = CollectorRegistry()
    Tools(tools, ())
    found: dict[str, Iterable[Metric]] = {
        "audit-projector": projector.Metrics().registry.collect(),
        "gateway": gateway.collect(),
        "ledger": Ledger(0).registry.collect(),
        "notifier": Notifier().registry.collect(),
        "payments": Payments().registry.collect(),
        "studio-tools": tools.collect(),
    }
    return {name: sorted(some, key=lambda one: one.name) for name, some in found.items()}


def written() -> str:
    """The whole document."""
    names = ", ".join(f"`{one.value}`" for one in Invariant)
    parts = [_HEAD.format(invariants=names)]
    for service, some in families().items():
        parts += [f"\n## {service}\n", "\n| metric | kind | what |\n|---|---|---|\n"]
        for one in some:
            name = f"{one.name}_total" if one.type == "counter" else one.name
            parts.append(f"| `{name}` | {one.type} | {one.documentation} |\n")
    return "".join(parts)


if __name__ == "__main__":
    TARGET.write_text(written())
