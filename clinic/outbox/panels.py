"""The panels about messages on the admin's pages of a visit and of a patient."""

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from clinic.outbox.models import TextConsent
from clinic.practice.models import Patient
from clinic.practice.registry.panels import Page, Panel, register_panel

MOST_CONSENTS = 10


def register_panels() -> None:
    """Register the panels of this room."""
    register_panel(MESSAGES)
    register_panel(CONSENTS)


def show_messages(visit: Model) -> str:
    """Return a link to the messages about a visit."""
    url = reverse("admin:outbox_message_changelist", query={"subject_id": visit.pk})
    return format_html('<a href="{}">What was and will be sent</a>', url)


def show_consents(patient: Patient) -> str:
    """Return links to the newest MOST_CONSENTS consents to text messages."""
    consents = TextConsent.objects.filter(patient=patient)[:MOST_CONSENTS]
    rows = ((reverse("admin:outbox_textconsent_change", args=[row.pk]), row) for row in consents)
    return format_html_join(mark_safe("<br>"), '<a href="{}">{}</a>', rows)


MESSAGES = Panel(
    page=Page.BEFORE_VISIT,
    slug="messages_link",
    label="messages",
    permission="outbox.view_message",
    show=show_messages,
    order=20,
)
CONSENTS = Panel(
    page=Page.PATIENT,
    slug="text_consents",
    label="consent to texts",
    permission="outbox.view_textconsent",
    show=show_consents,
    order=40,
)
