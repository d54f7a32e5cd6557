"""Template filters that format instants, durations, prices and phone numbers; the tag for registered parts of a page."""

import re
from datetime import date, datetime
from itertools import zip_longest

from django import template
from django.template.context import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from clinic.practice.models import Clinic
from clinic.practice.registry.parts import ShownPart
from clinic.practice.values.dates import format_day, format_instant, format_short_day
from clinic.practice.values.mail_addresses import readable_address
from clinic.practice.values.money import format_money
from clinic.practice.values.phone import format_phone

register = template.Library()

_INSIDE_A_CLOCK = re.compile(r"(?<=:\d\d) (?=[AP]M\b)|(?<=[AP]M) (?=[A-Z])")


@register.filter
def clinic_time(instant: datetime, clinic: Clinic | None = None) -> str:
    """Return text like "Tue, Dec 1, 9:00 AM" in the clinic's zone.

    In a list, pass the clinic (`:clinic`) to save a query per row.
    """
    return format_instant(instant, (clinic or Clinic.objects.current()).zone, now=timezone.now())


@register.filter
def page_time(instant: datetime) -> str:
    """Return text like "Tue, Dec 1, 9:00 AM" in the current time zone (in the admin, the clinic's)."""
    return format_instant(instant, timezone.get_current_timezone(), now=timezone.now())


@register.filter
def keep_clock(text: object) -> str:
    """Return `text` with no-break spaces inside times such as "9:00 AM EST"."""
    return _INSIDE_A_CLOCK.sub("\u00a0", str(text)) if text else ""


@register.filter(expects_localtime=True)
def full_day(day: date) -> str:
    """Return text like "Tuesday, December 1", with the year where it is not the current one."""
    return format_day(day, today=timezone.localdate())


@register.filter(expects_localtime=True)
def short_day(day: date) -> str:
    """Return text like "Tue, Dec 1", with the year where it is not the current one."""
    return format_short_day(day, today=timezone.localdate())


@register.filter
def phone_link(phone: str, clinic: Clinic | None = None) -> str:
    """Return a link that dials `phone`, formatted for the clinic's country; empty for no number.

    Pass the clinic (`:clinic`), or the country is the US.
    """
    return dialing_link(phone, clinic.country if clinic else "US")


def dialing_link(phone: str, country: str) -> str:
    """Return a link that dials `phone`, formatted for `country` (ISO 3166); empty for no number."""
    return format_html('<a href="tel:{}">{}</a>', phone, format_phone(phone, country)) if phone else ""


@register.filter
def phone_text(phone: str, clinic: Clinic | None = None) -> str:
    """Return `phone` formatted for the clinic's country, by default the US; empty for no number."""
    return format_phone(phone, clinic.country if clinic else "US") if phone else ""


register.filter("money", format_money)
register.filter("address_text", readable_address)


@register.filter
def minutes(count: int) -> str:
    """Return text like "45 minutes", "1 hour", "1 hour 30 minutes"."""
    hours, rest = divmod(count, 60)
    parts = [f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in ((hours, "hour"), (rest, "minute")) if n]
    return " ".join(parts) or "0 minutes"


@register.filter
def with_labels(cells: list[str], headers: list[dict]) -> list[tuple[str, str]]:
    """Return (cell, name of its column) for a row of an admin list; the checkbox that selects the row has no name."""
    names = ["" if "<input" in str(header["text"]) else capfirst(header["text"]) for header in headers]
    return list(zip_longest(cells, names[: len(cells)], fillvalue=""))


@register.simple_tag(takes_context=True)
def show_part(context: Context, part: ShownPart) -> SafeString:
    """Render a part of the page that a room registered, with its own context on top of the page's."""
    if context.template is None:
        raise ValueError("a part is shown on a page")
    with context.push(**part.context):
        return context.template.engine.get_template(part.template).render(context)
