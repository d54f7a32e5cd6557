"""The admin on a phone, a tablet, a desktop and paper: no word is broken across lines, and nothing is cut off."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe

from assessments.models import Flag
from booking.models import Appointment, Service
from clinic.demo.clinic import open_demo_clinic
from clinic.demo.visits import book_demo_visits
from clinic.practice.models import Patient, Therapist, User
from tests.journeys import steps

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
EIGHT_ON_TUESDAY = datetime(2026, 12, 1, 13, tzinfo=UTC)
SIZES = {"phone": (390, 844), "tablet": (768, 1024), "desktop": (1280, 900)}
LETTER_BETWEEN_MARGINS = (725, 965)  # CSS pixels
VISITS = 25  # the demo has five more

# Return the words that are broken across lines.
BROKEN_WORDS = """() => {
  const walker = document.createTreeWalker(document.querySelector("#content"), NodeFilter.SHOW_TEXT), broken = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.parentElement.checkVisibility() || node.parentElement.closest(".visually-hidden")) continue;
    for (const word of node.data.matchAll(/[^\\s\\u2010-]+/g)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const tops = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (tops.size > 1) broken.push(word[0]);
    }
  }
  return broken;
}"""
# Return elements that extend beyond the window, or beyond a box that clips them without scrolling.
CUT_OFF = """() => [...document.querySelectorAll("#content *")]
  .filter((one) => one.checkVisibility() && !one.closest("thead, .visually-hidden"))
  .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((one) => one.outerHTML.slice(0, 120))"""


def fill_the_day():
    """Fill the day up to 30 visits, with four therapists and patients with long names."""
    service, now = Service.objects.get(slug="follow-up"), EIGHT_ON_TUESDAY
    for number in range(VISITS):
        therapist, _ = Therapist.objects.get_or_create(
            slug=f"bart-{number % 4}", defaults={"name": f"Bartholomew Featherstonehaugh {number % 4}"}
        )
        patient = Patient.objects.create(
            name=f"Maximiliana Oluwaseunfunmi Fernández-Oyelaran de la Cruz {number}",
            email=f"max{number}@runners.example",
            created_at=now,
        )
        starts_at = now + timedelta(hours=number // 4)
        ends_at = starts_at + timedelta(minutes=45)
        Appointment.objects.create(
            reference=f"RC-{uuid.uuid4().hex[:6].upper()}",
            therapist=therapist,
            patient=patient,
            service=service,
            mode="in_person",
            starts_at=starts_at,
            ends_at=ends_at,
            blocked=(starts_at, ends_at),
            status="booked",
            idempotency_key=uuid.uuid4(),
            price_cents=service.price_cents,
            created_at=now,
        )


@pytest.fixture
def desk(open_browser):
    """A page of a therapist signed in at 8 AM on the day of the demo's visits."""
    with time_machine.travel(EIGHT_ON_TUESDAY):
        open_demo_clinic(now=EIGHT_ON_TUESDAY)
        book_demo_visits(now=EIGHT_ON_TUESDAY)
        page = open_browser(viewport={"width": 1280, "height": 900})
        steps.log_in(page)
        yield page


def count_pages(page) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="Letter")))


def test_today_breaks_no_word_at_any_width_and_prints_on_one_page(desk):
    for size, (width, height) in SIZES.items():
        desk.set_viewport_size({"width": width, "height": height})
        desk.goto("/admin/")
        assert (size, desk.evaluate(BROKEN_WORDS), desk.evaluate(CUT_OFF)) == (size, [], [])
    steps.fits(desk)
    desk.set_viewport_size(dict(zip(("width", "height"), LETTER_BETWEEN_MARGINS, strict=True)))
    desk.emulate_media(media="print")
    assert (desk.evaluate(BROKEN_WORDS), desk.evaluate(CUT_OFF)) == ([], [])
    assert count_pages(desk) == 1


