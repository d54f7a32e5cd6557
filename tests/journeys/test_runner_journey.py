"""Runners start at the hip article: typical ones, one with a possible bone stress injury, one in an emergency."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from assessments.intake.responses import complete_response, save_page, start_published_response
from assessments.models import Flag, Response, StaffAlert
from assessments.questionnaire.enablement import enabled_items
from booking.models import Appointment
from clinic.demo.intakes import CALM
from clinic.outbox.models import Message
from clinic.practice.people.patients import find_or_register_patient
from tests.journeys import steps

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("demo_clinic"), pytest.mark.long]
# The typical runner types no text. The thorough one answers every optional question, four of them with text.
TYPICAL = {name: values for name, values in CALM.items() if name != "psy.hope"} | {"goal": ["run-far"]}
THOROUGH = CALM | {
    "on.mode": ["unsure"],
    "on.event": ["Hill repeats behind the school"],
    "on.date": ["2026-11-02"],
    "run.race_date": ["2027-05-02"],
    "med.list": ["Ibuprofen now and then, vitamin D"],
}
MOST_PAGES, MOST = 9, {"typical": steps.Effort(300, 5), "thorough": steps.Effort(380, 11)}
GO_ON = re.compile("I have read this|^Continue$")


@steps.SCRIPTS
@pytest.mark.parametrize(("runner", "story"), [("typical", TYPICAL), ("thorough", THOROUGH)])
def test_runner_answers_every_question_once_and_within_the_time_limit(open_browser, java_script, runner, story):
    page = open_browser(java_script_enabled=java_script)
    steps.come_from_the_article(page)
    steps.press(page, "Answer seven questions")
    efforts = []
    while page.get_by_role("button", name="Save and continue").count():
        efforts.append(steps.answer_page(page, story))
    assert len(efforts) == 3
    steps.finish_booking(page, "Maya Lindqvist")

    steps.press(page, re.compile("questions$"))
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_role("button", name="Save and continue")).to_be_visible()
    while page.get_by_role("button", name="Save and continue").count():
        assert page.locator('input[name="about.age"]').count() == 0  # the screen has asked it
        efforts.append(steps.answer_page(page, story))
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your answers")
    steps.press(page, "Send to my therapist")
    whole = steps.Effort(*map(sum, zip(*efforts, strict=True)))
    print(f"{len(efforts)} pages, {whole.typed} typed fields, {whole.seconds:.0f} seconds")
    assert len(efforts) <= MOST_PAGES
    assert whole.typed <= MOST[runner].typed
    assert whole.seconds <= MOST[runner].seconds
    response = Response.objects.get()
    assert response.progress == "done"
    if runner == "thorough":
        asked = enabled_items(response.questionnaire.parsed, response.answers)
        assert not [
            one for one in asked if response.questionnaire.parsed.items[one].is_question and one not in response.answers
        ]


def test_bone_stress_pattern_stops_the_booking_first_and_leads_the_summary(open_browser, check_axe):
    page = open_browser()
    story = CALM | {"rf.move": ["walk-groin", "landing"], "loc.map": ["groin"]}
    steps.come_from_the_article(page)
    steps.screen(page, story)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Stop running and be seen within 24 hours")
    expect(page.locator("nav a")).to_have_count(0)
    check_axe(page)
    steps.fits(page)
    steps.press(page, GO_ON)
    while page.get_by_role("button", name="Save and continue").count():
        steps.answer_page(page, story)
    steps.finish_booking(page, "Maya Lindqvist")
    assert {flag.rule_id for flag in Flag.objects.filter(level="U")} >= {"RF16", "RF17"}
    assert Message.objects.filter(kind="staff_flag", subject_id=StaffAlert.objects.get().pk, version=1).exists()

    desk = open_browser(viewport={"width": 1280, "height": 900})
    steps.log_in(desk)
    desk.locator(".group-safety").get_by_role("link", name="Intake").first.click()
    expect(desk.get_by_role("heading", name="Every answer")).to_be_visible()
    for words in ("RF16", "BSI-watch", "awaiting sign-off"):
        expect(desk.locator("#content")).to_contain_text(words)
    check_axe(desk)


@steps.SCRIPTS
def test_emergency_pauses_the_booking(open_browser, check_axe, java_script):
    page = open_browser(java_script_enabled=java_script)
    steps.come_from_the_article(page)
    steps.screen(page, CALM | {"rf.leg": ["saddle"]})
    expect(page.locator(".phone-large").first).to_have_attribute("href", "tel:911")
    expect(page.get_by_role("button")).to_have_count(0)
    if java_script:  # axe uses timers, which do not run without scripts
        check_axe(page)
    steps.fits(page)
    page.goto("/book/evaluation/")
    expect(page.locator(".phone-large").first).to_have_text("911")
    assert not Appointment.objects.exists()

    page.get_by_role("link", name="Change the answer").click()
    expect(page.get_by_role("button", name="Save and continue")).to_be_visible()
    page.locator('input[name="rf.leg"][value="saddle"]').uncheck(force=True)
    steps.answer_page(page, CALM)
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("911")


def test_summary_prints_on_one_page_and_shows_the_sign_off(open_browser, check_axe):
    runner = open_browser()
    steps.book(runner, "Evaluation", name="Maya Lindqvist", email="maya@runners.example")
    steps.press(runner, "Answer the questions")
    runner.get_by_role("link", name="Begin").click()
    expect(runner.get_by_role("button", name="Save and continue")).to_be_visible()
    story = CALM | {
        "rf.move": ["walk-groin", "landing", "earlier-worse"],
        "rf.signs": ["cancer"],
        "mech": ["lock"],
        "psy.worry": [9],
    }
    for _ in range(30):
        if runner.get_by_role("button", name="Save and continue").count():
            steps.answer_page(runner, story)
        elif runner.get_by_role("button", name=GO_ON).count():
            steps.press(runner, GO_ON)
        else:
            break
    steps.press(runner, "Send to my therapist")

    desk = open_browser(viewport={"width": 1280, "height": 900})
    steps.log_in(desk)
    desk.goto("/admin/assessments/rulesignoff/")
    check_axe(desk)
    desk.get_by_role("button", name="Sign off version 1").click()
    expect(desk.locator("#content")).to_contain_text("signed off by Nora Ellis")
    desk.goto(f"/admin/assessments/response/{Response.objects.get().pk}/change/")
    expect(desk.locator("#content")).to_contain_text("version 1, signed off by Nora Ellis")
    check_axe(desk)
    assert_prints_on_one_page(desk)


def assert_prints_on_one_page(page):
    for paper in ("Letter", "A4"):
        printed = page.pdf(format=paper, prefer_css_page_size=False)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1, paper


FIRST_OF_ALL = {"about.age": ["under-18"], "hist.bsi": ["hip"], "run.stopped": ["as-before"], "comp.strength": ["none"]}


def tick_everything(item):
    """Return the longest possible answer: every sign, every "yes", every text up to its limit."""
    codes = [option.code for option in item.options if option.code not in ("none", "unsure", "no")]
    if item.repeats:
        return codes
    if codes:
        return FIRST_OF_ALL.get(item.link_id, ["yes" if "yes" in codes else codes[0]])
    words = ("Wolfeschlegelsteinhausenbergerdorff runs uphill " * 12)[: item.max_length or 30].strip()
    miles = "9" if item.link_id == "run.longest30" else "20.25"
    return {"integer": [7], "decimal": [miles], "date": ["2026-11-02"], "boolean": [True]}.get(item.type, [words])


def test_summary_prints_on_one_page_when_everything_is_checked(open_browser, check_axe):
    now = timezone.now()
    name = "Bartholomew Maximilian Wolfeschlegelsteinhausenbergerdorff-Papadopoulos"
    runner = find_or_register_patient(name=name, email="b@runners.example", phone="", now=now)
    response = start_published_response(questionnaire_slug="hip-running-intake", patient=runner, now=now)
    for page in response.questionnaire.parsed.pages:
        answers = {item.link_id: tick_everything(item) for item in page.walk() if item.is_question}
        save_page(response=response, page=page.link_id, answers=answers, now=now)
    complete_response(response=response, now=now)
    assert response.flags.count() == 40  # all but RF37, which requires being able to walk

    desk = open_browser(viewport={"width": 1280, "height": 900})
    steps.log_in(desk)
    expect(desk.locator(".group-safety .row-flag").filter(has_text=name)).to_have_count(1)
    check_axe(desk)
    desk.goto(f"/admin/assessments/response/{response.pk}/change/")
    expect(desk.locator(".watch")).to_contain_text("BSI-watch")
    check_axe(desk)
    steps.fits(desk)
    assert_prints_on_one_page(desk)
