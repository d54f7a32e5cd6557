"""Signed cookies for what this browser booked or released within the last hour, for its Back button."""

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.urls import resolve, reverse

from booking.actions.hold import is_live
from booking.browser.own_hold import held_path, own_hold
from booking.models import Appointment
from booking.schedule.clocks import visit_time
from clinic.practice.access.links import LinkExpired, LinkUnknown, open_link
from clinic.practice.models import Clinic, LinkPurpose

BOOKED, GIVEN_BACK, SALT = "booked", "given_back", "booking.past.cookie"
KEPT_FOR = timedelta(hours=1)


def remember_booking(request: HttpRequest, response: HttpResponse, path: str) -> HttpResponse:
    """Set the cookie with the token of the booked visit's link, which the browser was shown anyway."""
    return _remember(request, response, BOOKED, resolve(path).kwargs["token"])


def remember_given_back(request: HttpRequest, response: HttpResponse, hold_token: str) -> HttpResponse:
    """Set the cookie for the hold that was released last."""
    return _remember(request, response, GIVEN_BACK, hold_token)


def own_booking(request: HttpRequest, *, now: datetime) -> dict:
    """Return the booked `visit` of this browser, its `path` and its `time`; empty if there is none or it was cancelled."""
    token = _read(request, BOOKED)
    if not token:
        return {}
    try:
        link = open_link(token=token, purpose=LinkPurpose.VISIT, now=now)
    except (LinkUnknown, LinkExpired):
        return {}
    booked = Appointment.objects.filter(pk=link.subject_id, status=Appointment.Status.BOOKED)
    visit = booked.select_related("service", "therapist").first()
    if visit is None:
        return {}
    path = reverse("booking:visit", args=[token])
    return {"visit": visit, "path": path, "time": visit_time(visit, Clinic.objects.current())}


def booked_here(request: HttpRequest, context: dict, *, now: datetime) -> dict:
    """Return `own_booking` if it has the same slot as the page; else empty."""
    if not (booked := own_booking(request, now=now)):
        return {}
    return booked if context["slot"].is_of(booked["visit"]) else {}


def why_not_held(request: HttpRequest, context: dict, row: Appointment | None, token: str, *, now: datetime) -> dict:
    """Say why a hold has ended: `why` is given_back, over, other_hold, other_booking, or unknown."""
    if _read(request, GIVEN_BACK) == token:
        return {"why": "given_back"}
    if row is not None:
        return {"why": "over"}
    other = own_hold(request)
    if other is not None and is_live(other, now=now):
        return {"why": "other_hold", "path": held_path(other), "time": context["clock"].time(other.starts_at)}
    booked = own_booking(request, now=now)
    return {"why": "other_booking", **booked} if booked else {"why": "unknown"}


def _read(request: HttpRequest, name: str) -> str | None:
    return request.get_signed_cookie(name, default=None, salt=SALT, max_age=KEPT_FOR)


def _remember(request: HttpRequest, response: HttpResponse, name: str, value: str) -> HttpResponse:
    kept = {"max_age": KEPT_FOR, "secure": request.is_secure(), "httponly": True, "samesite": "Lax"}
    response.set_signed_cookie(name, value, salt=SALT, **kept)
    return response
