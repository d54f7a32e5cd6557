"""The panels of a visit's page in the admin about the intake, the offers of its time, and the patient's article.

The card of a visit has the patient's open flags.
"""

from itertools import groupby
from operator import attrgetter

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from assessments.models import Flag, Level
from booking.models import Appointment
from booking.schedule.local_time import LocalTime
from booking.staff.rights import SEES_SOURCE, SEES_WAIT_LIST
from clinic.practice.registry.panels import Page, Panel, register_panel


def register_panels() -> None:
    """Register the panels of this room."""
    for panel in (INTAKE, SOURCE_ARTICLE, OFFERS, FLAGS):
        register_panel(panel)


def show_intake(visit: Appointment) -> str:
    """Return a link to the summary of the visit's intake, and the patient's progress."""
    if visit.intake is None:
        is_missing = visit.service.intake_slug and visit.status == Appointment.Status.BOOKED
        return "not started" if is_missing else ""
    url = reverse("admin:assessments_response_change", args=[visit.intake_id])
    return format_html('<a href="{}">Open the summary</a> ({})', url, visit.intake.progress)


def show_flags(visit: Appointment) -> str:
    """Return a chip for each level of the patient's open flags, which leads to the answers that raised the first."""
    flags = Flag.objects.open().filter(response__patient=visit.patient_id)
    levels = [list(group) for _, group in groupby(flags, attrgetter("level"))]
    chips = (
        (
            reverse("admin:assessments_response_change", args=[group[0].response_id]),
            FLAG_CHIPS.get(group[0].level, ""),
            f"{len(group)} × " if len(group) > 1 else "",
            group[0].get_level_display(),
        )
        for group in levels
    )
    return format_html_join(" ", '<a class="chip {1}" href="{0}">{2}{3}</a>', chips)


def show_offers(visit: Appointment) -> str:
    """Return links to the wait list entries to which the freed time was offered, and who took it."""
    lines = (
        (
            reverse("admin:booking_waitlistentry_change", args=[offer.entry_id]),
            offer.entry.patient,
            LocalTime(offer.starts_at, timezone.get_current_timezone()).short,
            ", who took it" if offer.taken_at else "",
        )
        for offer in visit.offers_of_its_time.select_related("entry__patient")
    )
    return format_html_join(mark_safe("<br>"), '<a href="{}">{}</a>: {}{}', lines)


def show_source_article(visit: Appointment) -> str:
    """Return a link to the article that the patient came from."""
    if visit.source_article is None:
        return ""
    url = reverse("admin:education_article_change", args=[visit.source_article_id])
    return format_html('<a href="{}">{}</a>', url, visit.source_article)


FLAG_CHIPS: dict[str, str] = {Level.EMERGENCY: "chip-urgent", Level.URGENT: "chip-warn"}

FLAGS = Panel(
    page=Page.CARD,
    slug="open_flags",
    label="warning signs",
    permission="assessments.view_flag",
    show=show_flags,
    order=10,
)
INTAKE = Panel(
    page=Page.BEFORE_VISIT,
    slug="intake_link",
    label="intake",
    permission="assessments.view_response",
    show=show_intake,
    order=10,
)
SOURCE_ARTICLE = Panel(
    page=Page.BEFORE_VISIT,
    slug="source_article",
    label="source article",
    permission=SEES_SOURCE,
    show=show_source_article,
    order=30,
)
OFFERS = Panel(
    page=Page.AFTER_VISIT,
    slug="offers_of_the_time",
    label="time offered to",
    permission=SEES_WAIT_LIST,
    show=show_offers,
    order=10,
)
