"""The routes of the OpenAPI document, each with the very structs that decode and encode it."""

from msgspec import Struct

from contracts import billing
from gateway import (
    accountkeys,
    balances,
    batch,
    bodies,
    controls,
    creditsettings,
    embeds,
    giftbodies,
    giftroutes,
    gifts,
    limits,
    privacy,
    reads,
    referralbodies,
    referrals,
    reservations,
    runshown,
    runstates,
    signin,
    statement,
    teambodies,
    teamshapes,
    telling,
    transfers,
    usage,
)
from gateway import shapes as given

_KEY = ("key",)
_HOME = ("key", "session")
_SESSION = ("session",)
_EMBED = ("embed",)
HTML = "text/html"
_ANYONE = ("", "key", "session")

APPROVABLE = frozenset(
    ("/v1/accounts/{id}/grants", "/v1/charges/{id}/refund", "/v1/grants/{id}/revoke")
)


class Documented(Struct, frozen=True):
    """A route's shapes. `needs_key`: an Idempotency-Key must come with it."""

    method: str
    path: str
    summary: str
    body: type[Struct] | None
    answer: type[Struct] | None
    status: int = 200
    needs_key: bool = False
    security: tuple[str, ...] = _KEY
    also: tuple[tuple[int, type[Struct]], ...] = ()
    kind: str = "application/json"


