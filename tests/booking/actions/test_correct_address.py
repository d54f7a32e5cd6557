"""Corrected and new email addresses, and how a provisional patient becomes a known one."""

import re
import uuid
from datetime import date, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from booking.actions.attend import mark_arrived
from booking.actions.correct_address import MOST_COPIES, correct_address
from booking.messages.names import ON_WAIT_LIST
from booking.models import Appointment, WaitListEntry
from booking.schedule.errors import AddressProven, TooLateToChange
from booking.schedule.visit_links import visit_path
from booking.wait_list.entries import Wishes, join_wait_list
from clinic.audit.models import AccessEvent
from clinic.outbox.messages.kinds import find_kind
from clinic.outbox.models import Message, State, TextConsent
from clinic.outbox.sending.hand_over import send_due_messages
from clinic.practice.access.links import revoke_all_links
from clinic.practice.models import LinkPurpose, Patient, PatientLink, Proof
from clinic.practice.people.patients import accept_patient, find_or_register_patient, find_or_register_provisional
from clinic.practice.values.mail_domains import suggest_address
from tests.booking.visitors import press
from tests.booking.waiting import wait, wait_with
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db

ELEVEN = NINE_ON_TUESDAY + timedelta(hours=2)
FORM = f"/book/evaluation/meredith/{ELEVEN:%Y%m%dT%H%MZ}/"
TYPED = {"name": "Alice Runner", "email": "alice@gmial.com", "phone": "603 555 0199", "mode": "in_person"}


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


def send_form(client, **changes):
    return client.post(FORM, TYPED | {"idempotency_key": str(uuid.uuid4())} | changes)


def mailed_path(post_office, number=-1) -> str:
    send_due_messages(clock=timezone.now)
    return re.search(r"/visits/[\w-]{43}/", post_office.mails[number].get_body(("plain",)).get_content())[0]


# Mistyped domains


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("a@gmial.com", "a@gmail.com"), ("a@gmail.con", "a@gmail.com"), ("a@gmai.com", "a@gmail.com"),
        ("a@gmaill.com", "a@gmail.com"), ("a@hotmial.com", "a@hotmail.com"), ("A.B@Yaho.com", "A.B@yahoo.com"),
        ("a@clinic.con", "a@clinic.com"), ("a@outlok.com", "a@outlook.com"),
    ],
)  # fmt: skip
def test_address_is_questioned_when_its_domain_looks_mistyped(typed, meant):
    assert suggest_address(typed) == meant


@pytest.mark.parametrize(
    "typed",
    ["a@gmail.com", "a@ymail.com", "a@gmx.com", "a@me.com", "a@he.com", "a@runners.example", "a@mail.ru", "", "a"],
)
def test_address_is_not_questioned_when_its_domain_is_plausible(typed):
    assert suggest_address(typed) is None


def test_form_asks_once_about_a_mistyped_domain_and_then_accepts_it(client, evaluation):
    asked = send_form(client)
    page = asked.content.decode()
    assert asked.status_code == 422 and "Did you mean alice@gmail.com?" in page
    assert 'name="email_asked_about" value="alice@gmial.com"' in page
    assert send_form(client, email_asked_about="alice@gmial.com").status_code == 303
    assert Patient.objects.get().email == "alice@gmial.com"


# Correcting the address


def test_booked_page_says_which_address_and_lets_it_be_corrected(client, evaluation, post_office):
    page = send_form(client, email_asked_about="alice@gmial.com")["Location"]
    assert "alice@gmial.com" in client.get(page).content.decode()
    wrong = mailed_path(post_office)
    corrected = client.post(f"{page}address/", {"email": "alice@gmail.com"})
    assert (corrected.status_code, corrected["Location"]) == (303, page)
    assert Client().get(wrong).status_code == 410, "the link in the wrong mailbox has ended"
    assert "alice@gmail.com" in client.get(page).content.decode(), "the page of whoever booked still opens"
    right = mailed_path(post_office)
    assert [mail["To"] for mail in post_office.mails] == ["alice@gmial.com", "alice@gmail.com"]
    assert Client().get(right).status_code == 200
    assert not Message.objects.filter(state=State.WAITING, version=1, subject_id=Appointment.objects.get().pk).exists()
    reminders = Message.objects.filter(kind="booking_reminder_48h", state=State.WAITING)
    assert reminders.get().patient.email == "alice@gmail.com"


