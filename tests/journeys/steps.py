"""What people do on the site, in their words; the journeys are made of these."""

import re

from playwright.sync_api import Page, expect

from clinic.demo import login

LINK = re.compile(r"https?://[^\s<>\"]+/visits/[A-Za-z0-9_-]{43}/")


def fits(page: Page) -> None:
    """Nothing sticks out sideways, at 320 px either."""
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 700})
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.set_viewport_size(size)
    assert overflow <= 0, f"{page.url} is {overflow} px too wide at 320 px"


def choose_time(page: Page) -> str:
    """From the page of days to the form, on the last day shown, which can still be changed; the time as it is said there."""
    page.locator(".choice-list a.choice").last.click()
    page.locator(".time-grid button").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who is coming?")
    return page.locator(".booking-aside time").inner_text()


def give_details(page: Page, *, name: str, email: str, phone: str = "603 555 0123") -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Phone", exact=True).or_(page.get_by_label("Phone*")).first.fill(phone)
    if page.get_by_role("radio").count():
        page.get_by_role("radio").last.check()


def book(page: Page, service: str, *, name: str, email: str) -> str:
    """Book a time of `service` from the page of services; the time as it was offered."""
    page.goto("/book/")
    page.get_by_role("link", name=re.compile(f"^Book: {service}")).click()
    when = choose_time(page)
    give_details(page, name=name, email=email)
    press(page, re.compile("^Book this visit"))
    expect(page.get_by_role("heading", level=1)).to_have_text("You’re booked")
    return when


def answer(page: Page, link_id: str, *values: str) -> None:
    """Tick or type the answer to one question of the page that is open."""
    for value in values:
        option = page.locator(f'input:is([type=radio], [type=checkbox])[name="{link_id}"][value="{value}"]')
        if option.count():
            option.first.check(force=True)
        else:
            page.locator(f'[name="{link_id}"]').first.fill(value)


def press(page: Page, name) -> None:
    """Press a button that sends a form, and wait for the page it leads to."""
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


def save(page: Page) -> None:
    press(page, "Save and continue")


def answer_page(page, story):
    """Answer what the open page asks; what an answer opens is asked on the same page, with or without a script.

    Returns the seconds a person takes: reading what is shown, two for a choice, five for a field that is typed.
    """
    seconds = 0.0
    for _ in range(5):
        asked = page.eval_on_selector_all('input[name="seen"]', "all => all.map(one => one.value)")
        for link_id in asked:
            field = page.locator(f'[name="{link_id}"]:enabled')
            if link_id in story and field.count():
                answer(
                    page, link_id, *[str(value).lower() if value is True else str(value) for value in story[link_id]]
                )
        seconds += pace(page)
        heading, address = page.get_by_role("heading", level=1).inner_text(), page.url
        save(page)
        if page.url != address or page.get_by_role("heading", level=1).inner_text() != heading:
            return seconds
        if page.locator(".error-summary").count():
            raise AssertionError(page.locator(".error-summary").inner_text())
    raise AssertionError(f"{heading} does not end: {page.locator('main').inner_text()}")


def pace(page: Page) -> float:
    """How long the open page takes: its questions read at 4 words a second, lists scanned at 6.5, and the answering."""
    words = "all => all.filter(one => one.checkVisibility()).map(one => one.innerText).join(' ').split(/\\s+/).length"
    read = page.eval_on_selector_all("h1, .lede, legend, .form-label, .hint", words) / 4
    scanned = page.eval_on_selector_all(".choice-list span", words) / 6.5
    chosen = page.locator("input:checked").count()
    return read + scanned + 2 * chosen + 5 * typed_fields(page)


def typed_fields(page: Page) -> int:
    """How many text boxes of the form are filled in."""
    selector = "form .form-control:not(:disabled)"
    return page.eval_on_selector_all(selector, "all => all.filter(one => one.value).length")


def screen(page: Page, story: dict) -> None:
    """The questions before the times, from the offer to where they lead: the times, or a page that stops."""
    press(page, "Answer seven questions")
    while page.get_by_role("button", name="Save and continue").count():
        answer_page(page, story)


def log_in(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_label("Email").or_(page.get_by_label("E-mail")).first.fill(login.EMAIL)
    page.get_by_label("Password").fill(login.PASSWORD)
    press(page, "Log in")
    expect(page.get_by_role("heading", name="Today").first).to_be_visible()


def read_mail(mail) -> tuple[str, str]:
    """A mail's text, its lines joined, and the path of the link to the visit in it."""
    text = mail.get_body(("plain",)).get_content()
    return " ".join(text.split()), re.sub(r"^https?://[^/]+", "", LINK.search(text).group())