HOT = (
    Documented(
        "post", "/v1/accounts/{id}/grants", "Give credits",
        bodies.GrantBody, given.GrantShown, 201, needs_key=True,
    ),
    Documented(
        "post", "/v1/estimates", "What would a run cost?",
        bodies.EstimateBody, given.EstimateShown,
    ),
    Documented(
        "post", "/v1/reservations", "Hold credits for a run",
        bodies.ReserveBody, given.ReservationShown, 201, needs_key=True,
    ),
    Documented(
        "post", "/v1/reservations/{id}/charge", "Take from a reservation",
        bodies.ChargeBody, given.ChargeShown, needs_key=True,
    ),
    Documented(
        "post", "/v1/reservations/{id}/release", "End a reservation without charging",
        bodies.ReleaseBody, given.ReleaseShown, needs_key=True,
    ),
    Documented(
        "post", "/v1/reservations/{id}/extend", "More time or credits for a reservation",
        bodies.ExtendBody, given.ExtensionShown, needs_key=True,
    ),
    Documented(
        "post", "/v1/charges/{id}/refund", "Return a charge",
        bodies.RefundBody, given.RefundShown, needs_key=True,
    ),
    Documented(
        "post", "/v1/accounts/{id}/transfers", "Send credits to another account",
        bodies.TransferBody, given.TransferShown, 201, needs_key=True,
    ),
    Documented(
        "post", "/v1/grants/{id}/revoke", "Take back a grant; what of it is spent becomes debt",
        bodies.RevokeBody, given.RevokeShown, needs_key=True,
    ),
    Documented(
        "post", "/v1/accounts/{id}/freeze", "Stop spending of an account or of one grant",
        bodies.FreezeBody, given.FreezeShown, needs_key=True,
    ),
    Documented(
        "post", "/v1/accounts/{id}/thaw", "End the freeze of a reason",
        bodies.FreezeBody, given.FreezeShown, needs_key=True,
    ),
    Documented(
        "post", "/v1/accounts/{id}/plan", "Put an account on a plan, by calendar months",
        bodies.PlanBody, given.PlanShown, needs_key=True,
    ),
    Documented(
        "post", "/v1/batch", "Up to 1,000 operations, each with its own outcome",
        bodies.BatchBody, batch.BatchShown,
    ),
    Documented(
        "post", "/api/billing/estimate", "What would a run cost? (without an account: some tools)",
        bodies.EstimateBody, given.EstimateShown, security=_ANYONE,
    ),
)  # fmt: skip
BEHIND = (
    Documented("get", "/v1/accounts/{id}/balance", "", None, balances.BalanceShown),
    Documented("get", "/v1/accounts/{id}/transactions", "", None, statement.Statement),
    Documented("get", "/v1/accounts/{id}/usage", "", None, usage.UsageShown),
    Documented("get", "/v1/accounts/{id}/reservations", "", None, reads.OpenReservations),
    Documented("get", "/v1/accounts/{id}/transfers", "", None, transfers.TransfersShown),
    Documented("get", "/v1/accounts/{id}/transfers/{transfer}", "", None, transfers.TransferSeen),
    Documented("get", "/v1/accounts/{id}/controls", "", None, controls.ControlsRead),
    Documented("put", "/v1/accounts/{id}/controls", "", bodies.ControlsBody, given.ControlsShown),
    Documented("get", "/v1/accounts/{id}/limits", "", None, limits.LimitsShown),
    Documented("get", "/api/account/limits", "", None, limits.LimitsShown, security=_HOME),
    Documented("get", "/v1/reservations/{id}", "", None, reservations.Held),
    Documented("get", "/api/credits/balance", "", None, balances.CreditsShown, security=_HOME),
    Documented(
        "get", "/api/live", "", None, telling.Told, security=_HOME, kind="text/event-stream",
    ),
    Documented("get", "/api/account/usage", "", None, usage.UsageShown, security=_HOME),
    Documented("get", "/api/account/transactions", "", None, statement.Statement, security=_HOME),
    Documented("get", "/api/runs/{id}", "", None, runstates.RunState, security=_HOME),
    Documented(
        "post", "/api/billing/checkout", "", billing.CheckoutBody, billing.CheckoutShown, 201,
        security=_HOME,
    ),
    Documented(
        "post", "/api/billing/top-up", "", billing.TopUpBody, billing.TopUpShown, 202,
        needs_key=True, security=_HOME,
    ),
    Documented(
        "get", "/api/billing/subscription", "", None, billing.SubscriptionShown, security=_HOME,
    ),
    Documented(
        "put", "/api/billing/subscription", "",
        billing.SubscribeBody, billing.SubscriptionShown, needs_key=True, security=_HOME,
        also=((201, billing.SubscriptionShown),),
    ),
    Documented(
        "delete", "/api/billing/subscription", "", None, billing.SubscriptionShown,
        needs_key=True, security=_HOME,
    ),
    Documented("get", "/api/billing/payment-methods", "", None, billing.CardsShown, security=_HOME),
    Documented(
        "get", "/api/billing/purchases/{purchase}/receipt", "", None, billing.ReceiptShown,
        security=_HOME,
    ),
    Documented("get", "/api/billing/invoices", "", None, billing.InvoicesShown, security=_HOME),
    Documented("post", "/api/billing/portal", "", None, billing.PortalShown, 201, security=_HOME),
    Documented(
        "get", "/api/billing/verify-payment", "", None, billing.PurchaseShown, security=_HOME,
    ),
    Documented("get", "/api/billing/purchases", "", None, billing.PurchasesShown, security=_HOME),
    Documented(
        "post", "/api/billing/purchases/{purchase}/refunds", "",
        billing.RefundBody, billing.RefundShown, 202, needs_key=True,
    ),
    Documented(
        "get", "/api/account/settings/credits", "", None, creditsettings.CreditSettings,
        security=_HOME,
    ),
    Documented(
        "put", "/api/account/settings/credits", "", bodies.ControlsBody, given.ControlsShown,
        security=_HOME, also=((412, creditsettings.SettingsDiffer),),
    ),
    Documented("get", "/api/account/keys", "", None, accountkeys.KeysShown, security=_HOME),
    Documented(
        "post", "/api/account/keys", "", bodies.KeyBody, accountkeys.KeyShown, 201, security=_HOME,
    ),
    Documented(
        "post", "/api/account/keys/{key}/rotate", "", bodies.RotateBody, accountkeys.KeyShown, 201,
        security=_HOME,
    ),
    Documented("delete", "/api/account/keys/{key}", "", None, None, 204, security=_HOME),
    Documented("get", "/api/gifts", "", None, giftroutes.GiftsShown, security=_HOME),
    Documented(
        "post", "/api/gifts", "", giftbodies.GiftBody, gifts.GiftMade, 201, needs_key=True,
        security=_HOME,
    ),
    Documented(
        "post", "/api/gifts/look", "", giftbodies.GiftCodeBody, gifts.GiftOpened, security=_HOME,
    ),
    Documented(
        "post", "/api/gifts/claim", "", giftbodies.GiftCodeBody, gifts.GiftEnded, security=_HOME,
    ),
    Documented(
        "post", "/api/gifts/decline", "", giftbodies.GiftCodeBody, gifts.GiftEnded, security=_HOME,
    ),
    Documented("post", "/api/gifts/{gift}/cancel", "", None, gifts.GiftEnded, security=_HOME),
    Documented("get", "/api/referrals", "", None, referrals.ReferralShown, security=_HOME),
    Documented("post", "/api/referrals", "", None, referrals.ReferralShown, security=_HOME),
    Documented(
        "post", "/api/referrals/name", "", referralbodies.ReferralBody, referrals.ReferralShown,
        security=_HOME,
    ),
    Documented("get", "/api/account/export", "", None, privacy.Known, security=_HOME),
    Documented(
        "post", "/api/account/erasure", "", bodies.ErasureBody, privacy.Erased, security=_HOME,
    ),
    Documented(
        "post", "/v1/embed-tokens", "", bodies.EmbedTokenBody, embeds.EmbedTokenShown, 201,
    ),
    Documented(
        "get", "/embed/balance", "", None, None, security=_EMBED, kind=HTML,
    ),
    Documented(
        "get", "/embed/estimate", "", None, None, security=_EMBED, kind=HTML,
    ),
    Documented("post", "/api/sign-in", "", bodies.LinkAskedBody, None, 202, security=()),
    Documented("post", "/sign-in/link", "", bodies.LinkFollowedBody, None, 204, security=()),
    Documented("get", "/api/me", "", None, signin.Me, security=_SESSION),
    Documented("post", "/api/sign-out", "", None, None, 204, security=_SESSION),
    Documented("post", "/api/sign-out/everywhere", "", None, signin.SignedOut, security=_SESSION),
    Documented("post", "/api/stripe/webhook", "", None, None, security=()),
    Documented("post", "/dev/sign-in", "", bodies.SignInBody, None, 204, security=()),
    Documented("post", "/dev/sign-out", "", None, None, 204, security=()),
)  # fmt: skip