def test_address_is_refused_when_a_link_from_the_mailbox_was_used_or_the_visit_is_over(evaluation):
    known = book(evaluation)
    with pytest.raises(AddressProven):
        correct_address(appointment=known, email="new@example.com", now=NOW)
    unproven = book(evaluation, starts_at=ELEVEN, name="Bob Runner", is_known=False)
    with pytest.raises(TooLateToChange):
        correct_address(appointment=unproven, email="new@example.com", now=ELEVEN)
    assert set(Patient.objects.values_list("email", flat=True)) == {"alice@example.com", "bob@example.com"}


def test_address_is_corrected_to_a_patient_who_waits_for_the_same_service(evaluation):
    visit = book(evaluation, is_known=False)
    wait_with(visit)
    kept = wait(evaluation, name=visit.patient.name, email="right@example.com")
    correct_address(appointment=visit, email="right@example.com", now=NOW)
    visit.refresh_from_db()
    assert visit.patient == kept.patient
    assert list(WaitListEntry.objects.waiting()) == [kept]


def test_correcting_an_address_affects_only_its_visit(evaluation):
    one = book(evaluation, is_known=False)
    other = book(evaluation, starts_at=ELEVEN, is_known=False)
    correct_address(appointment=one, email="right@example.com", now=NOW)
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.patient.email, other.patient.email) == ("right@example.com", "alice@example.com")


def test_email_can_be_sent_again_three_times(client, evaluation, post_office):
    path = visit_path(book(evaluation, is_known=False), now=NOW)
    assert client.post(f"{path}mail/").status_code == 409, "the first is still on its way"
    for _ in range(MOST_COPIES):
        send_due_messages(clock=timezone.now)
        assert client.post(f"{path}mail/").status_code == 200
    send_due_messages(clock=timezone.now)
    refused = client.post(f"{path}mail/")
    assert refused.status_code == 409 and "spam folder" in refused.content.decode()
    assert len(post_office.mails) == MOST_COPIES + 1


# Becoming a known patient


def test_patient_becomes_known_only_when_a_button_is_pressed_by_a_mailed_link(client, evaluation, post_office):
    visit = book(evaluation, is_known=False)
    path = mailed_path(post_office)
    client.get(path)
    visit.patient.refresh_from_db()
    assert visit.patient.is_provisional
    assert press(client, f"{path}confirm/").status_code == 303
    visit.patient.refresh_from_db()
    assert not visit.patient.is_provisional


def test_patient_stays_provisional_when_a_button_is_pressed_by_a_link_that_was_only_shown(client, evaluation):
    visit = book(evaluation, is_known=False)
    assert press(client, visit_path(visit, now=NOW) + "confirm/").status_code == 303
    visit.patient.refresh_from_db()
    assert visit.patient.is_provisional


def test_owner_of_the_address_who_cancels_a_strangers_visit_is_not_made_its_patient(client, evaluation, post_office):
    alices = book(evaluation)
    strangers = book(evaluation, starts_at=ELEVEN, is_known=False)
    send_due_messages(clock=timezone.now)
    texts = [mail.get_body(("plain",)).get_content() for mail in post_office.mails]  # two emails, in no fixed order
    text = next(text for text in texts if "You did not book this?" in text)
    cancel = re.search(r"You did not book this\?.*?(/visits/[\w-]{43}/cancel/)", text, re.DOTALL)[1]
    assert press(client, cancel).status_code == 303
    strangers.refresh_from_db()
    assert strangers.status == "cancelled" and strangers.patient != alices.patient
    assert strangers.patient.is_provisional


def test_provisional_patients_are_merged_into_the_known_one_when_the_mailbox_is_proven(evaluation, call):
    known = book(evaluation).patient
    Patient.objects.filter(pk=known.pk).update(birth_on=date(1987, 6, 5))
    visit = book(evaluation, starts_at=ELEVEN, phone="+16035550142", is_known=False)
    wait(evaluation, "Alice Runner")
    wait(call, "Alice Runner")
    provisional = visit.patient
    TextConsent.objects.create(patient=provisional, phone="+16035550142", wording="yes", given_at=NOW)
    join_wait_list(patient=known, service=call, mode="phone", wishes=Wishes(NOW.date(), ELEVEN.date()), now=NOW)

    assert accept_patient(provisional, now=NOW) == known
    assert accept_patient(provisional, now=NOW) == known, "twice is once"

    visit.refresh_from_db()
    known.refresh_from_db()
    assert (visit.patient, visit.other_phone) == (known, "+16035550142")
    assert (known.phone, known.birth_on) == ("+16035550199", date(1987, 6, 5)), "nothing on file was replaced"
    for relation in Patient._meta.related_objects:
        if relation.related_model is not Patient:
            assert not relation.related_model._base_manager.filter(**{relation.field.name: provisional}).exists()
    assert WaitListEntry.objects.waiting().filter(patient=known).count() == 2, "one a service"
    assert TextConsent.objects.get().withdrawn_at == NOW, "it was for another number than the one on file"
    assert not Patient.objects.current().filter(is_provisional=True).exists()
    assert AccessEvent.objects.filter(patient_ids=[provisional.pk], object_type="practice.patient").count() == 2


