"""Pages that hold a time while its form is filled in, renew or release the hold, and show the form, held or not."""

import uuid
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from booking.actions.hold import find_hold, hold_time, holds_slot, is_live, is_renewable, release_hold, renew_hold
from booking.browser.own_hold import held_path, own_hold, remember_hold, to_own_hold
from booking.browser.own_past import booked_here, remember_given_back, why_not_held
from booking.browser.recognized import recognized_patient
from booking.forms.details import DetailsForm
from booking.limits.spending import spend_hold
from booking.models import Appointment
from booking.presenters.entry import page_before
from booking.presenters.one_time import book, details_context, offer_time, time_not_free
from booking.schedule.errors import BusyTryAgain, HoldNotRenewable, SlotNotOffered, SlotTaken
from booking.schedule.local_time import format_minutes_left
from booking.schedule.rules import require_free
from clinic.practice.access.networks import network_of
from clinic.responses.redirects import see_other


@require_POST
@never_cache
def hold(request: HttpRequest, slug: str, therapist_slug: str, starts_at: datetime) -> HttpResponse:
    """Hold a time in place of the browser's earlier hold, and redirect to the form.

    Over the rate limit, redirect to the form without a hold.
    """
    now = timezone.now()
    context = details_context(request, slug, therapist_slug, starts_at, now)
    if page := page_before(request, context["service"], context["choices"]):
        return page
    before, key = own_hold(request), _sent_key(request)
    slot = context["slot"]
    if before is not None and holds_slot(before, slot=slot, now=now):
        return see_other(held_path(before) + context["choices"].query)
    network, clinic = network_of(request), context["clinic"]
    if spend_hold(slot=slot, network=network, form_key=key, clinic=clinic, now=now).is_over:
        path = reverse("booking:unheld", args=[slug, therapist_slug, starts_at])
        return see_other(path + context["choices"].query)
    try:
        held = hold_time(slot=slot, idempotency_key=key, instead_of=before, now=now)
    except BusyTryAgain:
        return render(request, "booking/offer.html", {**context, "is_busy": True}, status=503)
    except (SlotTaken, SlotNotOffered) as refusal:
        return time_not_free(request, context, refusal, form=None, now=now)
    response = see_other(held_path(held) + context["choices"].query)
    return remember_hold(request, response, held)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def held(request: HttpRequest, slug: str, therapist_slug: str, starts_at: datetime, token: str) -> HttpResponse:
    """Show the form of a held time. A POST books the time, even after the hold has expired, if it is still free.

    After the hold has ended, a GET shows why, or that the time was booked.
    """
    now = timezone.now()
    context = details_context(request, slug, therapist_slug, starts_at, now)
    if page := page_before(request, context["service"], context["choices"]):
        return page
    row = find_hold(token=token, slot=context["slot"])
    if row is not None:
        context |= _hold_context(row, context, now)
    if request.method == "POST":
        return book(request, context, now, hold_token=token)
    if row is not None and row.status != Appointment.Status.HELD:
        context["booked_here"] = booked_here(request, context, now=now)
        return render(request, "booking/held_booked.html", context, status=410)
    if row is None or not is_live(row, now=now):
        return offer_time(request, context, now, was_held=why_not_held(request, context, row, token, now=now))
    form = DetailsForm(
        service=context["service"],
        clinic=context["clinic"],
        patient=recognized_patient(request),
        initial={"idempotency_key": row.idempotency_key, "terms_seen": row.fingerprint},
    )
    return render(request, "booking/details.html", {**context, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def renew(request: HttpRequest, slug: str, therapist_slug: str, starts_at: datetime, token: str) -> HttpResponse:
    """Renew the hold, which is possible once, and show the form again as sent, neither validated nor stored.

    If the hold has ended and cannot be renewed, show the form only if the time is still free. Redirect to the form if
    the hold was booked, or if no fields were sent, as when the URL is opened later.
    """
    now = timezone.now()
    context = details_context(request, slug, therapist_slug, starts_at, now)
    context["form_path"] = reverse("booking:held", args=[slug, therapist_slug, starts_at, token])
    row = find_hold(token=token, slot=context["slot"])
    outcome = {}
    renewed: Appointment | None = None
    if request.method == "POST" and row is not None:
        try:
            row = renewed = renew_hold(row, now=now)
            outcome = {"is_renewed": True}
        except BusyTryAgain:
            outcome = {"is_busy": True}
        except HoldNotRenewable:
            row = find_hold(token=token, slot=context["slot"])
    if "idempotency_key" not in request.POST or (row and row.status != Appointment.Status.HELD):
        response: HttpResponse = see_other(context["form_path"] + context["choices"].query)
    else:
        response = _typed_so_far(request, context | outcome, row, now)
    return response if renewed is None else remember_hold(request, response, renewed)


def _typed_so_far(request: HttpRequest, context: dict, row: Appointment | None, now: datetime) -> HttpResponse:
    service, clinic = context["service"], context["clinic"]
    form = DetailsForm.from_typed(request.POST, service=service, clinic=clinic, patient=recognized_patient(request))
    if row is not None and is_live(row, now=now):
        context |= _hold_context(row, context, now)
    else:
        try:
            require_free(slot=context["slot"], mode=service.modes[0].name, clinic=clinic, now=now)
        except (SlotTaken, SlotNotOffered) as refusal:
            return time_not_free(request, context, refusal, form=form, now=now)
        context |= {"is_over": not context.get("is_busy")}
    status = 503 if context.get("is_busy") else 200
    return render(request, "booking/details.html", {**context, "form": form}, status=status)


@require_POST
@never_cache
def release(request: HttpRequest, slug: str, therapist_slug: str, starts_at: datetime, token: str) -> HttpResponse:
    """Release the hold, unless it was booked, and redirect to the times of that day."""
    context = details_context(request, slug, therapist_slug, starts_at, timezone.now())
    row = find_hold(token=token, slot=context["slot"])
    path = reverse("booking:times", args=[slug, context["time"].local.date()])
    response = see_other(path + context["choices"].query)
    if row is None or row.status != Appointment.Status.HELD:
        return response
    release_hold(row)
    return remember_given_back(request, response, token)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def unheld(request: HttpRequest, slug: str, therapist_slug: str, starts_at: datetime) -> HttpResponse:
    """Show the form for a time without holding it. A POST books the time if it is still free."""
    now = timezone.now()
    context = {**details_context(request, slug, therapist_slug, starts_at, now), "is_unheld": True}
    if page := page_before(request, context["service"], context["choices"]):
        return page
    if request.method == "POST":
        return book(request, context, now)
    if page := to_own_hold(request, context, now):
        return page
    try:
        require_free(slot=context["slot"], mode=context["service"].modes[0].name, clinic=context["clinic"], now=now)
    except (SlotTaken, SlotNotOffered) as refusal:
        return time_not_free(request, context, refusal, form=None, now=now)
    form = DetailsForm(service=context["service"], clinic=context["clinic"], patient=recognized_patient(request))
    return render(request, "booking/details.html", {**context, "form": form})


def _sent_key(request: HttpRequest) -> uuid.UUID:
    """Return the idempotency key of the form, or a new one if it is missing or not a UUID."""
    try:
        return uuid.UUID(request.POST.get("key", ""))
    except ValueError:
        return uuid.uuid4()


def _hold_context(row: Appointment, context: dict, now: datetime) -> dict:
    row.service, row.therapist = context["service"], context["therapist"]
    if row.hold_expires_at is None or not is_live(row, now=now):
        return {}
    return {
        "agreed": row,
        "hold": {
            "path": held_path(row),
            "renew_path": held_path(row, "renew_hold") if is_renewable(row) else "",
            "release_path": held_path(row, "release_hold"),
            "until": context["clock"].time(row.hold_expires_at),
            "left": format_minutes_left(row.hold_expires_at, now=now),
        },
    }