TEAMS = (
    Documented("get", "/api/teams", "", None, teamshapes.TeamsTold, security=_SESSION),
    Documented(
        "post", "/api/teams", "", teambodies.TeamBody, teamshapes.TeamTold, 201, security=_SESSION,
    ),
    Documented(
        "post", "/api/team-invitations/accept", "",
        teambodies.AcceptanceBody, teamshapes.TeamTold, security=_SESSION,
    ),
    Documented("get", "/api/teams/{team}", "", None, teamshapes.TeamShown, security=_SESSION),
    Documented(
        "post", "/api/teams/{team}/invitations", "",
        teambodies.InvitationBody, teamshapes.InvitationTold, 201, security=_SESSION,
    ),
    Documented(
        "delete", "/api/teams/{team}/invitations/{invitation}", "", None, None, 204,
        security=_SESSION,
    ),
    Documented(
        "put", "/api/teams/{team}/members/{member}", "",
        teambodies.MemberBody, teamshapes.MemberTold, security=_SESSION,
    ),
    Documented(
        "delete", "/api/teams/{team}/members/{member}", "", None, None, 204, security=_SESSION,
    ),
)  # fmt: skip


def run(path: str, title: str) -> Documented:
    """The route that runs a tool."""
    return Documented(
        "post", path, f"Run: {title}", bodies.RunBody, runshown.RunShown, needs_key=True,
        security=_HOME, also=((202, runshown.RunAccepted),),
    )  # fmt: skip
