"""A patient without an email address: booked by staff, texted with consent, else called."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from booking.actions.attend import mark_arrived
from booking.actions.change import cancel_appointment, move_appointment
from booking.actions.clinic_details import update_visits
from booking.actions.correct_address import send_to_new_address
from booking.actions.return_links import patients_at
from booking.messages.delivery import WAIT, describe_move_delivery
from booking.messages.invitation import visit_calendar
from booking.messages.last_told import news_of
from booking.messages.names import BOOKED
from booking.models import Appointment, SlotOffer, WaitListEntry
from booking.schedule.errors import PhoneOfAnother
from booking.wait_list.entries import Wishes, join_wait_list
from booking.wait_list.slot_offers import offer_freed_time, time_of
from clinic.outbox.messages.kinds import find_kind
from clinic.outbox.messages.suppressions import suppress
from clinic.outbox.models import Message, MessageRule, State, Suppression, TextConsent
from clinic.outbox.sending.hand_over import send_due_messages
from clinic.outbox.sending.refusals import NO_ADDRESS
from clinic.outbox.texts.texting import FORM_CONSENT_TEXT, consent_text, give_consent
from clinic.practice.models import Clinic, Patient, PatientLink
from clinic.practice.people.patients import change_address, find_or_register_patient
from tests.booking.today import read_today
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db
ELEVEN = NINE_ON_TUESDAY + timedelta(hours=2)


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def owner(client, front_desk):
    front_desk.is_superuser = True
    front_desk.save()
    client.force_login(front_desk)
    return client


def book_by_form(owner, service, **changes):
    typed = {
        "service": service.pk,
        "therapist": service.therapists.first().pk,
        "starts_at": "2026-12-01T09:00",
        "mode": service.offered_modes[0],
        "name": "Walter Moore",
        "email": "",
        "phone": "603 555 0142 x12",
        "idempotency_key": uuid.uuid4(),
    }
    return owner.post(reverse("admin:booking_appointment_add"), typed | changes)


@pytest.fixture
def walter(evaluation, front_desk):
    """A visit of a patient entered by staff with name and phone."""
    return book(evaluation, name="Walter Moore", email="", phone="+16035550142", by=front_desk)


@pytest.mark.parametrize("phone", ["603 555 0142", "603 555 0142 x12", ""])
def test_staff_book_a_patient_by_phone_or_by_name_alone(owner, evaluation, post_office, phone):
    assert book_by_form(owner, evaluation, phone=phone).status_code == 303
    visit = Appointment.objects.select_related("patient").get()
    assert (visit.patient.email, visit.patient.is_provisional) == ("", False)
    page = owner.get(reverse("admin:booking_appointment_change", args=[visit.pk])).content.decode()
    assert "call to confirm" in page
    send_due_messages(clock=timezone.now)
    assert not post_office.mails
    assert Message.objects.get(kind="booking_booked").reason == NO_ADDRESS
    assert not Message.objects.filter(state=State.FAILED).exists()


def test_patient_is_matched_by_name_and_phone_and_is_new_without_a_phone(db):
    def register(**changes):
        typed = {"name": "Walter Moore", "email": "", "phone": "+16035550142", "now": NOW}
        return find_or_register_patient(**typed | changes)

    walter = register()
    assert register(name="moore, WALTER") == walter
    assert register(phone="+16035550199") != walter
    assert register(phone="") != register(phone="")
    addressed = register(name="Ann Moore", email="ann@example.com")
    assert register(name="Ann Moore") == addressed, "the address is on file already"
    with pytest.raises(IntegrityError, match="patient_phone_and_name"), transaction.atomic():
        Patient.objects.create(name="walter moore", phone="+16035550142", created_at=NOW)
    with pytest.raises(IntegrityError, match="patient_has_an_address"), transaction.atomic():
        Patient.objects.create(name="Bob", phone="", is_provisional=True, created_at=NOW)


def test_reminders_go_by_text_to_a_patient_with_consent(walter, twilio, post_office):
    patient = walter.patient
    consent = {"phone": patient.phone, "wording": "yes", "instead_of_email": False, "given_at": NOW}
    TextConsent.objects.create(patient=patient, **consent)
    moved = move_appointment(appointment=walter, starts_at=ELEVEN, therapist=walter.therapist, now=NOW)
    due_at = moved.starts_at - timedelta(hours=40)
    with time_machine.travel(due_at, tick=False):
        send_due_messages(clock=timezone.now)
    assert not post_office.mails
    assert [text["To"] for text in twilio.texts] == [patient.phone]


def test_staff_note_the_consent_to_texts_of_a_patient_without_an_address(owner, evaluation, twilio):
    refused = book_by_form(owner, evaluation, text_consent="on").content.decode()
    assert "without an extension" in refused and "Read this to them" in refused
    assert book_by_form(owner, evaluation, text_consent="on", phone="603 555 0142").status_code == 303
    consent = TextConsent.objects.get()
    assert consent.phone == "+16035550142" and consent.wording.endswith(FORM_CONSENT_TEXT)
    texts = Message.objects.filter(channel="sms").values_list("kind", flat=True)
    assert "booking_reminder_48h" in texts


def test_booking_is_texted_with_consent_and_staff_need_not_call_once_it_was_sent(owner, evaluation, twilio):
    with time_machine.travel(NOW, tick=False):
        book_by_form(owner, evaluation, text_consent="on", phone="603 555 0142")
        page = reverse("admin:booking_appointment_change", args=[Appointment.objects.get().pk])
        assert "call to confirm" in owner.get(page).text, "the text is only planned"
        send_due_messages(clock=timezone.now)
        assert [text["Body"] for text in twilio.texts] == [
            find_kind(BOOKED).text_message.format(
                clinic="Lakes Running Clinic",
                day_word="on Tuesday, December 1",
                time="9:00 AM EST",
                phone="(603) 555-0123",
            )
        ]
        assert "call to confirm" not in owner.get(page).text
        assert "call to confirm" not in owner.get(reverse("admin:booking_appointment_changelist")).text
    Message.objects.filter(channel="sms", state=State.SENT).update(state=State.FAILED, reason="not delivered 30006")
    assert "call to confirm" in owner.get(page).text, "it was not delivered"


def test_booking_is_not_texted_to_a_patient_who_gets_the_mail(evaluation, twilio):
    patient = book(evaluation).patient
    consent = {"phone": patient.phone, "wording": "yes", "instead_of_email": True, "given_at": NOW}
    TextConsent.objects.create(patient=patient, **consent)
    book(evaluation, starts_at=ELEVEN, patient=patient, phone=patient.phone)
    assert not Message.objects.filter(channel="sms", kind="booking_booked").exists()
    assert Message.objects.filter(channel="sms").exists()


def test_everything_that_happens_to_a_visit_works_without_an_address(walter, evaluation, front_desk, post_office):
    clinic = Clinic.objects.get()
    assert b"ATTENDEE" not in visit_calendar(appointment=walter, clinic=clinic, now=NOW)
    moved = move_appointment(appointment=walter, starts_at=ELEVEN, therapist=walter.therapist, by=front_desk, now=NOW)
    send_to_new_address(moved.patient, NOW)
    mark_arrived(appointment=Appointment.objects.get(), by=front_desk, now=ELEVEN)
    other = book(evaluation, name="Walter Moore", email="", phone="+16035550142", by=front_desk)
    cancel_appointment(appointment=other, by=front_desk, now=NOW)
    assert patients_at("") == []
    with time_machine.travel(ELEVEN + timedelta(days=2), tick=False):
        send_due_messages(clock=timezone.now)
    assert not post_office.mails and not Message.objects.filter(state=State.FAILED).exists()


def test_freed_time_is_offered_by_email_only_and_staff_see_whom_to_call(owner, evaluation, front_desk):
    patient = find_or_register_patient(name="Walter Moore", email="", phone="+16035550142", now=NOW)
    wishes = Wishes(NOW.date(), ELEVEN.date())
    join_wait_list(patient=patient, service=evaluation, mode="in_person", wishes=wishes, now=NOW)
    visit = book(evaluation)
    freed = time_of(visit)
    cancel_appointment(appointment=visit, by=front_desk, now=NOW)
    offer_freed_time(freed, freed_by=visit, clinic=Clinic.objects.get(), now=NOW)
    assert not SlotOffer.objects.exists() and WaitListEntry.objects.waiting().count() == 1
    assert "no email: call" in owner.get(reverse("admin:booking_waitlistentry_changelist")).content.decode()


def test_removing_the_address_ends_the_links(walter, evaluation, front_desk):
    alice = book(evaluation, starts_at=ELEVEN).patient
    change_address(alice, email="", by=front_desk, now=NOW)
    assert not PatientLink.objects.filter(patient=alice, revoked_at=None).exists()


def test_patient_without_an_address_can_be_changed_and_clashes_are_explained(owner, walter, evaluation):
    url = reverse("admin:practice_patient_change", args=[walter.patient_id])
    typed = {"name": "Walter Moore", "email": "", "phone": "(603) 555-0142", "time_zone": "", "birth_on": "1950-01-02"}
    assert owner.post(url, typed).status_code == 302
    twin = find_or_register_patient(name="Wally Moore", email="", phone="+16035550142", now=NOW)
    page = owner.post(reverse("admin:practice_patient_change", args=[twin.pk]), typed)
    assert page.status_code == 200 and page.context["errors"]
    guest = book(evaluation, starts_at=ELEVEN, is_known=False).patient
    other = book(evaluation, starts_at=ELEVEN + timedelta(hours=2), name="Bob Runner", is_known=False).patient
    for clash in ({"name": "ALICE rünner", "email": guest.email}, {"name": "Bob Runner", "email": ""}):
        page = owner.post(reverse("admin:practice_patient_change", args=[other.pk]), typed | clash)
        assert page.status_code == 200 and "errorlist" in page.content.decode()


@pytest.fixture
def namesake(db):
    """Another Walter Moore, with another phone number."""
    return find_or_register_patient(name="moore, WALTER", email="", phone="+16035550177", now=NOW)


def test_form_refuses_a_chosen_patient_with_the_number_of_a_namesake(owner, walter, namesake, evaluation):
    typed = {"patient": walter.patient_id, "name": "", "phone": "603 555 0177", "starts_at": "2026-12-01T11:00"}
    page = book_by_form(owner, evaluation, **typed)
    assert list(page.context["form"].errors) == ["phone"]
    assert Appointment.objects.count() == 1
    chosen = typed | {"patient": namesake.pk}
    assert book_by_form(owner, evaluation, **chosen).status_code == 303


def test_a_namesakes_number_is_refused_when_it_was_given_after_the_form_was_checked(walter, namesake, evaluation):
    contact = {"name": "Walter Moore", "email": "", "phone": namesake.phone, "patient": walter.patient}
    with pytest.raises(PhoneOfAnother):
        book(evaluation, starts_at=ELEVEN, **contact)
    assert Patient.objects.get(pk=walter.patient_id).phone == "+16035550142"
    assert Appointment.objects.count() == 1


# Calls


def test_today_and_the_visit_page_link_to_the_phone_number_of_a_call(owner, call, evaluation, front_desk):
    visit = book(call)
    in_person = book(evaluation, starts_at=ELEVEN)
    with time_machine.travel(NINE_ON_TUESDAY, tick=False):
        owner.force_login(front_desk)
        page = owner.get(reverse("admin:index")).content.decode()
        assert page.count('href="tel:+16035550199"') == 2, "each row has the number of its patient"
        Appointment.objects.filter(pk=visit.pk).update(other_phone="+16035550142;ext=7")
        page = owner.get(reverse("admin:index")).content.decode()
        assert 'href="tel:+16035550142;ext=7">(603) 555-0142 ext. 7<' in page and page.count("+16035550199") == 1
    assert in_person.number_to_call == ""
    page = owner.get(reverse("admin:booking_appointment_change", args=[visit.pk])).content.decode()
    assert 'href="tel:+16035550142;ext=7"' in page and 'href="tel:+16035550199"' in page


def test_today_runs_the_same_queries_for_two_and_five_patients_to_call(
    evaluation, front_desk, django_assert_max_num_queries
):
    def add(hour):
        starts_at = NINE_ON_TUESDAY + timedelta(hours=hour)
        name = f"Walter Moore{hour}"
        book(evaluation, name=name, email="", phone="+16035550142", by=front_desk, starts_at=starts_at)

    add(0)
    add(1)  # a future visit, because Today checks whether those still fit the schedule
    with django_assert_max_num_queries(100) as few:
        assert len(read_today(now=NINE_ON_TUESDAY).visits) == 2
    for hour in (4, 5, 6):
        add(hour)
    with django_assert_max_num_queries(len(few)):
        assert all(visit.appointment.is_to_be_confirmed_by_phone for visit in read_today(now=NINE_ON_TUESDAY).visits)


# How the patient is notified


def messages_of(page) -> str:
    return " ".join(str(message) for message in page.context["messages"])


def act(owner, visit, name, **more):
    url = reverse("admin:booking_appointment_act", args=[visit.pk, name])
    return owner.post(url, {"version": Appointment.objects.get(pk=visit.pk).shown, **more}, follow=True)


def test_staff_who_cancel_are_told_to_call_a_patient_without_an_address(owner, walter, evaluation):
    alice = book(evaluation, starts_at=ELEVEN)
    assert "call (603) 555-0142" in messages_of(act(owner, walter, "cancel"))
    assert f"by email {WAIT}" in messages_of(act(owner, alice, "cancel"))


def test_staff_who_cancel_several_see_how_each_patient_is_notified(owner, walter, evaluation):
    alice = book(evaluation, starts_at=ELEVEN)
    asked = {"action": "cancel", "_selected_action": [walter.pk, alice.pk]}
    page = owner.post(reverse("admin:booking_appointment_changelist"), asked).content.decode()
    assert page.count("call (603) 555-0142") == page.count(f"by email {WAIT}") == 1


@pytest.mark.parametrize(
    ("consents", "is_off", "email", "words"),
    [
        (True, False, "", f"by text {WAIT}"),
        (True, False, "walter@example.com", f"by email and text {WAIT}"),
        (False, False, "walter@example.com", f"by email {WAIT}"),
        (False, True, "walter@example.com", "call (603) 555-0142"),
        (False, False, "bounced@example.com", "call (603) 555-0142"),
    ],
)
def test_staff_who_move_a_visit_see_how_the_patient_is_notified(owner, walter, twilio, consents, is_off, email, words):
    Patient.objects.filter(pk=walter.patient_id).update(email=email)
    suppress(address="bounced@example.com", why=Suppression.Why.BOUNCED, now=NOW)
    if consents:
        give_consent(patient=walter.patient, wording=consent_text(walter.patient), instead_of_email=False, now=NOW)
    MessageRule.objects.create(kind="booking_moved", subject="x", text="x", is_active=not is_off)
    typed = {"therapist": walter.therapist_id, "starts_at": "2026-12-01T11:00", "version": walter.shown}
    page = owner.post(reverse("admin:booking_appointment_move", args=[walter.pk]), typed, follow=True)
    assert words in messages_of(page)


def test_staff_who_move_a_visit_back_see_that_the_patient_needs_no_notice(owner, evaluation):
    visit = book(evaluation)
    send_due_messages(clock=timezone.now)
    moved = move_appointment(appointment=visit, starts_at=ELEVEN, now=NOW)
    typed = {"therapist": visit.therapist_id, "starts_at": "2026-12-01T09:00", "version": moved.shown}
    page = owner.post(reverse("admin:booking_appointment_move", args=[visit.pk]), typed, follow=True)
    assert describe_move_delivery(Appointment.objects.get()) in messages_of(page)
    assert news_of(Appointment.objects.get()) is None


@pytest.mark.parametrize("change", ["cancelled", "moved", "clinic"])
def test_today_lists_whom_to_call_about_a_change_until_they_are_called(owner, walter, evaluation, front_desk, change):
    book(evaluation, starts_at=ELEVEN)
    if change == "cancelled":
        cancel_appointment(appointment=walter, by=front_desk, now=NOW)
    elif change == "moved":
        move_appointment(appointment=walter, starts_at=ELEVEN + timedelta(hours=2), by=front_desk, now=NOW)
    else:
        update_visits(Clinic(street="1 A"), Clinic(street="2 B"), True, NOW)
    assert read_today(now=NOW).to_call == []
    later = NOW + timedelta(minutes=4)
    with time_machine.travel(later, tick=False):
        send_due_messages(clock=timezone.now)
        assert [visit.pk for visit in read_today(now=later).to_call] == [walter.pk]
        page = owner.get(reverse("admin:index")).content.decode()
        assert 'href="tel:+16035550142"' in page and "Told by phone" in page
        answer = act(owner, walter, "called", back="call")
        assert "told by phone" in messages_of(answer) and "Told by phone" not in answer.content.decode()
        assert read_today(now=later).to_call == []


def test_today_does_not_list_patients_notified_by_text(walter, front_desk, twilio):
    give_consent(patient=walter.patient, wording=consent_text(walter.patient), instead_of_email=False, now=NOW)
    cancel_appointment(appointment=walter, by=front_desk, now=NOW)
    later = NOW + timedelta(minutes=4)
    with time_machine.travel(later, tick=False):
        send_due_messages(clock=timezone.now)
    assert len(twilio.texts) == 1 and read_today(now=later).to_call == []
