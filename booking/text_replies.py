"""Y and C, texted back to a reminder."""

from datetime import datetime

from django.conf import settings

from booking.attendance import confirm_appointment
from booking.models import Appointment
from booking.refusals import BookingRefused
from booking.visit_links import visit_path
from booking.wording import clinic_time, visitor_time
from clinic.practice.models import Clinic


def read_text_reply(phone: str, answer: str, now: datetime) -> str:
    """Act on "yes" or "cannot" from `phone` about its next visit, and say what was done; empty if there is none.

    Only somebody who agreed to texts is listened to. "cannot" cancels nothing: it is answered with the link that asks.
    """
    consented = {"patient__text_consents__phone": phone, "patient__text_consents__withdrawn_at": None}
    ahead = Appointment.objects.select_related("patient").filter(
        patient__phone=phone, status=Appointment.Status.BOOKED, starts_at__gt=now, **consented
    )
    visit = ahead.order_by("starts_at").first()
    if visit is None:
        return ""
    if answer == "cannot":
        return f"To move or cancel: {settings.SITE_URL}{visit_path(visit, now=now)}not-coming/"
    try:
        confirm_appointment(appointment=visit, now=now)
    except BookingRefused:
        return ""
    clinic = Clinic.objects.current()
    there = visitor_time(visit.starts_at, mode=visit.mode, zone_name=visit.visitor_time_zone, clinic=clinic)
    time = there or clinic_time(visit.starts_at, clinic)
    return f"Thank you. See you {time.day}, {time.clock_and_zone}."
