"""Act on the replies Y and C to a reminder, a request to confirm, or a text about a move by the clinic."""

from datetime import datetime

from django.conf import settings

from booking.actions.attend import confirm_appointment
from booking.messages.visit_mail import asks_by_text
from booking.models import Appointment
from booking.schedule.clocks import visit_time
from booking.schedule.errors import BookingRefused
from booking.schedule.visit_links import visit_path
from clinic.outbox.texts.texting import texts_just_sent
from clinic.practice.models import Clinic


def read_text_reply(phone: str, answer: str, now: datetime) -> str:
    """Act on "yes" or "cannot" from `phone` about the visit in the last text to that number. Return the reply to send.

    "yes" confirms the visit. "cannot" does not change the visit; the reply contains a new link to the page where the
    patient can move or cancel. The reply is empty if the answer could not be applied, and then staff read the text.
    """
    visit = _visit_asked_about(phone, now)
    if visit is None:
        return ""
    if answer == "cannot":
        return f"To move or cancel: {settings.SITE_URL}{visit_path(visit, now=now)}not-coming/"
    try:
        confirm_appointment(appointment=visit, now=now)
    except BookingRefused:
        return ""
    clinic = Clinic.objects.current()
    time = visit_time(visit, clinic)
    return f"Thank you. See you {time.day}, {time.clock_and_zone}."


def _visit_asked_about(phone: str, now: datetime) -> Appointment | None:
    """Return the visit that the last text to `phone` asked about; None if the reply cannot be applied to one.

    That is the case if the text asked nothing, if the visit has changed since, is not booked or has begun, or if texts
    about two visits were sent together, such as to a couple with one phone.
    """
    texts = texts_just_sent(phone=phone)
    if len({text.subject_id for text in texts}) != 1 or not asks_by_text(texts[0].kind):
        return None
    visits = Appointment.objects.select_related("patient").filter(
        pk=texts[0].subject_id, patient=texts[0].patient_id, version=texts[0].version
    )
    return visits.filter(status=Appointment.Status.BOOKED, starts_at__gt=now).first()
