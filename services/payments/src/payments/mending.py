"""What the ledger refused, or has otherwise than our books: asked again, or let stand by a person.

A refused command keeps its answer for ever, so it is asked again under a new name.
"""

from contracts.commands import Freeze, Grant, Thaw
from contracts.units import Ms

from payments.effects import effect_id
from payments.purchase import Purchase
from payments.standing import settle


def ask_again(purchase: Purchase, kind: type[Freeze | Thaw], grant: str) -> bool:
    """Stop a lot or let it go once more; a refused one of the same kind is heeded by it."""
    if grant not in purchase.lots:
        return False
    word = kind.__name__
    waiting = (x for x, one in purchase.unheeded.items() if (one.kind, one.grant) == (word, grant))
    purchase.trigger_event(
        Purchase.AskedAgain,
        command=next(waiting, effect_id(grant, word.lower())),
        kind=word,
        grant=grant,
        credits=0,
    )
    return True


def release(purchase: Purchase, now: Ms) -> bool:
    """All that was refused is asked once more; false when nothing was."""
    refused = list(purchase.unheeded.items())
    for command, one in refused:
        if one.kind == Grant.__name__:
            purchase.trigger_event(Purchase.ReturnAskedAgain, grant=command)
            settle(purchase, f"{command}:{purchase.version}", now)  # what is missing, anew
            continue
        purchase.trigger_event(
            Purchase.AskedAgain,
            command=command,
            kind=one.kind,
            grant=one.grant,
            credits=one.credits,
        )
    return bool(refused)


def let_stand(purchase: Purchase, actor: str) -> bool:
    """All that was refused stays undone, by a person's word; false when nothing was."""
    refused = list(purchase.unheeded)
    for command in refused:
        purchase.trigger_event(Purchase.LetStand, command=command, actor=actor)
    return bool(refused)
