"""Every message kind, rendered from rows with the longest and most hostile data, or with almost none.

A new kind fails here until `ABOUT` names its subject. Kinds about a visit are added automatically.
"""

import email
import email.policy
import html
import re
import secrets
import uuid
from datetime import timedelta

import pytest
from django.test import RequestFactory

from assessments.models import Questionnaire, StaffAlert
from assessments.red_flags.alerts import STAFF_FLAG
from assessments.red_flags.left_unsure import SECOND_LOOK
from booking.actions.change import cancel_appointment
from booking.messages import names
from booking.messages.visit_mail import visit_kinds
from booking.models import CalendarFeed, ReturnRequest, SlotOffer
from clinic.audit.models import SignInKind
from clinic.audit.sign_ins import record_sign_in
from clinic.outbox.message_kinds.confirmation_code import CONFIRMATION_CODE
from clinic.outbox.messages import kinds
from clinic.outbox.messages.alerts import MESSAGE_FAILED
from clinic.outbox.messages.mail import build_mail
from clinic.outbox.messages.message_rules import rules_of
from clinic.outbox.models import Channel, Message
from clinic.outbox.text.gsm import LIMIT, fit_text, length
from clinic.outbox.text.placeholders import clinical_terms
from clinic.outbox.texts.inbound import STAFF_TEXT, keep_text
from clinic.outbox.texts.texting import write_text
from clinic.practice.models import Clinic, ConfirmationCode, Patient
from clinic.staff.account_mail import ACCOUNT_EVENT, INVITATION, RESET, subject_of
from clinic.staff.links import create_link
from clinic.staff.models import StaffLink
from tests.booking.waiting import wait
from tests.clinic.letters import render_message
from tests.factories import UserFactory
from tests.world import NOW, book

pytestmark = pytest.mark.django_db

HOSTILE = (
    "Zoë <script>alert(1)</script> & “Söhne” {day} {{ clinic.phone }} {% now 'Y' %}\r\nBcc: spy@example.com\r\n\r\n"
)
HEADERS = {
    "Content-Type", "MIME-Version", "Subject", "From", "To", "Reply-To", "Message-ID", "Date", "Auto-Submitted",
    "Content-Transfer-Encoding", "List-Unsubscribe", "List-Unsubscribe-Post",
}  # fmt: skip


def worst(length: int) -> str:
    return (HOSTILE + "W" * length)[:length]


@pytest.fixture(params=["worst", "patchy", "barest"])
def data(request):
    return request.param


@pytest.fixture
def clinic(db, data):
    """Create the clinic of `evaluation`, with every field at its longest or with little more than a name."""
    if data != "worst":
        return Clinic.objects.create(name="C", street="4 Mill Street" if data == "patchy" else "")
    return Clinic.objects.create(
        name=worst(100), street=worst(120), city=worst(80), region=worst(80), postal_code=worst(16),
        phone="+4915112345678901"[:16], email="a" * 60 + "@clinic.example", what_to_bring=worst(600),
    )  # fmt: skip


@pytest.fixture
def visit(evaluation, clinic, data):
    Questionnaire.objects.create(slug="intake", version=1, title="Hip", definition={}, published_at=NOW, created_at=NOW)
    evaluation.intake_slug, evaluation.name = "intake", worst(80) if data == "worst" else "E"
    evaluation.save()
    address = f"{'a' * 60}@example.com" if data == "worst" else "a@b.example"
    return book(evaluation, name=worst(100), email=address, time_zone="Pacific/Chatham")


def a_visit(visit, clinic):
    return visit.pk


def a_cancelled_visit(visit, clinic):
    return cancel_appointment(appointment=visit, now=NOW).pk


def an_offer(visit, clinic):
    entry = wait(visit.service)
    return SlotOffer.objects.create(
        entry=entry, therapist=visit.therapist, starts_at=visit.starts_at, freed_by=visit, freed_version=1,
        created_at=NOW, expires_at=visit.starts_at - timedelta(hours=1),
    ).pk  # fmt: skip


def an_entry(visit, clinic):
    return wait(visit.service).pk


def a_request(visit, clinic):
    return ReturnRequest.objects.create(email=visit.patient.email, created_at=NOW).pk


def a_flag(visit, clinic):
    recipient = UserFactory(name=worst(120))
    return StaffAlert.objects.create(response=visit.intake, recipient=recipient, level="E", planned_at=NOW).pk


