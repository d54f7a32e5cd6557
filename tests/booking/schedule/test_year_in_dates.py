"""A date in another year is shown with its year, on every page and in every message."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from booking.schedule.local_time import LocalTime
from booking.schedule.visit_links import visit_path
from clinic.outbox.models import Message
from clinic.practice.models import User
from tests.clinic.letters import render_message
from tests.pages import text_of
from tests.world import book

NEW_YORK = ZoneInfo("America/New_York")
DECEMBER = datetime(2026, 12, 28, 15, tzinfo=UTC)
JANUARY = datetime(2027, 1, 5, 14, tzinfo=UTC)  # a Tuesday, 9:00 AM in New York


@pytest.fixture(autouse=True)
def _monday_in_december():
    with time_machine.travel(DECEMBER, tick=False):
        yield


def test_current_year_is_determined_in_the_shown_zone():
    with time_machine.travel(datetime(2027, 1, 1, 2, tzinfo=UTC), tick=False):  # 9 PM on December 31 in New York
        assert LocalTime(DECEMBER, NEW_YORK).short == "Mon, Dec 28, 10:00 AM"
        assert LocalTime(JANUARY, NEW_YORK).short == "Tue, Jan 5, 2027, 9:00 AM"


def test_pages_and_email_of_a_visit_next_year_show_the_year(client, evaluation):
    visit = book(evaluation, starts_at=JANUARY, now=DECEMBER)
    assert "Tuesday, January 5, 2027, 9:00 AM EST" in text_of(client.get(visit_path(visit, now=DECEMBER)))
    mail = render_message(Message.objects.get(kind="booking_booked"), now=DECEMBER)
    assert "Tuesday, January 5, 2027, 9:00 AM EST" in mail.text
    client.force_login(User.objects.create_superuser("olga@clinic.example", name="Olga"))
    page = client.get(reverse("admin:booking_appointment_change", args=[visit.pk])).content.decode()
    assert "Tue, Jan 5, 2027, 9:00 AM" in page
    assert "Tue, Jan 5, 2027, 9:00 AM" in client.get("/admin/booking/appointment/").content.decode()
    assert "Next visits: Tuesday, January 5, 2027" in client.get("/admin/").content.decode()
