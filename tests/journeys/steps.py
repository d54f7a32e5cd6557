"""Steps that several journeys share."""

import re
from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, Page, expect

from assessments.questionnaire import readable as reading
from clinic.demo import login

SECONDS_TO_TAP = 0.6  # on a phone
SCRIPTS = pytest.mark.parametrize("java_script", [True, False], ids=["with-javascript", "without-javascript"])
LINK = re.compile(r"https?://[^\s<>\"]+/visits/[A-Za-z0-9_-]{43}/")


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def fits(page: Page) -> None:
    """Fail if the page is wider than a 320 px screen."""
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 700})
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.set_viewport_size(size)
    assert overflow <= 0, f"{page.url} is {overflow} px too wide at 320 px"


def choose_time(page: Page) -> str:
    """Choose the first time of the last day, which can still be changed later, and return it as the form shows it."""
    page.locator(".choice-list a.choice").last.click()
    page.locator(".time-grid button").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who is coming?")
    return " ".join(page.locator(".booking-aside time").inner_text().split())  # with plain spaces


def give_details(page: Page, *, name: str, email: str, phone: str = "603 555 0123") -> None:
    page.locator("input[name=name]").fill(name)
    page.get_by_role("textbox", name=re.compile("^E-?mail")).fill(email)
    page.get_by_label("Phone", exact=True).or_(page.get_by_label("Phone*")).first.fill(phone)
    if page.get_by_role("radio").count():
        page.get_by_role("radio").last.check()


def book(page: Page, service: str, *, name: str, email: str) -> str:
    """Book a time of `service`, starting at the list of services, and return it as the form showed it."""
    page.goto("/book/")
    page.get_by_role("link", name=re.compile(f"^Book: {service}")).click()
    when = choose_time(page)
    give_details(page, name=name, email=email)
    press(page, re.compile("^Book this visit"))
    expect(page.get_by_role("heading", level=1)).to_have_text("You’re booked")
    return when


def answer(page: Page, link_id: str, *values: str) -> None:
    """Check or type the answer to one question of the open page."""
    for value in values:
        option = page.locator(f'input:is([type=radio], [type=checkbox])[name="{link_id}"][value="{value}"]')
        if option.count():
            if not option.first.is_checked():
                option.first.locator("xpath=ancestor::label[1]").click()  # like a finger, once the layout is stable
        else:
            page.locator(f'[name="{link_id}"]').first.fill(value)


def press(page: Page, name) -> None:
    """Press a button that sends a form, and wait for the next page."""
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


def save(page: Page) -> None:
    press(page, "Save and continue")


class Effort(NamedTuple):
    """The estimated effort of a page for a person."""

    seconds: float
    typed: int  # fields


def answer_page(page, story) -> Effort:
    """Answer the open page, again if it is shown again with follow-ups, until the next page opens.

    Text that was already read does not count a second time.
    """
    effort, read = [], []
    for _ in range(5):
        asked = page.eval_on_selector_all('input[name="seen"]', "all => all.map(one => one.value)")
        for link_id in asked:
            field = page.locator(f'[name="{link_id}"]:enabled')
            if link_id in story and field.count():
                answer(
                    page, link_id, *[str(value).lower() if value is True else str(value) for value in story[link_id]]
                )
        effort.append(measure_effort(page, already=read))
        read = asked_now(page)
        heading, address = page.get_by_role("heading", level=1).inner_text(), page.url
        save(page)
        if page.url != address or page.get_by_role("heading", level=1).inner_text() != heading:
            return Effort(*map(sum, zip(*effort, strict=True)))
        if page.locator(".error-summary").count():
            raise AssertionError(page.locator(".error-summary").inner_text())
    raise AssertionError(f"{heading} does not end: {page.locator('main').inner_text()}")


# Counts what a person reads, scans, chooses and types on the open page, without the questions in `already`. Optional
# questions count, because they are read before they are skipped. Labels at the ends of scales count once per page.
COUNT = """already => {
  const words = (texts) => texts.join(" ").split(/\\s+/).filter(Boolean).length;
  const shown = (parent, selector) => [...parent.querySelectorAll(selector)].filter((one) => one.checkVisibility());
  const texts = (parent, selector) => shown(parent, selector).map((one) => one.innerText);
  const isNew = (question) => !already.includes(question.querySelector("[name=seen]").value);
  const questions = shown(document, "form .question").filter(isNew);
  const inside = (selector) => questions.flatMap((one) => texts(one, selector));
  const typed = questions.flatMap((one) => shown(one, ".form-control").map((field) => field.value.length)).filter(Boolean);
  const ticked = questions.map((one) => one.querySelectorAll(":checked").length).filter(Boolean);
  return {
    read: words([...texts(document, already.length ? ".callout" : "h1, .lede"), ...inside("legend, .form-label, .hint")]),
    scanned: words([...inside(".choice-list span"), ...new Set(inside(".scale-ends"))]),
    chosen: ticked.length,
    tapped: ticked.reduce((sum, one) => sum + one - 1, 0),
    typed: typed.length,
    characters: typed.reduce((sum, one) => sum + one, 0),
  };
}"""


def measure_effort(page: Page, *, already: list[str]) -> Effort:
    """Estimate the effort of the open page on a phone, including its button. Sources are in `questionnaire/readable.py`."""
    count = page.evaluate(COUNT, already)
    answers = count["chosen"] + count["typed"] + 1
    seconds = (
        count["read"] / reading.WORDS_READ
        + count["scanned"] / reading.WORDS_SCANNED
        + answers * reading.SECONDS_TO_CHOOSE
        + count["tapped"] * SECONDS_TO_TAP
        + count["characters"] * reading.SECONDS_A_CHARACTER
    )
    return Effort(seconds, count["typed"])


def asked_now(page: Page) -> list[str]:
    """Return the questions that the open page shows."""
    shown = "all => all.filter(one => one.parentElement.checkVisibility()).map(one => one.value)"
    return page.eval_on_selector_all('input[name="seen"]', shown)


def screen(page: Page, story: dict) -> None:
    """Answer the questions before the times, from the offer to the times or to a stop page."""
    press(page, "Answer seven questions")
    while page.get_by_role("button", name="Save and continue").count():
        answer_page(page, story)


def log_in(page: Page, path: str = "/admin/", *, email: str = login.EMAIL, password: str = login.PASSWORD) -> None:
    """Open `path` of the admin and sign in, by default as the demo's therapist."""
    page.goto(path)
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).not_to_have_url(re.compile("/sign-in/"))


def read_mail(mail) -> tuple[str, str]:
    """Return an email's text with its lines joined, and the path of its link to the visit."""
    text = mail.get_body(("plain",)).get_content()
    return " ".join(text.split()), re.sub(r"^https?://[^/]+", "", LINK.search(text).group())


def come_from_the_article(page: Page) -> None:
    page.goto("/learn/hip-flexor-pain-running/")
    page.get_by_role("link", name=re.compile("^Book.*evaluation", re.I)).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A few questions first")


def finish_booking(page: Page, name: str) -> None:
    choose_time(page)
    give_details(page, name=name, email=f"{name.split()[0].lower()}@runners.example")
    page.get_by_role("button", name=re.compile("^Book this visit")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You’re booked")