def a_feed(visit, clinic):
    therapist = visit.therapist
    if len(clinic.name) > 1:  # with the data `worst`
        therapist.name = worst(100)
        therapist.save()
    return CalendarFeed.objects.create(
        therapist=therapist, token_hash=secrets.token_bytes(32), created_at=NOW, failed_at=NOW
    ).pk


def a_code(visit, clinic):
    return ConfirmationCode.objects.create(patient=visit.patient, created_at=NOW).pk


def a_text(visit, clinic):
    keep_text(phone=visit.patient.phone, content=worst(600), provider_id="SM1", now=NOW)
    return UserFactory(name=worst(120)).pk


def a_staff_link(purpose):
    invited, owner = UserFactory(name="Sam"), UserFactory(name="Olga Owner")
    return create_link(email=invited.email, purpose=purpose, by=owner, now=NOW).pk


def an_invitation(visit, clinic):
    return a_staff_link(StaffLink.Purpose.INVITATION)


def a_reset(visit, clinic):
    return a_staff_link(StaffLink.Purpose.RESET)


def an_account_event(visit, clinic):
    user = UserFactory(name=worst(120))
    event = record_sign_in(user=user, kind=SignInKind.SIGNED_IN, request=RequestFactory().get("/"), now=NOW)
    return subject_of(event)


def an_unknown_id(visit, clinic):
    return uuid.uuid4()


ABOUT = {kind.name: a_visit for kind in visit_kinds()} | {
    names.CANCELLED: a_cancelled_visit,
    names.OFFER: an_offer,
    names.ON_WAIT_LIST: an_entry,
    names.WAIT_STUCK: an_entry,
    names.RETURN_LINK: a_request,
    names.CONFIRM_ADDRESS: a_request,
    names.NOT_COMING: a_visit,
    names.FEED_BROKEN: a_feed,
    CONFIRMATION_CODE: a_code,
    STAFF_FLAG: a_flag,
    STAFF_TEXT: a_text,
    MESSAGE_FAILED: an_unknown_id,
    INVITATION: an_invitation,
    RESET: a_reset,
    ACCOUNT_EVENT: an_account_event,
}
TEXTED = [kind.name for kind in visit_kinds() if kind.text_message]
TO_CLINIC = {names.NOT_COMING, names.FEED_BROKEN, MESSAGE_FAILED}
TO_STAFF = {INVITATION, RESET, ACCOUNT_EVENT}


NAMED = set(ABOUT) - {names.RETURN_LINK, names.CONFIRM_ADDRESS, STAFF_FLAG, STAFF_TEXT, *TO_CLINIC, *TO_STAFF}


def message_of(kind, visit, clinic, channel=Channel.EMAIL) -> Message:
    return Message(
        kind=kind, channel=channel, subject_id=ABOUT[kind](visit, clinic), version=2, scope=visit.service.slug,
        patient=visit.patient, dedupe_key=f"{kind}:1", due_at=NOW, not_after=visit.starts_at,
    )  # fmt: skip


def words_of(markup: str) -> str:
    """Return the visible text of the HTML."""
    return html.unescape(re.sub(r"<head>.*?</head>|<[^>]+>", " ", markup, flags=re.DOTALL))


def _plain(words: str) -> str:
    """Remove spaces and quotation marks, which differ between the text and the HTML part."""
    return "".join(words.translate(dict.fromkeys(map(ord, '“”"'))).split())


def test_every_kind_is_tested_here():
    registered = {
        kind.name for kind in kinds.all_kinds() if "letter" not in kind.name and kind.name != "note"
    }  # without kinds that other tests register
    assert registered - {SECOND_LOOK} == set(ABOUT)  # SECOND_LOOK is never sent


