"""A runner books and gives an urgent answer, and the therapist sees it at the top of Today."""

import re

import pytest
from crispy_forms.utils import render_crispy_form
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from assessments.models import Response
from clinic.demo.intakes import CALM
from clinic.outbox.sending.hand_over import send_due_messages
from tests.assessments.condition_cases import CASES, shown_form
from tests.assessments.flags import flag_of
from tests.journeys import steps

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("demo_clinic")]


@pytest.mark.parametrize(
    "java_script",
    [pytest.param(True, id="with-javascript"), pytest.param(False, id="without-javascript", marks=pytest.mark.long)],
)
def test_runner_gets_urgent_advice_and_the_therapist_sees_the_flag(open_browser, check_axe, java_script):
    phone = open_browser(java_script_enabled=java_script)
    check = check_axe if java_script else steps.fits  # axe uses timers, which do not run without scripts
    story = CALM | {"rf.move": ["walk-groin"], "agg": ["walk"], "agg.walk": [6]}
    steps.book(phone, "Evaluation", name="Maya Lindqvist", email="maya@runners.example")
    steps.press(phone, "Answer the questions")
    check(phone)
    phone.get_by_role("link", name="Begin").click()
    expect(phone.get_by_role("button", name="Save and continue")).to_be_visible()

    stops = 0
    for _ in range(30):
        if phone.get_by_role("button", name="Save and continue").count():
            check(phone)
            steps.fits(phone)
            steps.answer_page(phone, story)
        elif phone.get_by_role("button", name=re.compile("I have read this|^Continue$")).count():
            stops += 1
            check(phone)
            steps.fits(phone)
            steps.press(phone, re.compile("I have read this|^Continue$"))
        else:
            break
    assert stops >= 1
    expect(phone.get_by_role("heading", level=1)).to_have_text("Check your answers")
    check(phone)
    steps.press(phone, "Send to my therapist")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Thank you")
    assert Response.objects.get().progress == "done"
    flag = flag_of("RF16")
    assert flag.level == "U" and flag.patient_acknowledged_at

    desk = open_browser(viewport={"width": 1280, "height": 900})
    steps.log_in(desk)
    expect(desk.locator("main, #content").first).to_contain_text("Maya Lindqvist")
    check_axe(desk)
    desk.get_by_role("link", name="Intake").first.click()
    expect(desk.locator("#content")).to_contain_text("RF16")


@pytest.mark.long
def test_emailed_code_shows_the_answers_when_the_runner_returns_later(open_browser, post_office):
    first = open_browser()
    steps.book(first, "Evaluation", name="Tom Reyes", email="tom@runners.example")
    steps.press(first, "Answer the questions")
    link = first.url
    first.get_by_role("link", name="Begin").click()
    expect(first.get_by_role("button", name="Save and continue")).to_be_visible()
    steps.answer_page(first, CALM)
    second_page = first.get_by_role("heading", level=1).inner_text()

    later = open_browser()
    later.goto(link)
    later.get_by_role("link", name="Go on").click()

    expect(later.get_by_role("heading", level=1)).to_have_text(second_page)
    later.get_by_role("link", name="Back").click()

    expect(later.get_by_role("heading", level=1)).to_have_text("First: is it you?")
    steps.fits(later)
    later.get_by_role("button", name="Email me a code").click()
    send_due_messages(clock=timezone.now)
    mail = post_office.mails[-1].get_body(("plain",)).get_content()
    later.get_by_label("Code from the email").fill(re.search(r"\d{6}", mail)[0])
    later.get_by_role("button", name="Show my answers").click()
    expect(later.locator('input[name="about.age"][value="21-49"]')).to_be_checked()


FILL = """cases => cases.forEach(({typed, other}, number) => {
  const named = [...document.getElementsByName(`q${number}`)];
  for (const control of named) {
    if (Array.isArray(typed)) control.checked = typed.includes(control.value);
    else control.value = typed;
  }
  if (other) document.getElementsByName(`q${number}.other`)[0].value = other;
  named[0].dispatchEvent(new Event("input", {bubbles: true}));
})"""
SHOWN = """() => [...document.querySelectorAll("[data-conditions]")]
  .filter((one) => one.checkVisibility() && !one.disabled).map((one) => one.querySelector("[name=seen]").value)"""


def test_script_asks_the_follow_up_of_each_case_as_expected(page):
    page.set_content(f"<!doctype html><form>{render_crispy_form(shown_form())}</form>")
    page.add_script_tag(path=settings.BASE_DIR / "static" / "js" / "intake.js", type="module")
    opened = {f"f{number}" for number, case in enumerate(CASES) if not case.typed and not case.other and case.is_asked}
    assert opened <= set(page.evaluate(SHOWN))

    page.evaluate(FILL, [{"typed": case.typed, "other": case.other} for case in CASES])

    shown, asked = set(page.evaluate(SHOWN)), {f"f{number}" for number, case in enumerate(CASES) if case.is_asked}
    wrong = [(*CASES[int(name[1:])][:4], "shown" if name in shown else "hidden") for name in sorted(shown ^ asked)]
    assert wrong == []
