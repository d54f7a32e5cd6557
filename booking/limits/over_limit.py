"""Rate limit checks of the pages for patients, and the pages shown when a limit is exceeded.

Each `…_over_budget` function counts the request and returns None. If a limit is exceeded, it counts nothing and
returns the page to show. `is_copy_over_budget` returns a bool instead.
"""

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from booking.actions.confirm_address import request_confirmation
from booking.browser.own_address import is_own_address
from booking.forms.details import DetailsForm
from booking.limits.spending import spend_booking, spend_copy, spend_correction, spend_join, spend_move, spend_undo
from booking.models import Appointment
from booking.schedule.clocks import visit_time
from booking.schedule.local_time import clinic_time
from clinic.practice.access.networks import network_of
from clinic.practice.access.proof import LinkRequest
from clinic.practice.access.rate_limits import Per, Verdict
from clinic.practice.models import Clinic, Proof
from clinic.practice.values.dates import format_near_day

MINUTE = timedelta(minutes=1)


def booking_over_budget(request: HttpRequest, form: DetailsForm, context: dict, now: datetime) -> HttpResponse | None:
    """Count a booking against its rate limits.

    Visitors who proved the address by an emailed link have no limit per network. Their limit per address is separate,
    so strangers who type the same address cannot use it up.
    """
    email = form.patient.email if form.patient else form.cleaned_data["email"]
    is_own = form.patient is not None or is_own_address(request, email)
    verdict = spend_booking(
        email=email,
        network=network_of(request),
        is_own=is_own,
        form_key=form.cleaned_data["idempotency_key"],
        clinic=context["clinic"],
        now=now,
    )
    page = {**context, "form": form}
    return _ask_again(request, "booking/details.html", page, verdict, "" if is_own else email, now)


def join_over_budget(
    request: HttpRequest, template: str, context: dict, now: datetime, *, name: str, email: str
) -> HttpResponse | None:
    """Count a request to join the wait list against its rate limits."""
    is_own = is_own_address(request, email)
    verdict = spend_join(
        email=email,
        name=name,
        service=context["service"],
        network=network_of(request),
        is_own=is_own,
        clinic=context["clinic"],
        now=now,
    )
    return _ask_again(request, template, context, verdict, "" if is_own else email, now)


def move_over_budget(
    request: LinkRequest, token: str, appointment: Appointment, now: datetime, *, to: datetime
) -> HttpResponse | None:
    """Count a move by the visit's link against its rate limits."""
    is_own = _is_own_visit(request, appointment)
    verdict = spend_move(appointment=appointment, to=to, network=network_of(request), is_own=is_own, now=now)
    return _call_us(request, token, appointment, verdict, now)


def undo_over_budget(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse | None:
    """Count an undo of a cancellation or of a move against its rate limits."""
    verdict = spend_undo(appointment=appointment, network=network_of(request), now=now)
    return _call_us(request, token, appointment, verdict, now)


def correction_over_budget(
    request: LinkRequest, token: str, appointment: Appointment, now: datetime, *, email: str
) -> HttpResponse | None:
    """Count an address correction, which sends an email to the new address, against its rate limits."""
    verdict = spend_correction(appointment=appointment, email=email, network=network_of(request), now=now)
    return _call_us(request, token, appointment, verdict, now)


def is_copy_over_budget(request: LinkRequest, appointment: Appointment, now: datetime) -> bool:
    """Count a copy of the visit's email, and return whether it exceeds a rate limit.

    For a visitor who has proven that they own the mailbox, copies are neither counted nor limited.
    """
    is_own = _is_own_visit(request, appointment)
    return not is_own and spend_copy(appointment=appointment, network=network_of(request), now=now).is_over


def _is_own_visit(request: LinkRequest, appointment: Appointment) -> bool:
    """Whether an emailed link or the cookie of `own_address` proves that the visitor owns the visit's mailbox."""
    return request.proof >= Proof.MAILED or is_own_address(request, appointment.booked_patient.email)


def slow_down(request: HttpRequest, template: str, context: dict, verdict: Verdict, now: datetime) -> HttpResponse:
    """Render `template` with status 429 and a Retry-After header. `again_at` in its context says when to try again."""
    clinic = Clinic.objects.current()
    assert verdict.retry_at is not None  # set in every verdict that is over a limit
    again = clinic_time(verdict.retry_at + MINUTE, clinic)  # add a minute, since the page omits seconds
    day = format_near_day(again.instant, now=now, zone=clinic.zone)
    page = {**context, "again_at": f"{'' if day == 'today' else day + ' '}after {again.clock_and_zone}"}
    response = render(request, template, page, status=429)
    response["Retry-After"] = verdict.seconds_left(now=now)
    return response


def _ask_again(
    request: HttpRequest, template: str, context: dict, verdict: Verdict, unproven_email: str, now: datetime
) -> HttpResponse | None:
    """Return None within the limits, else the form with status 429.

    If only the limits of an unproven address are exceeded, also email a link that confirms the address, within the
    limits of those emails.
    """
    if not verdict.is_over:
        return None
    if Per.NETWORK in verdict.over or not unproven_email:
        return slow_down(request, template, {**context, "is_own": not unproven_email}, verdict, now)
    is_new = request_confirmation(email=unproven_email, now=now)
    return render(request, template, {**context, "confirm": {"email": unproven_email, "is_new": is_new}}, status=429)


def _call_us(
    request: HttpRequest, token: str, appointment: Appointment, verdict: Verdict, now: datetime
) -> HttpResponse | None:
    if not verdict.is_over:
        return None
    is_cancelled = appointment.status == Appointment.Status.CANCELLED
    context = {"token": token, "time": visit_time(appointment, Clinic.objects.current()), "is_cancelled": is_cancelled}
    return slow_down(request, "booking/changed_often.html", context, verdict, now)
