"""The two answers to a reminder: each link opens a page, and only a button changes the visit."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from booking.actions.change import cancel_appointment
from booking.schedule.visit_links import visit_path
from tests.booking.visitors import press
from tests.pages import text_of
from tests.world import NINE_ON_TUESDAY, NOW, book


@pytest.fixture
def visit(evaluation):
    return book(evaluation)


def ask(client, visit, answer, now=NOW, method="get"):
    path = visit_path(visit, now=NOW) + answer
    with time_machine.travel(now, tick=False):
        return press(client, path) if method == "post" else client.get(path)


def test_opening_the_link_changes_nothing_and_the_button_confirms(client, visit):
    page = ask(client, visit, "coming/")
    visit.refresh_from_db()
    assert visit.confirmed_at is None
    assert "Tuesday, December 1, 9:00 AM EST" in text_of(page)
    thanks = ask(client, visit, "coming/", method="post")
    visit.refresh_from_db()
    assert visit.confirmed_at == NOW
    assert "Thank you" in thanks.content.decode()


def test_confirming_is_refused_when_the_visit_is_cancelled_or_over(client, visit):
    late = ask(client, visit, "coming/", now=NINE_ON_TUESDAY + timedelta(hours=2), method="post")
    assert late.status_code == 409
    path = visit_path(visit, now=NOW) + "coming/"
    cancel_appointment(appointment=visit, now=NOW)
    with time_machine.travel(NOW, tick=False):
        assert press(client, path).status_code == 409


def test_not_coming_page_offers_a_move_then_a_cancellation_and_after_the_deadline_the_phone(client, visit):
    page = ask(client, visit, "not-coming/").content.decode()
    assert 0 < page.index("Find another time") < page.index("Cancel this visit")
    late = ask(client, visit, "not-coming/", now=NINE_ON_TUESDAY - timedelta(hours=2)).content.decode()
    assert "/cancel/" not in late and "/move/" not in late
    assert "(603) 555-0123" in late
    visit.refresh_from_db()
    assert visit.status == "booked"


@pytest.mark.parametrize("answer", ["coming", "not_coming"])
def test_wrong_link_gets_a_plain_page(client, clinic, answer):
    assert client.get(reverse(f"booking:{answer}", args=["x" * 43])).status_code == 404
