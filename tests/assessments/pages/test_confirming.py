"""Stored answers are shown only to the browser that has just given them, or after a code from the mailbox."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from assessments.forms.confirm import BirthDateForm
from assessments.presenters.opening import SITTING
from clinic.outbox.models import Message
from clinic.outbox.sending.hand_over import send_due_messages
from clinic.practice.access.confirmation import CONFIRMED_FOR
from clinic.practice.access.links import issue_link
from clinic.practice.access.rate_limits import BIRTH_DATES, CODES, OWN_CODES
from clinic.practice.models import LinkPurpose, Proof
from tests.assessments.answering import QUIET, fill_page, page_url, posted

pytestmark = pytest.mark.django_db


def url(name, token):
    return reverse(f"assessments:{name}", args=[token])


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


def later(clock, **delta):
    clock.shift(timedelta(**delta))


def mailed_code(post_office) -> str:
    send_due_messages(clock=timezone.now)
    return re.search(r"Your code is (\d{6})", post_office.mails[-1].get_body(("plain",)).get_content())[1]


def confirm(client, token, code, page=""):
    return client.post(url("confirm", token), {"action": "confirm", "code": code, "page": page})


def test_runner_who_answers_in_one_sitting_is_not_asked_for_a_code(client, token):
    assert fill_page(client, token, "safety", QUIET).status_code == 303
    assert client.get(page_url(token, "safety")).status_code == 200


def test_forwarded_email_shows_answers_only_after_a_code(client, token, post_office):
    fill_page(client, token, "safety", QUIET)
    reader = Client()
    refused = reader.get(page_url(token, "safety"))
    assert (refused.status_code, refused["Location"]) == (303, f"{url('confirm', token)}?page=safety")
    page = reader.get(refused["Location"])
    assert page.templates[0].name == "assessments/confirm.html" and "checked" not in page.text
    sent = reader.post(url("confirm", token), {"action": "send", "page": "safety"})
    assert reader.get(sent["Location"]).context["is_sent"]
    wrong = confirm(reader, token, "000000" if mailed_code(post_office) != "000000" else "111111")
    assert wrong.status_code == 422 and wrong.context["form"].has_error("code")
    for answer in (wrong, reader.get(f"{url('confirm', token)}?page=safety&have=1")):
        assert '<strong class="text-break">alice@example.com</strong>' in answer.text, "where the code was sent"
    shown = confirm(reader, token, mailed_code(post_office), "safety")
    assert shown["Location"] == page_url(token, "safety")
    assert "checked" in reader.get(shown["Location"]).content.decode()


def test_answering_one_page_shows_no_other(client, token):
    fill_page(client, token, "safety", QUIET)
    reader = Client()
    assert fill_page(reader, token, "signs", QUIET).status_code == 303
    assert reader.get(page_url(token, "signs")).status_code == 200
    assert reader.get(page_url(token, "safety")).status_code == 303


def test_empty_form_sent_to_an_answered_page_shows_no_stored_answer(client, token):
    fill_page(client, token, "safety", QUIET)
    reader = Client()
    reader.post(page_url(token, "safety"), {})
    answer = reader.get(page_url(token, "safety"))
    assert answer.status_code == 303 and "confirm" in answer["Location"]


def test_typed_answers_are_saved_when_the_sitting_has_expired(client, token, response, clock):
    fill_page(client, token, "safety", QUIET)
    open_form = client.get(page_url(token, "safety")).content.decode()
    later(clock, seconds=SITTING.total_seconds() + 1)
    answered = client.post(page_url(token, "safety"), posted(open_form, QUIET | {"about.age": ["50-up"]}))
    assert answered.status_code == 303
    response.refresh_from_db()
    assert response.answers["about.age"] == ["50-up"]
    assert client.get(page_url(token, "safety")).status_code == 303


def test_confirmation_lasts_half_an_hour(client, token, post_office, clock):
    fill_page(client, token, "safety", QUIET)
    reader = Client()
    reader.post(url("confirm", token), {"action": "send"})
    confirm(reader, token, mailed_code(post_office))
    later(clock, seconds=CONFIRMED_FOR.total_seconds() - 1)
    assert reader.get(page_url(token, "safety")).status_code == 200
    later(clock, seconds=1)
    assert reader.get(page_url(token, "safety")).status_code == 303


def test_codes_are_limited_and_the_owner_has_a_separate_limit(client, response):
    for proof, limit in ((Proof.SHOWN, CODES), (Proof.MAILED, OWN_CODES)):
        token = issue_link(
            patient=response.patient,
            purpose=LinkPurpose.INTAKE,
            subject_id=response.pk,
            proof=proof,
            expires_at=timezone.now() + timedelta(days=1),
            now=timezone.now(),
        )
        Message.objects.all().delete()
        for _ in range(limit.at_once):
            assert client.post(url("confirm", token), {"action": "send"}).status_code == 303
        refused = client.post(url("confirm", token), {"action": "send"})
        assert refused.status_code == 429 and refused.context["is_too_many"]
        again = client.post(url("confirm", token) + "?sent=1", {"action": "send"})
        assert not again.context["is_sent"] and 'value="confirm"' in again.text, (
            "no code is on its way; the newest works"
        )
        assert refused["Retry-After"] == str(int(limit.every.total_seconds()))
        assert Message.objects.filter(kind="confirmation_code").count() == limit.at_once


def test_code_page_redirects_only_to_a_page_of_the_questionnaire(client, token, post_office):
    fill_page(client, token, "safety", QUIET)
    reader = Client()
    reader.post(url("confirm", token), {"action": "send"})
    onward = confirm(reader, token, mailed_code(post_office), "//evil.example/")
    assert onward["Location"] == url("check", token)


def test_code_is_in_no_url_row_or_log(client, token, post_office, caplog):
    fill_page(client, token, "safety", QUIET)
    reader = Client()
    reader.post(url("confirm", token), {"action": "send"})
    code = mailed_code(post_office)
    answer = confirm(reader, token, code)
    assert code not in answer["Location"] and code not in caplog.text
    assert not any(code in str(row) for row in Message.objects.values())


@pytest.fixture
def birthday(alice):
    alice.birth_on = date(1987, 6, 5)
    alice.save()


def try_birth_date(client, token, day):
    return client.post(url("confirm", token), {"action": "birth", "birth_on": day, "page": "safety"})


def test_birth_date_on_file_shows_the_answers_and_another_does_not(client, token, birthday):
    fill_page(client, token, "safety", QUIET)
    reader = Client()
    wrong = try_birth_date(reader, token, "1987-06-06")
    assert wrong.status_code == 422 and "birth_on" in wrong.context["birth_form"].errors
    assert reader.get(page_url(token, "safety")).status_code == 303
    assert try_birth_date(reader, token, "1987-06-05")["Location"] == page_url(token, "safety")
    assert reader.get(page_url(token, "safety")).status_code == 200


@pytest.mark.parametrize(
    ("born", "typed"),
    [
        ((1987, 6, 5), "0087-06-05"),
        ((1987, 6, 5), "6/5/87"),
        ((1950, 6, 5), "0050-06-05"),
        ((2001, 6, 5), "June 5, 2001"),
    ],
)
def test_birth_date_with_a_short_year_is_read_as_a_past_date(born, typed, alice):
    alice.birth_on = date(*born)
    form = BirthDateForm({"birth_on": typed}, patient=alice)
    assert form.is_valid(), form.errors


def test_short_year_is_read_by_the_clinics_current_date(alice):
    """In UTC it is 2027, but in New York still December 31, 2026: there 1/1/27 is ahead, so it means 1927."""
    alice.birth_on = date(1927, 1, 1)
    with time_machine.travel(datetime(2027, 1, 1, 3, 0, tzinfo=UTC), tick=False):
        assert BirthDateForm({"birth_on": "1/1/27"}, patient=alice).is_valid()


def test_birth_date_is_limited_across_networks_and_then_even_the_right_one_is_refused(client, token, birthday):
    fill_page(client, token, "safety", QUIET)
    for number in range(BIRTH_DATES.at_once):
        assert try_birth_date(Client(REMOTE_ADDR=f"198.51.100.{number}"), token, "1950-01-01").status_code == 422
    refused = try_birth_date(Client(), token, "1987-06-05")
    assert refused.status_code == 429


def test_birth_date_is_not_asked_for_when_none_is_on_file(client, token):
    fill_page(client, token, "safety", QUIET)
    assert Client().get(url("confirm", token)).context["birth_form"] is None
    assert try_birth_date(Client(), token, "1987-06-05").status_code == 200


# A stranger's browser with a link that was only shown


@pytest.fixture
def shown(response, alice):
    """A link shown to a visitor who booked in Alice's name."""
    now = timezone.now()
    return issue_link(
        patient=alice, purpose=LinkPurpose.INTAKE, proof=Proof.SHOWN, subject_id=response.pk,
        expires_at=now + timedelta(days=30), now=now,
    )  # fmt: skip


