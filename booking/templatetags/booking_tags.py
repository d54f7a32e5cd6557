"""Template tags on visits and services."""

from datetime import timedelta

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils import timezone

from assessments.models import Response
from assessments.red_flags.advice import find_current_advice, responses_begun, responses_of
from assessments.templatetags.assessment_tags import advice_context
from booking.actions.confirm_address import OWN_FOR
from booking.actions.hold import HOLD
from booking.actions.return_links import LINK_LASTS
from booking.models import Appointment, Purpose, Service
from booking.models.visit_states import UNDO_FOR
from clinic.practice.templatetags.practice_tags import minutes

register = template.Library()

TIME_LIMITS = {
    "undo": UNDO_FOR,
    "hold": HOLD,
    "recognized": LINK_LASTS,
    "own address": OWN_FOR,
}


@register.simple_tag
def time_limit(name: str) -> str:
    """Return the time limit that TIME_LIMITS has for `name` as text, such as "3 minutes"."""
    return minutes(TIME_LIMITS[name] // timedelta(minutes=1))


@register.simple_tag
def more_minutes() -> str:
    """Format the time that renewing a hold adds, such as "10 more minutes"."""
    return f"{HOLD // timedelta(minutes=1)} more minutes"


@register.inclusion_tag("assessments/_current_advice.html", takes_context=True)
def visit_advice(context: Context) -> dict:
    """Show the patient's current advice on a visit's pages.

    With an emailed link, it is based on all of the patient's answers, otherwise only on those for this visit.
    """
    visit = context["appointment"]
    begun = responses_begun(visit.patient_id, at=visit.created_at, intake_id=visit.intake_id)
    advice = find_current_advice(responses_of(visit.patient) if context["is_mailed"] else begun)
    is_ours = advice and advice.response_id == visit.intake_id and visit.status == Appointment.Status.BOOKED
    url = reverse("booking:questions", args=[context["token"]]) if is_ours else ""
    return advice_context(context, advice) | {"questions_url": url}


@register.simple_tag
def has_visit_ahead(response: Response) -> bool:
    """Whether `response` is the intake of a booked visit in the future."""
    booked = Appointment.objects.filter(intake=response, status=Appointment.Status.BOOKED)
    return booked.filter(starts_at__gt=timezone.now()).exists()


@register.simple_tag
def guardian_at_booking(response: Response) -> str:
    """Return the name of the parent or guardian that was given for the visit of `response`. Empty if there is none."""
    return Appointment.objects.filter(intake=response).values_list("guardian_name", flat=True).first() or ""


@register.inclusion_tag("booking/_admin_contact.html", takes_context=True)
def intake_contact(context: Context, response: Response) -> dict:
    """Show staff how to reach the patient of an intake: phone number, guardian, links to patient and visit."""
    visit = Appointment.objects.filter(intake=response).first()
    return {"visit": visit, "patient": response.patient, "clinic": context.get("clinic"), "perms": context.get("perms")}


@register.inclusion_tag("booking/_book_buttons.html", takes_context=True)
def book_buttons(context: Context, *, via: str = "", most: int = 2) -> dict:
    """Show buttons for the first `most` services that new patients can book. `via` is the article's code.

    If there are no such services, show the clinic's phone number, if it has one, and a link to the list of services.
    """
    services = Service.objects.booked_online().exclude(purpose=Purpose.FOLLOW_UP)[:most]
    return {"services": services, "query": f"?via={via}" if via else "", "clinic": context.get("clinic")}
