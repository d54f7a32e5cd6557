"""A new message kind is one new file: it is planned, editable by staff, and sent."""

import importlib
import sys
from datetime import timedelta

import pytest
from django.urls import reverse

from clinic.outbox.messages import kinds
from clinic.outbox.models import Message
from tests.clinic.letters import fate, sweep
from tests.world import NINE_ON_TUESDAY, book

FILE = """
from booking.messages.visit_mail import VisitKind
from clinic.outbox.messages.kinds import Timing, TemplateText

KIND = VisitKind(
    name="booking_parking",
    title="Where to park",
    timing=Timing.BEFORE,
    minutes=23 * 60,
    template=TemplateText("Parking {day_word}", "Park behind {place}."),
    is_for=lambda appointment, now: appointment.mode == "in_person",
    respects_quiet_hours=False,
    is_reminder=True,
)
"""


@pytest.fixture
def parking(tmp_path, monkeypatch):
    """Create a folder of kinds with one file, and register its kind as AppConfig.ready does."""
    folder = tmp_path / "kinds_of_a_newcomer"
    (folder / "visits").mkdir(parents=True)
    for path, text in (("__init__.py", ""), ("visits/__init__.py", ""), ("visits/parking.py", FILE)):
        (folder / path).write_text(text)
    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
    monkeypatch.syspath_prepend(tmp_path)
    kinds.register_kinds(importlib.import_module(folder.name))
    yield "booking_parking"
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def test_new_kind_is_planned_edited_in_the_admin_and_sent(parking, evaluation, call, admin_client, post_office):
    visit = book(evaluation)
    message = Message.objects.get(kind=parking)
    assert (message.subject_id, message.due_at) == (visit.pk, NINE_ON_TUESDAY - timedelta(hours=23))
    book(call, starts_at=NINE_ON_TUESDAY + timedelta(hours=2))
    assert Message.objects.filter(kind=parking).count() == 1

    rules = reverse("admin:outbox_messagerule_changelist")
    assert f"?kind={parking}" in admin_client.get(rules).text
    typed = {
        "kind": parking,
        "channel": "email",
        "minutes": 60,
        "is_active": "on",
        "subject": "P",
        "text": "At {time}.",
    }
    assert admin_client.post(reverse("admin:outbox_messagerule_add"), typed).status_code == 302

    sweep(now=message.due_at)
    assert fate(message)[0] == "sent"
    assert [mail["Subject"] for mail in post_office.mails].count("P") == 1