def test_page_sent_empty_does_not_show_later_answers(client, token, shown, response):
    stranger = Client()
    for page in response.questionnaire.parsed.pages:
        stranger.post(page_url(shown, page.link_id), {})
    fill_page(client, token, "safety", QUIET)
    answer = stranger.get(page_url(shown, "safety"))
    assert answer.status_code == 303 and "confirm" in answer["Location"]
    stranger.post(page_url(shown, "safety"), {})
    assert stranger.get(page_url(shown, "safety")).status_code == 303, "sending it again renews nothing"


def test_link_that_was_only_shown_removes_and_replaces_no_answer(client, token, shown, response):
    fill_page(client, token, "safety", QUIET)
    response.refresh_from_db()
    before = response.answers
    stranger = Client()
    stranger.post(page_url(shown, "safety"), {"seen": list(before)})
    stranger.post(page_url(shown, "safety"), {"seen": ["about.age"], "about.age": "50-up"})
    response.refresh_from_db()
    assert response.answers == before


def test_emergency_counts_when_the_link_was_only_shown(client, token, shown, response):
    fill_page(client, token, "safety", QUIET)
    answer = Client().post(page_url(shown, "safety"), {"seen": ["rf.leg"], "rf.leg": ["saddle"]})
    assert answer["Location"] == url("stop", shown)
    response.refresh_from_db()
    assert response.answers["rf.leg"] == ["saddle"] and response.answers["about.age"] == QUIET["about.age"]


def test_page_answered_out_of_order_is_saved_and_not_shown(token, response):
    answer = Client().post(page_url(token, "where"), {"seen": ["loc.side"], "loc.side": "left"})
    assert answer.status_code == 303
    response.refresh_from_db()
    assert response.answers.get("loc.side") == ["left"]
