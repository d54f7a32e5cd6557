"""The first name in messages: only for patients who opted in, by the form or the visit's page, until they opt out."""

import pytest
import time_machine

from booking.schedule.visit_links import visit_path
from clinic.audit.models import AccessEvent
from clinic.outbox.messages.kinds import find_kind
from clinic.outbox.models import Channel, Message
from clinic.outbox.sending.hand_over import send_due_messages
from clinic.outbox.texts.texting import write_text
from clinic.practice.models import Patient, Proof
from clinic.practice.people.first_names import first_name
from clinic.practice.people.patients import accept_patient
from tests.booking.visitors import book_online
from tests.world import NOW, book


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def subjects(post_office):
    send_due_messages(clock=lambda: NOW)
    return [mail["Subject"] for mail in post_office.mails]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Anna Runner", "Anna"),
        ("anna", "Anna"),
        ("Zoë-Marie O’Hara", "Zoë-Marie"),
        ("D’Arcy Low", "D’Arcy"),
        ("李雷 Li", "李雷"),
        ("www.evil.example Free", "Wwwevilexample"),
        ("\u202eannA\u2066 x", "AnnA"),
        ("J. R. Tolk", "J"),
        ("1234 Five", ""),
        ("--- x", ""),
        ("\x07\x1b[31mRed x", "MRed"),
        ("W" * 80, "W" * 24),
    ],
)
def test_first_name_consists_of_letters_only(name, first):
    assert first_name(name) == first


def test_messages_contain_no_name_unless_the_box_was_checked(evaluation, post_office, clock):
    book_online(0, name="Anna Runner")
    book_online(1, name="Ben Runner", uses_first_name="on")
    assert sorted(subject.split(":")[0] for subject in subjects(post_office)) == ["Ben", "You are booked"]
    assert Patient.objects.get(name="Ben Runner").first_name_since == NOW
    assert Patient.objects.get(name="Anna Runner").first_name_since is None
    mail = next(mail for mail in post_office.mails if mail["Subject"].startswith("Ben"))
    assert mail.get_body(("plain",)).get_content().startswith("Hello Ben!")
    assert "<p>Hello Ben!</p>" in mail.get_body(("html",)).get_content()
    assert "Ben Runner" not in mail.as_string()


def test_mail_about_a_childs_visit_greets_the_guardian_and_names_the_child(evaluation, post_office, clock):
    minor = {"name": "Milo Runner", "is_for_minor": "on", "guardian_name": "Petra Runner"}
    book_online(0, **minor, uses_first_name="on")
    book_online(1, **minor | {"name": "Mia Runner"})
    named, plain = sorted(subjects(post_office))
    assert named.startswith("Milo’s visit: ") and "Mia" not in plain
    texts = {mail["Subject"]: mail.get_body(("plain",)).get_content() for mail in post_office.mails}
    assert texts[named].startswith("Hello Petra!") and "Milo’s visit" in texts[named] and "Hello" not in texts[plain]


def test_first_name_is_set_and_withdrawn_only_by_the_mailed_link(client, evaluation, post_office, clock):
    visit = book(evaluation)
    shown, mailed = (visit_path(visit, proof=proof, now=NOW) for proof in (Proof.SHOWN, Proof.MAILED))
    assert "first-name/" not in client.get(shown).content.decode()
    assert client.post(shown + "first-name/", {"use": "yes"}).status_code == 403
    assert "first-name/" in client.get(mailed).content.decode()
    assert client.post(mailed + "first-name/", {"use": "yes"}).status_code == 303
    visit.patient.refresh_from_db()
    assert visit.patient.first_name_since is not None
    assert subjects(post_office)[-1].startswith("Alice: You are booked")
    events = AccessEvent.objects.filter(patient_ids=[visit.patient_id], action="U").count()
    client.post(mailed + "first-name/", {"use": "no"})
    assert Patient.objects.get().first_name_since is None
    assert AccessEvent.objects.filter(patient_ids=[visit.patient_id], action="U").count() == events + 1
    client.post(mailed + "mail/")
    assert subjects(post_office)[-1].startswith("You are booked")


def test_first_name_choice_of_a_booking_is_kept_when_its_patient_becomes_known(evaluation, clock):
    known = book(evaluation).patient
    book_online(1, uses_first_name="on")
    provisional = Patient.objects.get(is_provisional=True)
    assert Patient.objects.get(pk=known.pk).first_name_since is None  # a typed name proves no identity
    assert accept_patient(provisional, now=NOW).pk == known.pk
    assert Patient.objects.get(pk=known.pk).first_name_since == NOW


def test_unchecked_box_of_a_stranger_withdraws_nothing(evaluation, clock):
    book_online(0, uses_first_name="on")
    book_online(1)
    assert Patient.objects.get().first_name_since == NOW


def test_text_starts_with_the_name_when_its_alphabet_has_the_letters(evaluation):
    visit = book(evaluation)
    kind = find_kind("booking_reminder_2h")
    message = Message.objects.get(kind=kind.name)
    message.channel = Channel.SMS

    def text(name):
        Patient.objects.update(name=name, first_name_since=NOW)
        message.patient.refresh_from_db()
        return write_text(message, kind.text_message, now=visit.starts_at)

    assert text("Anna Runner").startswith("Anna: Lakes Running Clinic: ")
    assert text("李雷 Runner").startswith("Lakes Running Clinic: ")
