"""Who comes, and booking it. The only page of booking that writes."""

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from booking.appointments import book_appointment
from booking.availability import nearest_free_slots, next_free_slots
from booking.forms import DetailsForm
from booking.models import Service
from booking.refusals import BusyTryAgain, NotOfferedBecause, SlotNotOffered, SlotTaken
from booking.rules import require_free
from booking.trail import Trail, read_trail
from booking.views.choose import time_row, time_there, zone_context
from booking.visit_links import visit_path
from booking.wording import clinic_time
from clinic.practice.models import Clinic, Therapist

OTHER_TIMES = 6


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def details(request: HttpRequest, slug: str, therapist_slug: str, starts_at: datetime) -> HttpResponse:
    """The form for one time; sent, it books and leads to the visit's own page."""
    now, clinic = timezone.now(), Clinic.objects.current()
    service = get_object_or_404(Service.objects.listed(), slug=slug)
    therapist = get_object_or_404(Therapist.objects.active(), slug=therapist_slug)
    trail = read_trail(request, now=now)
    context = _context(service, therapist, starts_at, clinic, trail)
    if request.method == "POST":
        return _book(request, context, now)
    try:
        require_free(
            service=service, therapist=therapist, starts_at=starts_at, mode=service.modes[0], now=now, clinic=clinic
        )
    except (SlotTaken, SlotNotOffered) as refusal:
        return _time_is_gone(request, context, refusal, form=None, now=now)
    return render(request, "booking/details.html", {**context, "form": DetailsForm(service=service, clinic=clinic)})


def _context(service: Service, therapist: Therapist, starts_at: datetime, clinic: Clinic, trail: Trail) -> dict:
    time, there = clinic_time(starts_at, clinic), time_there(service, starts_at, clinic, trail)
    return {
        "service": service,
        "therapist": therapist,
        "starts_at": starts_at,
        "time": time,
        "time_there": there.beside(time) if there else "",
        "clinic": clinic,
        "trail": trail,
        "step": 4,
        **zone_context(service, clinic, trail),
    }


def _book(request: HttpRequest, context: dict, now: datetime) -> HttpResponse:
    service, clinic, trail = context["service"], context["clinic"], context["trail"]
    form = DetailsForm(request.POST, service=service, clinic=clinic)
    if not form.is_valid():
        return render(request, "booking/details.html", {**context, "form": form}, status=422)
    try:
        appointment = book_appointment(
            service=service,
            therapist=context["therapist"],
            starts_at=context["starts_at"],
            visitor_time_zone="" if service.is_only_in_person else trail.zone_name,
            source_article=trail.article,
            now=now,
            **form.cleaned_data,
        )
    except BusyTryAgain:
        return render(request, "booking/details.html", {**context, "form": form, "is_busy": True}, status=503)
    except (SlotTaken, SlotNotOffered) as refusal:
        return _time_is_gone(request, context, refusal, form=form, now=now)
    return HttpResponseRedirect(visit_path(appointment, now=now), status=303)


def _time_is_gone(
    request: HttpRequest, context: dict, refusal: SlotTaken | SlotNotOffered, *, form: DetailsForm | None, now: datetime
) -> HttpResponse:
    """The page for a time nobody can have (any more): the nearest others, and what was typed kept in the form."""
    reason = getattr(refusal, "reason", None)
    if reason == NotOfferedBecause.SERVICE:
        raise Http404
    service, clinic, trail = context["service"], context["clinic"], context["trail"]
    wanted = max(context["starts_at"], now)
    slots = nearest_free_slots(service=service, to=wanted, limit=OTHER_TIMES, now=now, clinic=clinic)
    slots = slots or next_free_slots(service=service, limit=OTHER_TIMES, now=now, clinic=clinic)
    others = [time_row(slot, service, clinic, trail) for slot in slots]
    page = {**context, "form": form, "others": others, "reason": reason, "is_past": context["starts_at"] <= now}
    return render(request, "booking/time_gone.html", page, status=_gone_status(reason, is_sent=form is not None))


def _gone_status(reason: NotOfferedBecause | None, *, is_sent: bool) -> int:
    if is_sent or reason is None:
        return 409  # the form and the diary disagree
    return 410 if reason == NotOfferedBecause.NOTICE else 404
