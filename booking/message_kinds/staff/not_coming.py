"""The email that tells the clinic that a patient cannot come and that it is too late to cancel online."""

from datetime import datetime

from django.urls import reverse

from booking.messages.names import NOT_COMING
from booking.models import Appointment
from clinic.outbox.messages.alerts import staff_email, why_clinic_unreachable
from clinic.outbox.messages.kinds import Email, MessageKind, TemplateText
from clinic.outbox.models import Message


def _render(message: Message, template: TemplateText | None, now: datetime) -> Email:
    path = reverse("admin:booking_appointment_change", args=[message.subject_id])
    return staff_email(NOT_COMING, path=path, button_text="Open the visit")


def _why_unwanted(message: Message, now: datetime) -> str | None:
    booked = Appointment.objects.filter(pk=message.subject_id, status=Appointment.Status.BOOKED)
    is_standing = booked.filter(not_coming_at__isnull=False).exists()
    return why_clinic_unreachable() if is_standing else "the patient comes, or the visit was changed"


KIND = MessageKind(
    name=NOT_COMING,
    title="To the clinic: a patient cannot come",
    render=_render,
    relevance=_why_unwanted,
    respects_quiet_hours=False,
)
