"""Act on Y and C texted back to a reminder, or to a text that the clinic moved a visit."""

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
    """Act on "yes" or "cannot" from `phone` about the visit in the last text to it. Return the answer to text back.

    Empty if nothing was done: then staff read the text. "cannot" cancels nothing: the answer links to the page for that.
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
    """Return the visit that the last text to `phone` asked about.

    None if it asked nothing, if the visit has changed since or is not ahead, or if texts about two visits were sent together,
    as to a couple with one phone: the reply may be about either.
    """
    texts = texts_just_sent(phone=phone)
    if len({text.subject_id for text in texts}) != 1 or not asks_by_text(texts[0].kind):
        return None
    visits = Appointment.objects.select_related("patient").filter(
        pk=texts[0].subject_id, patient=texts[0].patient_id, version=texts[0].version
    )
    return visits.filter(status=Appointment.Status.BOOKED, starts_at__gt=now).first()
