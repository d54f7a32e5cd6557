"""Helpers that send the forms of the booking pages as a visitor does, by default from a new browser."""

import uuid
from datetime import timedelta

from django.test import Client

from booking.models import Appointment
from clinic.practice.access.links import _hash_token
from clinic.practice.models import PatientLink
from tests.world import NINE_ON_TUESDAY

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TIMES = [NINE_ON_TUESDAY + day * DAY + hour * HOUR for day in range(4) for hour in (0, 1, 4, 5, 6)]


def path_of(starts_at, step=""):
    return f"/book/evaluation/meredith/{starts_at:%Y%m%dT%H%MZ}/{step}"


def typed(name="Alice Runner", email="alice@example.com", **more):
    return {"name": name, "email": email, "phone": "603 555 0199", "mode": "in_person"} | more


def book_online(number=0, *, browser=None, key=None, headers=None, address="192.0.2.7", **who):
    form = typed(**who) | {"idempotency_key": str(key or uuid.uuid4())}
    return (browser or Client()).post(path_of(TIMES[number]), form, REMOTE_ADDR=address, headers=headers)


def press_hold(starts_at, *, browser, address="192.0.2.7"):
    return browser.post(path_of(starts_at, "hold/"), {"key": str(uuid.uuid4())}, REMOTE_ADDR=address)


def join(number=0, *, email="walter@example.com", browser=None, address="192.0.2.7"):
    form = typed(name=f"Walter W{number}", email=email, first_on="2026-11-24", last_on="2026-12-24")
    return (browser or Client()).post("/book/evaluation/wait/", form, REMOTE_ADDR=address)


def press(browser, path, form=None, **more):
    """Post the form of a visit's page at `path`, with the current version of the visit."""
    link = PatientLink.objects.get(token_hash=_hash_token(path.split("/")[2]))
    version = Appointment.objects.get(pk=link.subject_id).version
    return browser.post(path, {"version": version} | (form or {}), **more)


def move_online(browser, path, starts_at):
    return press(browser, f"{path}move/{starts_at:%Y%m%dT%H%MZ}/", REMOTE_ADDR="203.0.113.5")
