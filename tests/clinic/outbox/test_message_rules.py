"""Message templates: what staff may write, what is refused, and the preview."""

import re
from html import unescape

import pytest
from django.urls import reverse

from booking.message_kinds.visits.first_reminder import REMINDER_48H
from booking.message_kinds.visits.last_reminder import REMINDER_2H
from booking.messages.samples import PLACEHOLDERS
from clinic.outbox.forms import SpanField
from clinic.outbox.messages.kinds import find_kind
from clinic.outbox.models import MessageRule
from clinic.outbox.text.placeholders import faults_of, fill
from tests.clinic.letters import fate, sweep
from tests.factories import ClinicFactory, MessageFactory, UserFactory

ADD = "/admin/outbox/messagerule/add/"


@pytest.fixture
def alice(client, db):
    ClinicFactory()
    client.force_login(UserFactory(is_superuser=True))
    return client


def rule(**changes):
    fields = {
        "kind": REMINDER_48H,
        "service_slug": "",
        "channel": "email",
        "minutes": "2880",
        "is_active": "on",
        "subject": "See you {day_word}",
        "text": "Your visit is {day_word} at {time}.",
    }
    return fields | changes


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("See you {tomorow}.", "{tomorow}"),
        ("See you { day }.", "{ day }"),
        ("See you {day", "brace"),
        ("How is your hip?", "hip"),
        ("Your PAIN diary is due.", "pain"),
        ("About your injuries", "injuries"),
        ("Is it still numb, any numbness?", "numb, numbness"),
        ("Your Achilles tendinopathy visit", "achilles, tendinopathy"),
        ("Read https://elsewhere.example", "web addresses"),
        ("Read www.elsewhere.example", "web addresses"),
    ],
)
def test_message_template_is_refused_for_unknown_placeholders_clinical_terms_and_links(text, complaint):
    assert complaint in " ".join(faults_of(text, known=PLACEHOLDERS))


@pytest.mark.parametrize(
    "text",
    [
        "See you {day_word} at {time}.",
        "Please be there 5 minutes early, the hippo at the door shows the way.",
        "Call this number: {phone}.",
    ],
)
def test_template_is_accepted_when_it_reveals_no_reason_for_the_visit(text):
    assert faults_of(text, known=PLACEHOLDERS) == []


def test_value_of_a_placeholder_is_not_expanded_again_and_breaks_no_line():
    assert fill("At {clinic}", {"clinic": "{day}\r\nBcc: spy@example.com"}) == "At {day} Bcc: spy@example.com"


def test_rule_is_saved_and_a_second_one_for_the_same_kind_refused(alice):
    assert alice.post(ADD, rule()).status_code == 302
    assert MessageRule.objects.get().subject == "See you {day_word}"
    again = alice.post(ADD, rule())
    assert again.status_code == 200 and again.context["adminform"].form.non_field_errors()
    assert MessageRule.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"text": "How is your knee, {name}?"}, "{name}"),
        ({"subject": "Your hip on {day}"}, "leave out: hip"),
        ({"minutes": "5"}, "15 minutes"),
        ({"minutes": "100 days"}, "90 days"),
        ({"minutes": "soon"}, SpanField.default_error_messages["invalid"]),
        ({"kind": "no such kind"}, "Select a valid choice"),
        ({"service_slug": "no-such-service"}, "Select a valid choice"),
    ],
)
def test_rule_is_refused_with_the_reason_and_the_typed_text_is_kept(alice, changes, complaint):
    page = alice.post(ADD, rule(**changes))
    assert page.status_code == 200
    assert complaint in page.content.decode()
    assert not MessageRule.objects.exists()


def test_form_for_a_new_rule_starts_with_the_default_text(alice):
    page = alice.get(f"{ADD}?kind={REMINDER_2H}").content.decode()
    assert find_kind(REMINDER_2H).template.text in page
    assert 'value="2 hours"' in page
    assert alice.get(f"{ADD}?kind=nonsense").status_code == 200


def test_preview_shows_an_everyday_reader_and_the_worst_case_and_saves_nothing(alice):
    page = alice.post(reverse("admin:outbox_messagerule_preview"), rule(subject="Hello {day}")).content.decode()
    assert "Hello Tuesday, December 1" in page
    assert "Hello Wednesday, September 30" in page
    assert "<b>L" not in page
    refused = alice.post(reverse("admin:outbox_messagerule_preview"), rule(subject="Hip {day}")).content.decode()
    assert "leave out: hip" in refused and "Hello" not in refused
    assert not MessageRule.objects.exists()


def test_preview_shows_the_html_of_both_readers_in_frames_with_their_own_policy(alice):
    page = alice.post(reverse("admin:outbox_messagerule_preview"), rule(), headers={"HX-Request": "true"})
    frames = [
        unescape(src) for src in re.findall(r'<iframe sandbox title="[^"]+" src="([^"]+)"', page.content.decode())
    ]
    assert len(frames) == 2 and "<html" not in page.content.decode()
    for src, day in zip(frames, ("Tuesday, December 1", "Wednesday, September 30"), strict=True):
        mail = alice.get(src)
        assert mail.status_code == 200 and day in mail.content.decode()
        policy = mail["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script-src" not in policy and "frame-ancestors 'self'" in policy
        assert mail["X-Frame-Options"] == "SAMEORIGIN"
    assert alice.get(reverse("admin:outbox_messagerule_html", args=[0])).status_code == 422
    assert (
        alice.get(reverse("admin:outbox_messagerule_html", args=[7]) + "?" + frames[0].partition("?")[2]).status_code
        == 422
    )
    assert not MessageRule.objects.exists()


def test_preview_is_a_full_page_without_a_script(alice):
    page = alice.post(reverse("admin:outbox_messagerule_preview"), rule())
    assert "<html" in page.content.decode() and page.content.decode().count("<iframe") == 2
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    assert "frame-src 'self'" in alice.get(ADD)["Content-Security-Policy"]


def test_preview_is_refused_without_the_permission_to_write_rules(client, db):
    client.force_login(UserFactory(roles=["editor"]))
    assert client.post(reverse("admin:outbox_messagerule_preview"), rule()).status_code == 403
    assert client.get(reverse("admin:outbox_messagerule_html", args=[0]), rule()).status_code == 403


def test_list_shows_the_default_text_of_a_kind_without_a_rule(alice):
    page = alice.get("/admin/outbox/messagerule/").content.decode()
    assert "First reminder" in page and "2 days before the visit" in page
    MessageRule.objects.create(kind=REMINDER_48H, minutes=90, subject="Own words", text="-")
    page = alice.get("/admin/outbox/messagerule/").content.decode()
    assert "Own words" in page and "90 minutes before the visit" in page
    assert f"?kind={REMINDER_48H}" not in page


def test_waiting_message_is_skipped_when_its_rule_is_switched_off(db, post_office):
    waiting = MessageFactory(kind=REMINDER_48H)
    MessageRule.objects.create(kind=REMINDER_48H, subject="-", text="-", is_active=False)
    assert sweep() == 0
    state, reason = fate(waiting)
    assert state == "skipped" and "switched off" in reason
