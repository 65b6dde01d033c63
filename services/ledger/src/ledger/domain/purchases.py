"""RecordPurchase: the money side's facts beside the credit facts. They move no credits.

Payments names each fact once (`stripe:<object>:<effect>`), so the log has it once.
"""

import re
from typing import TypeAlias

from contracts.commands import PurchaseState, RecordPurchase
from contracts.events import (
    AnyEvent,
    PurchaseCompleted,
    PurchaseDisputed,
    PurchaseFailed,
    PurchaseInitiated,
    PurchaseRefunded,
)
from contracts.reasons import Reason
from contracts.units import AMOUNT_MAX

from ledger.domain.refusal import Refusal, refused

_CURRENCY = re.compile(r"[A-Z]{3}")  # ISO 4217
_Fact: TypeAlias = (
    PurchaseInitiated | PurchaseCompleted | PurchaseFailed | PurchaseRefunded | PurchaseDisputed
)
_FACTS: dict[PurchaseState, type[_Fact]] = {
    PurchaseState.INITIATED: PurchaseInitiated,
    PurchaseState.COMPLETED: PurchaseCompleted,
    PurchaseState.FAILED: PurchaseFailed,
    PurchaseState.REFUNDED: PurchaseRefunded,
    PurchaseState.DISPUTED: PurchaseDisputed,
}


def record(command: RecordPurchase) -> tuple[AnyEvent, ...]:
    """The fact as an event; `cost` is the money that this fact is about."""
    cost = command.cost
    if not (0 <= cost.amount_minor <= AMOUNT_MAX and _CURRENCY.fullmatch(cost.currency)):
        return refused(command, Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("cost",)))
    fact = _FACTS[command.state]
    return (fact(purchase=command.purchase, pack=command.pack, cost=cost),)
