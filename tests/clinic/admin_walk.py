"""Request admin pages quickly as any user: no session, no password, rows read once. For tests of permissions."""

import logging
from contextlib import contextmanager

import time_machine
from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.http import HttpResponseForbidden

from tests.clinic.admin_house import furnish
from tests.factories import UserFactory
from tests.world import NOON

# Middleware that costs queries or time for each role and does not affect permissions.
WITHOUT = (
    "clinic.web.public_pages.PublicPages",
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "clinic.practice.middleware.AdminByClinicClock",
)


class SignedIn:
    """Middleware that makes `user` the user of each request, with permissions already loaded."""

    user = AnonymousUser()

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.user, request.session = SignedIn.user, SessionStore()
        return self.get_response(request)


@contextmanager
def light_admin(monkeypatch):
    """Yield the rows of the furnished clinic at NOON, with everything unrelated to permissions switched off."""
    light = [one for one in settings.MIDDLEWARE if one not in WITHOUT]
    monkeypatch.setattr(settings, "MIDDLEWARE", [f"{__name__}.SignedIn", *light])
    monkeypatch.setattr("clinic.urls.handler403", lambda request, exception: HttpResponseForbidden())
    monkeypatch.setattr(SignedIn, "user", AnonymousUser())
    monkeypatch.setattr(ModelAdmin, "get_object", remembering(ModelAdmin.get_object))
    logging.disable(logging.CRITICAL)
    with time_machine.travel(NOON, tick=False):
        yield furnish() | {"practice.user": str(UserFactory(name="Una User").pk)}
    logging.disable(logging.NOTSET)


def remembering(get_object):
    """Wrap `get_object` to read each row once for GET, since most pages read it before they check permissions."""
    known = {}

    def remembered(self, request, object_id, from_field=None):
        key = (self.model, object_id)
        if request.method == "POST":
            return get_object(self, request, object_id, from_field)
        if key not in known:
            known[key] = get_object(self, request, object_id, from_field)
        return known[key]

    return remembered
