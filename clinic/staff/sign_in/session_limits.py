"""Limits on a staff session: idle for at most IDLE, and LONGEST in all.

When a page was last used is in a signed cookie that is bound to the session, so no page has to write to the database.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.http import HttpRequest, HttpResponse

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
WARN_BEFORE = timedelta(minutes=1)
COOKIE, SALT = settings.COOKIE_PREFIX + "last_used", "clinic.staff.session_limits"
STARTED, FACTOR = "signed_in_at", "second_factor"  # session keys


class Ended(StrEnum):
    """Why a session has ended."""

    IDLE = "idle"
    LONGEST = "longest"
    FACTOR = "factor"  # a second step was added elsewhere, and this session was signed in without it


def begin(session: SessionBase, *, has_factor: bool, now: datetime) -> None:
    """Record in the session that a member of staff signed in at `now`, and whether with a second step."""
    session[STARTED], session[FACTOR] = now.isoformat(), has_factor


def signed_in_at(session: SessionBase) -> datetime | None:
    """Return when the session was signed in; None if it was not signed in by a person (a test, a command)."""
    text = session.get(STARTED)
    return datetime.fromisoformat(text) if text else None


def why_ended(request: HttpRequest, *, now: datetime) -> Ended | None:
    """Return why the session of this request has ended; None if it may go on. No query."""
    since = signed_in_at(request.session)
    if since is None:
        return None
    if now - since >= LONGEST:
        return Ended.LONGEST
    last_used_at = _last_used_at(request)
    return Ended.IDLE if last_used_at is None or now - last_used_at >= IDLE else None


def note_use(request: HttpRequest, response: HttpResponse, *, now: datetime) -> None:
    """Set the cookie with the time of this use."""
    value = signing.dumps([request.session.session_key, now.isoformat()], salt=SALT)
    response.set_cookie(COOKIE, value, secure=request.is_secure(), httponly=True, samesite="Lax")


def _last_used_at(request: HttpRequest) -> datetime | None:
    try:
        session_key, text = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT)
    except signing.BadSignature:
        return None
    return datetime.fromisoformat(text) if session_key == request.session.session_key else None