def test_full_day_of_thirty_visits_is_readable_and_prints_on_two_pages(desk):
    fill_the_day()
    for size, (width, height) in SIZES.items():
        desk.set_viewport_size({"width": width, "height": height})
        desk.goto("/admin/")
        assert desk.locator(".who").get_by_role("link", name="de la Cruz 24").count() == 1
        assert (size, desk.evaluate(BROKEN_WORDS), desk.evaluate(CUT_OFF)) == (size, [], [])
    desk.set_viewport_size(dict(zip(("width", "height"), LETTER_BETWEEN_MARGINS, strict=True)))
    desk.emulate_media(media="print")
    assert desk.evaluate(BROKEN_WORDS) == []
    assert count_pages(desk) <= 2


# OVERLAPS: parts of a printed row that overlap. BROKEN_HEADINGS: headings that break across columns.
OVERLAPS = """() => [...document.querySelectorAll("#content .rows > li")].flatMap((row) => {
  const boxes = [...row.children].map((one) => {
    const range = document.createRange();
    range.selectNodeContents(one);
    return [one, [...range.getClientRects()]];
  });
  return boxes.flatMap(([one, mine], n) => boxes.slice(n + 1).filter(([, theirs]) =>
    mine.some((a) => theirs.some((b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1))
  ).map(() => one.textContent.trim()));
})"""
BROKEN_HEADINGS = """() => [...document.querySelectorAll("#content :is(h2, h3)")].filter((one) => one.checkVisibility())
  .filter((one) => one.getClientRects().length > 1).map((one) => one.textContent)"""


@pytest.mark.parametrize(
    "flagged_at", [datetime(2026, 11, 30, 15, 52, tzinfo=UTC), datetime(2025, 9, 24, 15, 52, tzinfo=UTC)]
)
def test_printed_today_has_no_overlapping_text_and_breaks_no_heading(desk, flagged_at):
    Flag.objects.update(raised_at=flagged_at)
    desk.set_viewport_size(dict(zip(("width", "height"), LETTER_BETWEEN_MARGINS, strict=True)))
    desk.emulate_media(media="print")
    desk.goto("/admin/")
    assert desk.locator(".group-safety .rows > li").count()
    assert (desk.evaluate(OVERLAPS), desk.evaluate(BROKEN_HEADINGS)) == ([], [])


def test_message_rules_fit_on_a_phone(desk):
    for size in ("phone", "tablet"):
        desk.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
        desk.goto("/admin/outbox/messagerule/")
        assert (size, desk.evaluate(CUT_OFF)) == (size, [])
        steps.fits(desk)


LISTS = (
    "booking/appointment",
    "booking/service",
    "booking/waitlistentry",
    "booking/openinghours",
    "outbox/message",
    "practice/patient",
    "practice/user",
    "assessments/flag",
    "assessments/response",
    "education/article",
)


def test_lists_show_every_column_on_a_phone_and_on_a_tablet(desk):
    for size in ("phone", "tablet"):
        desk.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
        for name in LISTS:
            desk.goto(f"/admin/{name}/")
            assert desk.locator("#result_list tbody tr").count(), name
            assert (size, name, desk.evaluate(CUT_OFF)) == (size, name, [])
    cell = desk.locator("#result_list tbody tr").first.locator("td.field-topic")
    assert cell.evaluate("cell => getComputedStyle(cell, '::before').content") == '"Topic"'


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_of_an_account_has_enough_contrast(desk, open_browser, scheme):
    fay = User.objects.create_user("fay@clinic.example", "a long enough secret", name="Fay Front")
    page = open_browser(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    steps.log_in(page)
    page.goto(f"/admin/practice/user/{fay.pk}/change/")
    page.locator("input[name=roles]").first.wait_for()
    report = Axe().run(page, options={"runOnly": ["color-contrast"], "preload": False})
    faults = [node["html"] for violation in report.response["violations"] for node in violation["nodes"]]
    assert faults == []
