"""The states of the pages of gifts: giving, waiting, coming back, and what a code brings."""

from datetime import timedelta

from gateway.gifts import GiftEnded, GiftMade, GiftOpened, GiftSeen
from gateway.pages.claiming import ClaimView
from gateway.pages.giving import STATES, GiftsView, Giving
from gateway.pages.limitsform import Fault
from gateway.pages.shell import Shell
from msgspec.structs import replace

from tests.proofs.pages_states import HOSTILE, LOST, NOW, State, shell

UNTIL = NOW + timedelta(days=30)


def gift_states() -> dict[str, State]:
    gifts = [
        GiftSeen(
            gift_id=f"gift-{state}", amount=40, note=note, state=state, made_at=NOW, until=UNTIL
        )
        for state, note in zip(STATES, ("", "For your birthday", HOSTILE, ""), strict=True)
    ]
    form = Giving("give-1", "40", "30", "For your birthday")
    view = GiftsView(shell=shell("Gifts", "gifts"), gifts=gifts, form=Giving("give-1"))
    link = "https://scrip.example/gifts/claim#" + "a1B2" * 8
    made = GiftMade(gift_id="gift-1", amount=40, until=UNTIL, code="a1B2" * 8, link=link)
    wrong = (Fault("amount", "Enter at least 1."), Fault("note", "Too long."))
    sure = replace(view, form=replace(form, note=HOSTILE), sure=40, left=1_819)
    claim = ClaimView(shell=shell("A gift for you", "gifts"))
    opened = GiftOpened(amount=40, note=HOSTILE, until=UNTIL)
    taken = GiftEnded(gift_id="gift-1", amount=40, state="claimed")
    back = replace(taken, state="returned")
    stranger = replace(claim, shell=Shell(title="A gift for you"), stranger=True)
    unknown = replace(claim, code="nothing", wrong="No gift has this code. Check it.")
    return {
        "gifts": State("gifts.html", view),
        "gifts-none": State("gifts.html", replace(view, gifts=[], back=True)),
        "gifts-lost": State("gifts.html", replace(view, gifts=LOST), 503),
        "gifts-sure": State("gifts.html", sure),
        "gifts-made": State("gifts.html", replace(view, made=made), 201),
        "gifts-wrong": State("gifts.html", replace(view, form=form, faults=wrong), 422),
        "gifts-refused": State("gifts.html", replace(view, refused="20 gifts are open."), 409),
        "claim": State("claim.html", claim),
        "claim-stranger": State("claim.html", stranger),
        "claim-opened": State("claim.html", replace(claim, gift=opened, code="a1B2")),
        "claim-taken": State("claim.html", replace(claim, ended=taken)),
        "claim-returned": State("claim.html", replace(claim, ended=back)),
        "claim-unknown": State("claim.html", unknown, 422),
    }