def test_staff_who_meet_a_patient_make_them_known(evaluation, front_desk):
    known = book(evaluation).patient
    visit = book(evaluation, starts_at=ELEVEN, is_known=False)
    mark_arrived(appointment=visit, by=front_desk, now=ELEVEN)
    visit.refresh_from_db()
    assert (visit.patient, visit.arrived_at) == (known, ELEVEN)


def test_patient_is_registered_once_when_case_and_spaces_differ():
    who = {"name": "Zoë  Müller", "email": "Zoe@example.com", "phone": "+16035550142", "now": NOW}
    known, provisional = find_or_register_patient(**who), find_or_register_provisional(**who)
    again = who | {"name": "ZOË MÜLLER", "email": " zoe@EXAMPLE.com", "phone": "+16035550199"}
    assert find_or_register_provisional(**again) == provisional != known
    assert find_or_register_patient(**again) == known
    provisional.refresh_from_db()
    assert provisional.phone == "+16035550142"


# Staff correct an address, and end links


@pytest.fixture
def owner(client, front_desk):
    front_desk.is_superuser = True
    front_desk.save()
    client.force_login(front_desk)
    return client


def fields_of(patient, **changes):
    return {
        "name": patient.name,
        "email": patient.email,
        "phone": patient.phone,
        "time_zone": "",
        "birth_on": "",
    } | changes


def test_new_address_by_staff_ends_every_link_and_gets_future_messages(owner, evaluation, post_office):
    visit = book(evaluation)
    wishes = Wishes(NOW.date(), NINE_ON_TUESDAY.date())
    join_wait_list(patient=visit.patient, service=evaluation, mode="in_person", wishes=wishes, now=NOW)
    old = mailed_path(post_office, 0)
    visitor = Client()
    visitor.post(f"{old}again/")
    assert 'value="(603) 555-0199"' in visitor.get(held(visitor)).content.decode()
    url = reverse("admin:practice_patient_change", args=[visit.patient_id])
    assert owner.post(url, fields_of(visit.patient, email="alice@right.example")).status_code == 302
    assert Client().get(old).status_code == 410
    assert not PatientLink.objects.filter(patient=visit.patient, revoked_at=None).exists()
    send_due_messages(clock=timezone.now)
    new = [mail for mail in post_office.mails if mail["To"] == "alice@right.example"]
    assert sorted(mail["Subject"] for mail in new) == [
        "You are booked: Tuesday, December 1, 9:00 AM EST",
        find_kind(ON_WAIT_LIST).template.subject,
    ]
    again = visitor.get(held(visitor)).content.decode()
    assert "0199" not in again and 'name="email"' in again, "the browser that came by the old link is forgotten"


def held(browser) -> str:
    return browser.post(f"{FORM}hold/", {"key": str(uuid.uuid4())})["Location"]


def test_address_of_another_patient_with_the_same_name_is_refused_with_a_message(owner, evaluation):
    alice = book(evaluation).patient
    find_or_register_patient(name="Alice Runner", email="other@example.com", phone="", now=NOW)
    url = reverse("admin:practice_patient_change", args=[alice.pk])
    page = owner.post(url, fields_of(alice, email="OTHER@example.com"))
    assert page.status_code == 200 and "Another patient" in page.content.decode()
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"


def test_staff_see_and_end_a_patients_links(owner, evaluation):
    visit = book(evaluation)
    path = visit_path(visit, proof=Proof.MAILED, now=NOW)
    url = reverse("admin:practice_patient_change", args=[visit.patient_id])
    assert f"{LinkPurpose.VISIT.label} (mailed Nov 23, 2026), until Dec 15, 2026" in owner.get(url).content.decode()
    assert owner.get(f"{reverse('admin:practice_patient_end_links', args=[visit.patient_id])}").status_code == 405
    ended = owner.post(reverse("admin:practice_patient_end_links", args=[visit.patient_id]), follow=True)
    assert "1 link has ended" in ended.content.decode()
    assert Client().get(path).status_code == 410


