"""A patient with WebKit on a phone: books, begins the intake, and says at the door "I'm here"."""

from datetime import timedelta

import pytest
import time_machine

from booking.models import Appointment
from booking.schedule.visit_links import visit_path
from tests.world import NINE_ON_TUESDAY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
QUESTIONS = """return [...document.querySelectorAll("[name=seen]")]
  .filter((one) => one.parentElement.checkVisibility()).map((one) => one.value)"""
AT_THE_DOOR = NINE_ON_TUESDAY + timedelta(minutes=56)


def test_patient_books_and_begins_the_intake(day, handheld):
    handheld.open("/book/")
    handheld.follow(handheld.named("Book: Evaluation"))
    handheld.follow(handheld.one(".choice-list li:last-child a.choice"))
    handheld.follow(handheld.one(".time-grid button"))
    handheld.fill("[name=name]", "Maya Lindqvist")
    handheld.fill("[name=email]", "maya@runners.example")
    handheld.fill("[name=phone]", "603 555 0123")
    handheld.follow(handheld.named("Book this visit", "#details-form"))
    assert handheld.one("h1").text == "You’re booked"
    assert handheld.execute_script("return document.documentElement.scrollWidth") <= 390
    visit = Appointment.objects.latest("created_at")
    assert visit.patient.name == "Maya Lindqvist"
    handheld.follow(handheld.named("Answer the questions"))
    handheld.follow(handheld.named("Begin"))
    page = handheld.one("h1").text
    for question in handheld.execute_script(QUESTIONS):
        handheld.answer(question)
    handheld.follow(handheld.named("Save and continue"))
    assert handheld.one("h1").text != page
    visit.refresh_from_db()
    assert visit.intake_id


def test_patient_is_here_and_today_shows_since_when(day, handheld, desktop):
    visit = day["Tom Reyes"]
    with time_machine.travel(AT_THE_DOOR):
        handheld.open(visit_path(visit, now=AT_THE_DOOR))
        handheld.follow(handheld.named("I’m here"))
        assert "Welcome" in handheld.one("#here").text
        desktop.log_in()
        row = desktop.one(f"#visit-{visit.pk}")
        assert visit.patient.name in row.text and "waiting since 9:56" in row.text
        handheld.follow(handheld.named("I’m not here yet"))
        desktop.refresh()
        assert "waiting since" not in desktop.one(f"#visit-{visit.pk}").text
