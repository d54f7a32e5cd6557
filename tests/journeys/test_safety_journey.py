"""Emergency advice cannot be bypassed by a closed tab, a missing answer or "none of these"."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from assessments.models import Flag, Response, StaffAlert
from assessments.red_flags.flags import acknowledge_flag
from booking.models import Appointment
from clinic.demo.intakes import CALM
from clinic.practice.models import User
from tests.journeys import steps

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
READ = re.compile("I have read this")


@pytest.fixture(autouse=True)
def _no_flags(demo_clinic):
    Flag.objects.all().delete()  # those of the demo's patients


def begin_questions(page, name):
    """Book, open the questions, and return the URLs of the visit and of the questions."""
    steps.book(page, "Evaluation", name=name, email=f"{name.split()[0].lower()}@runners.example")
    visit = page.url
    steps.press(page, "Answer the questions")
    questions = page.url
    page.get_by_role("link", name="Begin").click()
    expect(page.get_by_role("button", name="Save and continue")).to_be_visible()
    return visit, questions


def force(page, link_id, *values):
    """Check answers as a browser without a script can, including contradictory ones."""
    for value in values:
        page.locator(f'input[name="{link_id}"][value="{value}"]').check(force=True)


def expect_advice_first(page, words="Get help now"):
    """Check that the advice is above the heading of the page."""
    card = page.locator(".current-advice .care-card")
    expect(card).to_contain_text(words)
    assert card.bounding_box()["y"] < steps.heading(page).bounding_box()["y"]


@steps.SCRIPTS
def test_emergency_advice_is_shown_on_every_page_after_the_tab_was_closed(phone, check_axe, java_script):
    page = phone()
    visit, questions = begin_questions(page, "Maya Lindqvist")
    steps.answer(page, "rf.leg", "saddle")  # the age and the second list are unanswered
    steps.save(page)
    expect(steps.heading(page)).to_contain_text("Get help now: call 911")
    expect(page.locator(".phone-large").first).to_have_attribute("href", "tel:911")
    steps.fits(page)
    page.context.close()

    ways = [
        questions,
        *(f"{questions}page/{one}/" for one in ("signs", "goals")),
        f"{questions}check/",
        f"{questions}done/",
    ]
    for way in ways:
        reopened = phone()
        reopened.goto(way)
        expect(steps.heading(reopened)).to_contain_text("Get help now: call 911")
        if java_script and way == questions:
            check_axe(reopened)
        reopened.context.close()

    at_visit = phone()
    for address in (visit, f"{visit}not-coming/", f"{visit}cancel/", f"{visit}earlier/"):
        at_visit.goto(address)
        expect_advice_first(at_visit)
        steps.fits(at_visit)
        if java_script:
            check_axe(at_visit)
    at_visit.goto(visit)
    steps.press(at_visit, "I have read this, or want to change an answer")
    expect(steps.heading(at_visit)).to_contain_text("Get help now: call 911")
    steps.press(at_visit, READ)
    expect_advice_first(at_visit)
    expect(steps.heading(at_visit)).to_have_text(
        "First: is it you?"
    )  # a new browser shows the advice and no stored answer
    assert Flag.objects.get().patient_acknowledged_at
    at_visit.context.close()

    later = phone()
    later.goto(visit)
    expect_advice_first(later)
    expect(later.locator(".current-advice")).to_contain_text("You told us that you have read this")
    acknowledge_flag(flag=Flag.objects.get(), by=User.objects.get(name="Nora Ellis"), now=timezone.now())
    later.reload()
    expect(later.locator(".current-advice")).to_have_count(0)


@steps.SCRIPTS
def test_advice_disappears_when_a_sign_checked_by_mistake_is_removed(phone, java_script):
    page = phone()
    visit, _ = begin_questions(page, "Tom Reyes")
    steps.answer_page(page, CALM | {"rf.leg": ["crack"]})
    expect(steps.heading(page)).to_contain_text("Get help now")
    page.get_by_role("link", name="Change the answer").click()
    expect(page.get_by_role("button", name="Save and continue")).to_be_visible()
    expect_advice_first(page)
    page.locator('input[name="rf.leg"][value="crack"]').uncheck(force=True)
    steps.answer_page(page, CALM)
    expect(steps.heading(page)).not_to_contain_text("Get help now")
    page.goto(visit)
    expect(page.locator(".current-advice")).to_have_count(0)


@pytest.mark.parametrize("java_script", [False], ids=["without-javascript"])
def test_sign_beside_none_of_these_stops_the_intake_without_a_script(phone, java_script):
    page = phone()
    begin_questions(page, "Maya Lindqvist")
    force(page, "rf.leg", "none", "no-weight")
    steps.save(page)
    expect(steps.heading(page)).to_contain_text("Get help now: call 911")
    assert Response.objects.get(patient__name="Maya Lindqvist").answers["rf.leg"] == ["no-weight"]


@pytest.mark.parametrize("java_script", [False], ids=["without-javascript"])
def test_first_unsure_answer_is_followed_up_before_the_advice_without_a_script(phone, java_script):
    page = phone()
    begin_questions(page, "Maya Lindqvist")
    before = StaffAlert.objects.count()
    steps.answer(page, "about.age", "21-49")
    steps.answer(page, "rf.leg", "unsure")
    steps.answer(page, "rf.body", "none")
    steps.save(page)
    expect(page.get_by_role("status")).to_contain_text("one more question")
    assert not Flag.objects.exists() and StaffAlert.objects.count() == before
    steps.answer(page, "rf.leg.unsure", "bladder")
    steps.save(page)
    expect(steps.heading(page)).to_contain_text("Get help now: call 911")
    assert Flag.objects.get().rule_id == "RF02"


@steps.SCRIPTS
def test_emergency_before_a_booking_is_shown_however_the_visitor_returns(open_browser, java_script):
    page = open_browser(java_script_enabled=java_script)
    steps.come_from_the_article(page)
    offer = page.url
    steps.press(page, "Answer seven questions")
    steps.answer(page, "rf.body", "chest")
    steps.save(page)
    expect(steps.heading(page)).to_contain_text("Get help now: call 911")
    page.close()

    for way in ("/book/evaluation/", "/book/evaluation/wait/", offer):
        reopened = page.context.new_page()  # the same browser, another tab
        reopened.goto(way)
        expect(steps.heading(reopened)).to_contain_text("Get help now: call 911")
        reopened.close()
    last = page.context.new_page()
    last.goto("/intake/screen/page/safety/")
    expect_advice_first(last)
    assert not Appointment.objects.filter(patient__name="Maya Lindqvist").exists()


@steps.SCRIPTS
def test_urgent_advice_before_a_booking_is_shown_first_on_the_visit_page(open_browser, java_script, check_axe):
    page = open_browser(java_script_enabled=java_script)
    story = CALM | {"rf.move": ["walk-groin"], "loc.map": ["groin"]}
    steps.come_from_the_article(page)
    steps.screen(page, story)
    expect(steps.heading(page)).to_contain_text("Stop running and be seen within 24 hours")
    steps.press(page, READ)
    while page.get_by_role("button", name="Save and continue").count():
        steps.answer_page(page, story)
    steps.finish_booking(page, "Maya Lindqvist")
    expect_advice_first(page, "Stop running and be seen within 24 hours")
    if java_script:
        check_axe(page)
    visit = page.url
    page.context.close()

    reopened = open_browser(java_script_enabled=java_script)
    reopened.goto(visit)
    expect_advice_first(reopened, "Stop running and be seen within 24 hours")
    flag = Flag.objects.get()
    assert flag.rule_id == "RF16" and flag.patient_acknowledged_at


@steps.SCRIPTS
def test_therapist_leaves_word_then_reaches_the_patient_settles_and_reopens(
    phone, open_browser, check_axe, java_script
):
    patient = phone()
    visit, _ = begin_questions(patient, "Maya Lindqvist")
    steps.answer(patient, "rf.leg", "saddle")
    steps.save(patient)

    desk = open_browser(viewport={"width": 1280, "height": 900}, java_script_enabled=java_script)
    steps.log_in(desk)

    def record(button, **choices):
        for name, value in choices.items():
            desk.locator(f'[name="{name}"][value="{value}"]').check()
        steps.press(desk, button)

    def expect_card(is_shown):
        patient.goto(visit)
        expect(patient.locator(".current-advice .care-emergency")).to_have_count(int(is_shown))

    def expect_on_today(is_shown):
        desk.goto("/admin/")
        expect(desk.locator(".row-flag").filter(has_text="Maya Lindqvist")).to_have_count(int(is_shown))

    desk.goto("/admin/")
    desk.locator(".follow-up-link").click()
    follow_up = desk.url
    steps.fits(desk)
    if java_script:
        check_axe(desk)
    record("Save, this settles it", reached="not-reached", outcome="left-message")
    expect(desk.locator(".reached .errorlist")).to_have_count(1)  # leaving word settles nothing
    if java_script:
        check_axe(desk)
    record("Save, keep open", reached="not-reached", outcome="left-message")
    expect_on_today(True)
    expect_card(True)

    desk.goto(follow_up)
    desk.get_by_label("Note").fill("On her way with her sister")
    record("Save, this settles it", reached="phone", outcome="emergency-care")
    expect(desk.locator(".follow-ups .note")).to_have_text("On her way with her sister")
    expect_on_today(False)
    expect_card(False)

    desk.goto(follow_up)
    steps.press(desk, "Reopen this flag")
    expect(desk.locator(".follow-ups > li")).to_have_count(4)  # raised, left word, reached, reopened
    expect_on_today(True)
    expect_card(True)
    desk.goto("/admin/assessments/flag/rules/")
    steps.fits(desk)
    if java_script:
        check_axe(desk)
    expect(desk.locator("tbody tr")).to_have_count(1)
