"""The wait list, for those on it: joining from the days or from a visit's page, looking, and leaving by a button."""

from datetime import datetime
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from assessments.views.screen import screen_before
from booking.forms import JoinForm, WishesForm
from booking.models import Appointment, Service, WaitListEntry
from booking.refusals import TooManyBookings
from booking.rules import bookable_time
from booking.trail import read_trail
from booking.views.choose import choices_context
from booking.views.manage import by_link, visit_context
from booking.wait_list import LONGEST_WAIT, join_as_visitor, join_wait_list, leave_wait_list
from booking.wording import short_day_words
from clinic.practice.links import LinkUnknown, open_link
from clinic.practice.models import Clinic, LinkPurpose
from clinic.practice.networks import network_mark


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def join(request: HttpRequest, slug: str) -> HttpResponse:
    """For who found no day that suits: what would, and whom to tell."""
    now, clinic = timezone.now(), Clinic.objects.current()
    service = get_object_or_404(Service.objects.listed(), slug=slug)
    if not service.is_bookable:
        raise Http404
    trail = read_trail(request, now=now)
    if page := screen_before(request, trail.article):
        return page
    therapist = choices_context(service, trail)["therapist"]
    today = now.astimezone(clinic.zone).date()
    form = JoinForm(
        request.POST or None,
        service=service,
        clinic=clinic,
        today=today,
        latest=today + LONGEST_WAIT,
        initial={
            "part_of_day": trail.part.slug if trail.part else "",
            "last_on": bookable_time(service, clinic=clinic, now=now).last_day(clinic.zone),
        },
    )
    if request.method == "POST" and form.is_valid():
        who = {name: form.cleaned_data[name] for name in ("name", "email", "phone", "mode")}
        zone_name = "" if service.is_only_in_person else trail.zone_name
        place = {"service": service, "therapist": therapist, "time_zone": zone_name, "clinic": clinic}
        mark = network_mark(request, now=now)
        try:
            join_as_visitor(**who, **place, wishes=form.wishes, network=mark, now=now)
        except TooManyBookings:
            return render(request, "429.html", status=429)
        return HttpResponseRedirect(reverse("booking:joined_wait_list", args=[slug]), status=303)
    context = {"service": service, "clinic": clinic, "trail": trail, "therapist": therapist, "form": form, "step": 3}
    return render(request, "booking/join_wait_list.html", context, status=422 if form.errors else 200)


@require_safe
def joined(request: HttpRequest, slug: str) -> HttpResponse:
    """What follows. The same for everybody: the way to an entry is in the mail alone."""
    service = get_object_or_404(Service.objects.listed(), slug=slug)
    return render(request, "booking/joined_wait_list.html", {"service": service})


@require_http_methods(["GET", "HEAD", "POST"])
@by_link
def earlier(request: HttpRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """ "Tell me if something earlier gets free": what would suit; and, once on the list, changing it and leaving."""
    context = visit_context(token, appointment, now)
    entry = WaitListEntry.objects.waiting().filter(patient=appointment.patient_id, service=appointment.service_id)
    context["entry"] = entry = entry.first()
    if request.method == "POST" and entry is not None and "leave" in request.POST:
        leave_wait_list(entry=entry, now=now)
        return HttpResponseRedirect(reverse("booking:visit", args=[token]), status=303)
    if not context["can_change"]:
        return render(request, "booking/earlier.html", context, status=409)
    zone = context["clinic"].zone
    wished = {} if entry is None else {name: getattr(entry, name) for name in WishesForm.base_fields}
    today, latest = now.astimezone(zone).date(), appointment.starts_at.astimezone(zone).date()
    form = WishesForm(request.POST or None, today=today, latest=latest, initial=wished)
    if request.method == "POST" and form.is_valid():
        join_wait_list(
            patient=appointment.patient,
            service=appointment.service,
            mode=appointment.mode,
            wishes=form.wishes,
            appointment=appointment,
            now=now,
        )
        return HttpResponseRedirect(reverse("booking:earlier", args=[token]), status=303)
    return render(request, "booking/earlier.html", {**context, "form": form}, status=422 if form.errors else 200)


def entry_by_link(view):
    """Hands the view the wait list entry whose link it is."""

    @wraps(view)
    @never_cache
    def opened(request: HttpRequest, token: str) -> HttpResponse:
        now = timezone.now()
        link = open_link(token=token, purpose=LinkPurpose.WAITING, now=now)
        entries = WaitListEntry.objects.select_related("service", "therapist")
        entry = entries.filter(pk=link.subject_id, patient=link.patient_id).first()
        if entry is None:
            raise LinkUnknown
        response = view(request, token, entry, now)
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return opened


@require_safe
@entry_by_link
def entry(request: HttpRequest, token: str, entry: WaitListEntry, now: datetime) -> HttpResponse:
    """What they wait for, and a button to leave. Says nothing of any visit: anybody may have filled in the form."""
    return _show_entry(request, token, entry, now)


@csrf_exempt  # a mail program posts here for its reader (RFC 8058), with no page of ours open; the link is the proof
@require_http_methods(["GET", "HEAD", "POST"])
@entry_by_link
def leave(request: HttpRequest, token: str, entry: WaitListEntry, now: datetime) -> HttpResponse:
    """Leave the list. Opening the link only asks."""
    if request.method != "POST":
        return _show_entry(request, token, entry, now)
    leave_wait_list(entry=entry, now=now)
    if "List-Unsubscribe" in request.POST:
        return HttpResponse(status=204)
    return HttpResponseRedirect(reverse("booking:waiting", args=[token]), status=303)


def _show_entry(request: HttpRequest, token: str, entry: WaitListEntry, now: datetime) -> HttpResponse:
    clinic = Clinic.objects.current()
    context = {
        "token": token,
        "entry": entry,
        "clinic": clinic,
        "days": f"{short_day_words(entry.first_on)} – {short_day_words(entry.last_on)}",
        "is_waiting": entry.status == WaitListEntry.Status.WAITING
        and entry.last_on >= now.astimezone(clinic.zone).date(),
        "is_served": entry.status == WaitListEntry.Status.SERVED,
    }
    return render(request, "booking/waiting.html", context)
