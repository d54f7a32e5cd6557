"""The front desk moves visits: undo, no message, a longer visit; and blocks time over a visit, whose patient moves."""

import re
from datetime import datetime, time, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from booking.models import Appointment, HoursOverride, Service
from booking.schedule.availability import free_slots
from clinic.demo import login
from clinic.outbox.models import Message
from clinic.practice.models import Clinic
from tests.clinic.letters import sweep
from tests.journeys import steps
from tests.journeys.steps import press
from tests.world import book

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

SLUG = "evaluation"


@pytest.fixture
def visits(demo_clinic, post_office):
    """Alice's and Bob's evaluations, two weeks ahead, whose confirmations were sent."""
    now, clinic = timezone.now(), Clinic.objects.current()
    service = Service.objects.get(slug=SLUG)
    day = (now + timedelta(days=14)).astimezone(clinic.zone).date()
    slots = free_slots(service=service, first_day=day, days=7, now=now, clinic=clinic)
    first = slots[0]
    second = next(slot for slot in slots if slot.starts_at >= first.starts_at + timedelta(days=1))
    made = [
        book(service, name=name, starts_at=slot.starts_at, therapist=slot.therapist, now=now)
        for name, slot in (("Alice Runner", first), ("Bob Walker", second))
    ]
    sweep(now=timezone.now())
    post_office.mails.clear()
    return made


@pytest.fixture
def desk(open_browser, visits):
    """The front desk in a wide browser, signed in."""
    page = open_browser(viewport={"width": 1280, "height": 900})
    steps.log_in(page, email=login.FRONT_DESK_EMAIL)
    return page


def reload(visit) -> Appointment:
    return Appointment.objects.get(pk=visit.pk)


def to_patients(post_office) -> list:
    """Return the sent mails, without those to staff about their sign-in."""
    return [mail for mail in post_office.mails if not mail["To"].endswith("@lakeside.example")]


def later_that_day(visit) -> str:
    local = timezone.localtime(visit.starts_at, Clinic.objects.current().zone)
    return (local + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")


def open_move(page, visit):
    page.goto(f"/admin/booking/appointment/{visit.pk}/change/")
    page.get_by_role("link", name="Move this visit").click()


def move(page, *, to="", **choices):
    if to:
        page.get_by_label("Starts").fill(to)
    for label, choice in choices.items():
        if label == "length":
            page.get_by_label("Length").select_option(choice)
        else:
            page.get_by_role("radio", name=re.compile("^No")).check()
    press(page, "Move this visit")
    if page.get_by_label("Do it anyway").count():
        page.get_by_label("Do it anyway").check()
        press(page, "Move this visit")


def test_move_undo_silence_and_another_length(desk, visits, post_office, check_axe):
    alice, bob = visits
    open_move(desk, alice)
    check_axe(desk)
    move(desk, to=later_that_day(alice))
    assert reload(alice).starts_at != alice.starts_at
    check_axe(desk)
    press(desk, re.compile("^Undo the move"))
    assert reload(alice).starts_at == alice.starts_at
    expect(desk.get_by_role("button", name=re.compile("^Undo the move"))).to_have_count(0)

    open_move(desk, bob)
    move(desk, to=later_that_day(bob), silently=True)
    moved = reload(bob)
    assert moved.events.last().is_silent and moved.starts_at != bob.starts_at

    open_move(desk, alice)
    move(desk, length="75")
    assert reload(alice).minutes == 75
    sweep(now=timezone.now() + timedelta(minutes=4))
    assert [mail["To"] for mail in to_patients(post_office)] == ["alice@example.com"]


def test_time_is_blocked_over_a_visit_and_its_patient_chooses_another(desk, page, visits, post_office, check_axe):
    alice, _ = visits
    local = timezone.localtime(alice.starts_at, Clinic.objects.current().zone)
    day = datetime.combine(local.date(), time(6)).strftime("%Y-%m-%d")
    desk.goto(
        f"/admin/booking/hoursoverride/add/?therapist={alice.therapist_id}&starts_at={day}T06:00&ends_at={day}T21:00"
    )
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.locator(".in-the-way a[href^='tel:']")).to_have_count(1)
    check_axe(desk)
    steps.fits(desk)
    assert desk.get_by_label("Offer them other times").is_checked()
    desk.get_by_label("Block it anyway").check()
    desk.get_by_role("button", name="Save", exact=True).click()
    assert HoursOverride.objects.filter(therapist=alice.therapist).exists()
    assert Message.objects.filter(kind="booking_asked_to_move", subject_id=alice.pk).count() == 1
    sweep(now=timezone.now())
    [mail] = to_patients(post_office)
    link = steps.LINK.search(mail.get_body(("plain",)).get_content())[0]
    page.goto(link[link.index("/visits/") :])
    check_axe(page)
    page.get_by_role("link", name="Choose another time").click()
    page.locator(".choice-list a.choice").last.click()
    page.locator(".time-grid a").last.click()
    press(page, "Yes, move it")
    assert reload(alice).starts_at != alice.starts_at
    assert reload(alice).status == "booked"