def test_staff_without_the_right_end_no_links(client, front_desk, evaluation):
    visit = book(evaluation)
    path = visit_path(visit, proof=Proof.MAILED, now=NOW)
    client.force_login(front_desk)
    assert client.post(reverse("admin:practice_patient_end_links", args=[visit.patient_id])).status_code == 403
    assert Client().get(path).status_code == 200


def test_staff_see_an_unconfirmed_address_and_the_likely_patient(owner, evaluation):
    book(evaluation)
    visit = book(evaluation, starts_at=ELEVEN, is_known=False)
    page = owner.get(reverse("admin:practice_patient_change", args=[visit.patient_id])).content.decode()
    assert "not confirmed" in page and "perhaps" in page
    assert (
        "address not confirmed"
        in owner.get(reverse("admin:booking_appointment_change", args=[visit.pk])).content.decode()
    )


# A link proves nothing about patients other than the one it was emailed to


def test_form_of_a_strangers_visit_proves_nothing_when_a_recognized_patient_resends_it(client, evaluation):
    mallory = book(evaluation, name="Mallory Moore").patient
    key = {"idempotency_key": str(uuid.uuid4())}
    typed = {"name": "Alice Runner", "email": "alice@example.com", "phone": "603 555 0142", "mode": "in_person"}
    client.post(FORM, typed | key)
    client.post(visit_path(Appointment.objects.get(patient=mallory), proof=Proof.MAILED, now=NOW) + "again/")
    client.post(FORM, typed | key)
    alices = Appointment.objects.get(patient__name="Alice Runner")
    assert {link.proof for link in PatientLink.objects.filter(subject_id=alices.pk)} == {Proof.SHOWN}


def test_move_form_is_refused_when_staff_ended_the_links(client, evaluation):
    visit = book(evaluation)
    path = visit_path(visit, proof=Proof.MAILED, now=NOW)
    revoke_all_links(visit.patient, now=NOW)
    assert press(client, f"{path}move/{visit.starts_at:%Y%m%dT%H%MZ}/", {"to": "meredith"}).status_code == 410


def test_visit_page_by_a_mailed_link_offers_no_other_address(client, evaluation, post_office):
    visit = book(evaluation, is_known=False)
    page = client.get(mailed_path(post_office)).content.decode()
    assert "That address is wrong" not in page
    assert (
        client.post(f"{visit_path(visit, proof=Proof.MAILED, now=NOW)}address/", {"email": "x@y.example"}).status_code
        == 409
    )


# Non-ASCII domains, and input that forms refuse


def test_mail_goes_to_the_domain_that_was_typed_and_not_to_a_neighbor(client, evaluation, post_office):
    asked = send_form(client, email="alice@faß.de", name="").content.decode()
    assert 'value="alice@faß.de"' in asked
    assert 'type="email"' not in asked, "Chromium would turn that into alice@fass.de before the form is sent"
    page = send_form(client, email="alice@faß.de")["Location"]
    send_due_messages(clock=timezone.now)
    assert [mail["To"] for mail in post_office.mails] == ["alice@xn--fa-hia.de"]
    assert "mailto:alice@xn--fa-hia.de" in str(post_office.mails[0])
    assert "alice@faß.de" in client.get(page).content.decode()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"email": "ali\u200bce@example.com"}, "invisible character"),
        ({"email": f"{'a' * 65}@example.com"}, "before the @ is too long"),
        ({"email": f"a@{'a' * 64}.com"}, "more than 63"),
        ({"name": "\u0958" * 70}, "at most 120"),
        ({"name": "\u3164"}, "Enter the patient’s name."),
        ({"name": "😀"}, "at least one letter"),
    ],
)
def test_form_says_what_is_wrong_with_a_name_or_an_address(client, evaluation, typed, words):
    refused = send_form(client, **typed)
    assert refused.status_code == 422 and words in refused.content.decode()
    assert not Patient.objects.exists()


@pytest.mark.parametrize(("url", "fields"), [
    ("practice_patient", {"phone": "", "time_zone": "", "birth_on": ""}),
    ("practice_user", {"usable_password": "false"}),
])  # fmt: skip
def test_staff_forms_refuse_what_the_visitors_form_refuses(owner, url, fields):
    page = owner.post(reverse(f"admin:{url}_add"), fields | {"name": "\u3164", "email": "a\u200bb@example.com"})
    html = page.content.decode()
    assert page.status_code == 200 and "invisible character" in html and "This field is required" in html
