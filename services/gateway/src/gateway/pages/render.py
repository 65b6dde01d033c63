"""Templates to responses: one strict environment, everything escaped, one policy on every page."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from contracts.units import Ms
from fastapi.responses import Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from msgspec import Struct

from gateway.moments import moment
from gateway.pages import choices, words
from gateway.pages.assets import Assets
from gateway.pages.regions import Trouble
from gateway.pages.shell import Shell

POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
SHOWN_MAX = 80  # characters of somebody's text in a line; the rest is in its title
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\u200e\u200f]")
_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$"}


class Renderer:
    """Renders views. `view` in a template is the struct that was given."""

    def __init__(self, assets: Assets) -> None:
        loader = PackageLoader("gateway.pages", "templates")
        self._environment = Environment(
            loader=loader,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            n=number,
            milli=milli,
            percent=percent,
            signed=signed,
            when=when,
            instant=instant,
            day=day,
            money=money,
            text=text,
            tool=words.tool,
        )
        self._environment.tests["trouble"] = lambda found: isinstance(found, Trouble)
        self._environment.globals["asset"] = assets.url

    def html(self, template: str, view: Struct) -> str:
        """A template with its view; its forms say for which account they were shown."""
        shown = self._environment.get_template(template).render(view=view)
        shell = getattr(view, "shell", None)
        if not isinstance(shell, Shell) or not shell.account:
            return shown
        return choices.said(shown, shell.account)

    def page(self, template: str, view: Struct, status: int = 200) -> Response:
        """A whole page, or a part of one, that nobody may keep, frame or extend."""
        return Response(
            self.html(template, view),
            status_code=status,
            media_type="text/html",
            headers={
                "content-security-policy": POLICY,
                "cache-control": "no-store",
                "referrer-policy": "same-origin",
                "vary": "cookie",
                "x-content-type-options": "nosniff",
            },
        )


def number(value: int) -> str:
    """1234567 as 1,234,567; a true minus sign."""
    return f"{value:,}".replace("-", "\u2212")


def signed(value: int) -> str:
    """The same with its sign; nothing moved is 0."""
    return f"+{value:,}" if value > 0 else number(value)


def milli(value: int) -> str:
    """Thousandths of a credit as credits: 1.250."""
    shown = f"{abs(value) // 1000:,}.{abs(value) % 1000:03d}"
    return f"\u2212{shown}" if value < 0 else shown


def percent(value: float) -> str:
    """A change in percent, with its sign."""
    return f"{value:+.1f} %".replace("-", "\u2212")


def when(at: datetime, zone: str = "UTC", form: str = "minute") -> Markup:
    """An instant on the account's clock, exact in its attribute."""
    local = at.astimezone(ZoneInfo(zone))
    shown = f"{local.day} {local:%b %Y}"
    if form != "date":
        shown += f", {local:%H:%M:%S}" if form == "second" else f", {local:%H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(
        f"{at:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z", shown
    )


def instant(ms: Ms) -> Markup:
    """Milliseconds since the epoch as an instant, in UTC."""
    return when(moment(ms), "UTC", "second")


def day(at: date) -> str:
    """Mon 3 Nov."""
    return f"{at:%a} {at.day} {at:%b}"


def money(minor: int, currency: str) -> str:
    """1050 GBP as £10.50; currencies that people here pay in have two places."""
    return f"{_SYMBOLS.get(currency, currency + ' ')}{minor // 100:,}.{minor % 100:02d}"


def unit_price(price_minor: int, amount: int, currency: str) -> str:
    """What one credit of a pack costs, to a tenth of a minor unit: £0.018."""
    tenths = (price_minor * 10 + amount // 2) // amount
    return f"{_SYMBOLS.get(currency, currency + ' ')}{tenths // 1000}.{tenths % 1000:03d}"


def text(raw: str, most: int = SHOWN_MAX) -> Markup:
    """Somebody's text: isolated, so that its direction stays its own; long ones are cut."""
    clean = _CONTROL.sub("", raw)
    if len(clean) <= most:
        return Markup("<bdi>{}</bdi>").format(clean)
    return Markup('<bdi title="{}">{}…</bdi>').format(escape(clean[:500]), clean[:most])
