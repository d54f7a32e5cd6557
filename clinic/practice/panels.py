"""The panels of a patient's page in the admin about possible duplicates and open links."""

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from clinic.practice.models import Patient
from clinic.practice.people.duplicates import PossibleDuplicate, find_possible_duplicates
from clinic.practice.registry.panels import Page, Panel, register_panel
from clinic.practice.values.dates import format_date

MOST_LINKS = 50  # shown per patient


def register_panels() -> None:
    """Register the panels of this room."""
    for panel in (ALIKE, SAME_PERSON, OPEN_LINKS):
        register_panel(panel)


def links_to(found: list[PossibleDuplicate]) -> SafeString:
    """Return links to possible duplicates, each with the reason; empty for none."""
    rows = (
        (reverse("admin:practice_patient_change", args=[one.patient.pk]), one.patient.name, one.why) for one in found
    )
    lines = ((url, name, ", ".join(why)) for url, name, why in rows)
    return format_html_join(mark_safe("<br>"), '<a href="{}">{}</a> ({})', lines)


def show_alike(patient: Patient) -> str:
    """Return links to possible duplicates of this patient, each with the reasons; "none" if there are none."""
    return links_to(_duplicates_of(patient)) or "none"


def show_same_person(patient: Patient) -> str:
    """Return links to the pages that merge this patient with a possible duplicate."""
    rows = (
        (reverse("admin:practice_patient_merge", args=[patient.pk, one.patient.pk]), one.patient.name)
        for one in _duplicates_of(patient)
    )
    return format_html_join(mark_safe("<br>"), '<a href="{}">This is the same person as {}</a>', rows)


def show_open_links(patient: Patient) -> str:
    """Describe the newest MOST_LINKS open links: purpose, delivery, and the dates of creation and expiry."""
    now = timezone.now()
    links = patient.links.filter(revoked_at=None, expires_at__gt=now).order_by("-created_at")
    rows = (
        (
            link.get_purpose_display(),
            link.get_proof_display(),
            format_date(timezone.localtime(link.created_at)),
            format_date(timezone.localtime(link.expires_at)),
        )
        for link in links[:MOST_LINKS]
    )
    lines = format_html_join(mark_safe("<br>"), "{} ({} {}), until {}", rows)
    return lines or "none"


def _duplicates_of(patient: Patient) -> list[PossibleDuplicate]:
    return find_possible_duplicates(name=patient.name, email=patient.email, phone=patient.phone, besides=patient)


ALIKE = Panel(
    page=Page.PATIENT,
    slug="alike",
    label="possible duplicates",
    permission="practice.view_patient",
    show=show_alike,
    order=10,
)
SAME_PERSON = Panel(
    page=Page.PATIENT,
    slug="same_person",
    label="merge",
    permission="practice.merge_patient",
    show=show_same_person,
    order=20,
)
OPEN_LINKS = Panel(
    page=Page.PATIENT,
    slug="open_links",
    label="open links",
    permission="practice.view_patient",
    show=show_open_links,
    order=30,
)