@pytest.mark.parametrize("kind", sorted(ABOUT))
def test_email_is_well_formed_when_its_data_is(kind, visit, clinic, data):
    if kind in TO_CLINIC:  # a clinic without an address gets no email
        Clinic.objects.update(email=clinic.email or "c@clinic.example")
    made = render_message(message_of(kind, visit, clinic), now=NOW)
    raw = build_mail(Message(dedupe_key="x"), made, clinic=clinic, now=NOW).message(policy=email.policy.SMTP).as_bytes()
    sent = email.message_from_bytes(raw, policy=email.policy.default)

    assert set(sent.keys()) <= HEADERS  # no header was injected
    assert len(sent.get_all("Subject")) == len(sent.get_all("To")) == 1
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))  # RFC 5322, 2.1.1
    assert made.subject == " ".join(made.subject.split())
    assert not made.subject[0].islower()
    for part in (made.subject, made.text, made.html):
        assert "None" not in part
    assert "<script" not in made.html
    if data != "worst":
        assert "{" not in made.subject + made.text + made.html
    without_data = re.sub(r"https?://\S+", "", f"{made.subject}\n{made.text}")
    assert not clinical_terms(without_data)
    assert not clinical_terms(words_of(made.html))


@pytest.mark.parametrize("kind", sorted(ABOUT))
def test_email_names_its_reader_only_when_they_opted_in(kind, visit, clinic, data):
    if kind in TO_CLINIC:
        Clinic.objects.update(email=clinic.email or "c@clinic.example")
    message = message_of(kind, visit, clinic)
    Patient.objects.update(name="Quillcanary Runnercanary")
    silent = render_message(message, now=NOW)
    Patient.objects.update(first_name_since=NOW)
    named = render_message(message, now=NOW)

    for part in (silent.subject, silent.text, silent.html):
        assert "canary" not in part
    for part in (named.subject, named.text, named.html):
        assert ("Quillcanary" in part) == (kind in NAMED)
        assert "Runnercanary" not in part
    assert named.subject.removeprefix("Quillcanary: ") == silent.subject


@pytest.mark.parametrize(
    "name", ["\u202eevil\u202c http://x.example", "A\x01\r\nBcc: x@y.example", "W" * 80, "<b>B</b>"]
)
@pytest.mark.parametrize("kind", TEXTED)
def test_hostile_first_name_adds_only_letters_to_an_email(kind, name, visit, clinic, data):
    message = message_of(kind, visit, clinic)
    Patient.objects.update(name=name, first_name_since=NOW)
    made = render_message(message, now=NOW)
    raw = build_mail(Message(dedupe_key="x"), made, clinic=clinic, now=NOW).message(policy=email.policy.SMTP).as_bytes()
    sent = email.message_from_bytes(raw, policy=email.policy.default)
    assert set(sent.keys()) <= HEADERS
    lead, _, rest = made.subject.partition(": ")
    assert lead.isalpha() and len(lead) <= 24
    for part in (rest, made.text, made.html):
        assert not set(part) & set("\u202e\u202c\x01") and "x.example" not in part and "y.example" not in part
    message.channel = Channel.SMS
    message.patient.refresh_from_db()
    text = write_text(message, rules_of([message])[message.pk].text, now=NOW)
    assert length(text) <= LIMIT and "x.example" not in text
    assert data == "worst" or text.startswith(f"{lead}: ")


@pytest.mark.parametrize("kind", sorted(ABOUT))
def test_text_has_no_stray_punctuation_and_agrees_with_the_html_when_data_is(kind, visit, clinic):
    if kind in TO_CLINIC:  # a clinic without an address gets no email
        Clinic.objects.update(email=clinic.email or "c@clinic.example")
    made = render_message(message_of(kind, visit, clinic), now=NOW)
    seen = _plain(words_of(made.html))
    for line in made.text.splitlines():
        assert not re.search(r" [,.]|,\s*$|,\s*,|\(\s*\)|^\s*,", line), line
        if line.strip() and not line.startswith(("http", "-- ")):
            assert _plain(line).rstrip(":") in seen, line
    for address in re.findall(r"^https?://\S+$", made.text, flags=re.MULTILINE):
        assert f'href="{html.escape(address)}"' in made.html
    assert "\n\n\n" not in made.text


@pytest.mark.parametrize("kind", TEXTED)
def test_text_fits_and_reveals_no_more_than_the_email_when_data_is(kind, visit, clinic):
    message = message_of(kind, visit, clinic, channel=Channel.SMS)
    text = fit_text(rules_of([message])[message.pk].text, kinds.find_kind(kind).text_values(message, NOW))

    assert length(text) <= LIMIT
    assert "\n" not in text and "None" not in text
    assert not clinical_terms(text)
    assert not re.search(r" [,.]|call\s*$|call \.", text), text
