"""Signed cookies for the last visit that this browser booked and the last hold that it released. Valid for `KEPT_FOR`.

With them, a page reached by the Back button can explain what happened to its time.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import resolve, reverse

from booking.actions.hold import is_live
from booking.browser.own_hold import held_path, own_hold
from booking.models import Appointment
from booking.schedule.clocks import visit_time
from clinic.practice.access.links import LinkExpired, LinkUnknown, open_link
from clinic.practice.models import Clinic, LinkPurpose

BOOKED, GIVEN_BACK = settings.COOKIE_PREFIX + "booked", settings.COOKIE_PREFIX + "given_back"
SALT = "booking.past.cookie"
KEPT_FOR = timedelta(hours=1)


def remember_booking(request: HttpRequest, response: HttpResponse, path: str) -> HttpResponse:
    """Set the cookie with the token in `path`, the URL of the booked visit.

    The browser is redirected to that URL, so the cookie reveals nothing new to it.
    """
    return _remember(request, response, BOOKED, resolve(path).kwargs["token"])


def remember_given_back(request: HttpRequest, response: HttpResponse, hold_token: str) -> HttpResponse:
    """Set the cookie for the hold that was just released."""
    return _remember(request, response, GIVEN_BACK, hold_token)


def own_booking(request: HttpRequest, *, now: datetime) -> dict:
    """Return the `visit` that this browser booked, its `path` and its `time`.

    Empty if there is none, its link is no longer valid, or the visit is no longer booked.
    """
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
    """Return `own_booking` if that visit has the page's slot, else an empty dict."""
    if not (booked := own_booking(request, now=now)):
        return {}
    return booked if context["slot"].is_of(booked["visit"]) else {}


def why_not_held(request: HttpRequest, context: dict, row: Appointment | None, token: str, *, now: datetime) -> dict:
    """Return why the hold with `token` has ended: `why` is given_back, over, other_hold, other_booking, or unknown.

    `row` is the expired hold, if it still exists. With other_hold, the result also has the `path` and `time` of that
    hold; with other_booking, the items of `own_booking`.
    """
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
