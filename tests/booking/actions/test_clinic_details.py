"""The clinic changes its address, name or number: staff see the affected visits, and patients are notified once."""

import re

import icalendar
import pytest
import time_machine
from django.urls import reverse

from booking.actions.change import cancel_appointment, move_appointment, undo_cancellation
from booking.actions.clinic_details import update_visits
from booking.calendar_feed.feeds import therapist_calendar
from booking.messages.invitation import visit_calendar
from booking.messages.names import CLINIC_MOVED
from booking.messages.samples import short_address
from booking.models import Appointment
from clinic.outbox.messages.kinds import find_kind
from clinic.outbox.models import Message, MessageRule
from clinic.outbox.sending.claims import claim_due_messages
from clinic.outbox.sending.hand_over import send_due_messages
from clinic.practice.models import Clinic
from tests.booking.texting import agree
from tests.booking.visitors import DAY, HOUR, MINUTE, TIMES
from tests.world import NINE_ON_TUESDAY, NOW, book

MOVED, DETAILS = "booking_clinic_moved", "booking_clinic_details"
URL = reverse("admin:practice_clinic_change", args=[1])


@pytest.fixture(autouse=True)
def clock(db):
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def visits(evaluation, call, post_office):
    """Book visits in person, by phone, cancelled and over, and send their first emails. Return all but the last."""
    here = book(evaluation)
    there = book(call, name="Bob Caller", starts_at=NINE_ON_TUESDAY + 2 * HOUR)
    gone = book(evaluation, name="Carol Gone", starts_at=NINE_ON_TUESDAY + 5 * HOUR)
    cancel_appointment(appointment=gone, now=NOW)
    past = book(evaluation, name="Pat Past", starts_at=NOW + 2 * DAY, now=NOW - DAY)
    Appointment.objects.filter(pk=past.pk).update(status="completed", arrived_at=past.starts_at)
    sweep(4)
    post_office.mails.clear()
    return here, there, gone


def sweep(minutes):
    send_due_messages(clock=lambda: NOW + minutes * MINUTE)


def form_of(client, **changes) -> dict:
    form = client.get(URL).context["adminform"].form
    values = {name: form.initial.get(name) for name in form.fields}
    values = {name: value for name, value in values.items() if value not in (None, False)}
    return values | changes


def planned() -> set[tuple[str, str]]:
    rows = Message.objects.filter(kind__in=(MOVED, DETAILS), state="waiting")
    return set(rows.values_list("patient__name", "kind"))


def choice(page, answer) -> str:
    return re.search(f'value="({answer}:[0-9a-f]+)"', page)[1]


def test_new_address_is_confirmed_by_staff_and_emailed_to_patients_who_come_there(client, owner, visits, post_office):
    here = visits[0]
    before = {visit.pk: visit.sequence for visit in Appointment.objects.all()}
    form = form_of(client, street="9 Lake Road")
    asked = client.post(URL, form).content.decode()
    assert "1 upcoming visit was" in asked
    assert Clinic.objects.get().street == "12 Main Street" and not planned()
    client.post(URL, form | {"details_confirmed": choice(asked, "tell")})
    assert Clinic.objects.get().street == "9 Lake Road"
    assert planned() == {("Alice Runner", MOVED)}
    after = {visit.pk: visit.sequence for visit in Appointment.objects.all()}
    assert {pk for pk in after if after[pk] != before[pk]} == {here.pk}
    sweep(2)
    assert post_office.mails == []
    sweep(4)
    [mail] = post_office.mails
    text = " ".join(mail.get_body(("plain",)).get_content().split())
    assert "9 Lake Road, Laconia, NH 03246" in text and "9:00 AM EST" in mail["Subject"]
    [part] = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    event = icalendar.Calendar.from_ical(part.get_content()).walk("VEVENT")[0]
    assert (event["sequence"], "9 Lake Road" in event["location"]) == (before[here.pk] + 1, True)


def test_corrected_spelling_sends_no_email_and_the_next_calendar_replaces_the_old_one(client, owner, visits):
    here = visits[0]
    form = form_of(client, street="12 Main St")
    asked = client.post(URL, form).content.decode()
    client.post(URL, form | {"details_confirmed": choice(asked, "silent")})
    assert Clinic.objects.get().street == "12 Main St"
    assert not planned()
    assert Appointment.objects.get(pk=here.pk).sequence == here.sequence + 1


def test_confirmation_applies_only_to_the_values_it_was_shown_with(client, owner, visits):
    form = form_of(client, street="9 Lake Road")
    answer = choice(client.post(URL, form).content.decode(), "tell")
    asked = client.post(URL, form | {"street": "8 Hill", "details_confirmed": answer})
    assert asked.context["adminform"].form.outdated == 1
    assert Clinic.objects.get().street == "12 Main Street"


@pytest.mark.parametrize("change", [{"phone": "603 555 0142"}, {"name": "Lakes Runners"}])
def test_new_name_or_number_affects_every_future_visit(client, owner, visits, post_office, change):
    form = form_of(client, **change)
    asked = client.post(URL, form).content.decode()
    assert "2 upcoming visits were" in asked
    client.post(URL, form | {"details_confirmed": choice(asked, "tell")})
    assert planned() == {("Alice Runner", DETAILS), ("Bob Caller", DETAILS)}
    sweep(4)
    expected = "(603) 555-0142" if "phone" in change else "Lakes Runners"
    assert [expected in mail.get_body(("plain",)).get_content() for mail in post_office.mails] == [True, True]


@pytest.mark.parametrize("change", [{"directions": "Round the back."}, {"horizon_days": "30"}, {}])
def test_other_changes_are_saved_without_a_question(client, owner, visits, change):
    assert client.post(URL, form_of(client, **change)).status_code == 302
    assert not planned()
    assert Appointment.objects.get(pk=visits[0].pk).sequence == visits[0].sequence


def test_a_change_within_three_minutes_replaces_the_mail_of_the_first(visits):
    first, second, third = (Clinic(name="L", street=street) for street in ("1 A", "2 B", "1 A"))
    update_visits(first, second, True, NOW)
    update_visits(second, third, False, NOW + MINUTE)
    assert not planned()
    assert Message.objects.get(kind=MOVED).reason == "the clinic changed again"


OLD, NEW = {"street": "1 A", "phone": "+16035550123"}, {"street": "2 B", "phone": "+16035550123"}


def change(before, after, is_told, minutes):
    update_visits(Clinic(**before), Clinic(**after), is_told, NOW + minutes * MINUTE)


@pytest.mark.parametrize("is_told", [True, False])
@pytest.mark.parametrize("second", [{"phone": "+16035550142"}, {"street": "2 B Street"}, {"name": "Lakes Runners"}])
def test_news_of_a_new_address_is_kept_when_a_second_change_follows(visits, second, is_told):
    change(OLD, NEW, True, 0)
    change(NEW, NEW | second, is_told, 1)
    change(NEW | second, NEW | second | {"phone": "+16035550177"}, False, 2)
    assert ("Alice Runner", MOVED) in planned() and ("Alice Runner", DETAILS) not in planned()
    assert Message.objects.get(kind=MOVED, state="waiting").due_at == NOW + 5 * MINUTE


def test_news_of_a_new_number_is_kept_when_its_spelling_is_corrected_and_dropped_when_it_is_changed_back(visits):
    newer = OLD | {"phone": "+16035550142"}
    change(OLD, newer, True, 0)
    change(newer, newer | {"name": "Lakes"}, False, 1)
    assert planned() == {("Alice Runner", DETAILS), ("Bob Caller", DETAILS)}
    change(newer | {"name": "Lakes"}, OLD, False, 2)
    assert not planned()


def test_news_of_a_new_number_is_kept_when_the_address_is_changed_back(visits):
    change(OLD, NEW | {"phone": "+16035550142"}, True, 0)
    change(NEW | {"phone": "+16035550142"}, OLD | {"phone": "+16035550142"}, False, 1)
    assert planned() == {("Alice Runner", DETAILS), ("Bob Caller", DETAILS)}


def test_address_changed_back_is_emailed_when_the_first_email_was_being_sent(visits):
    change(OLD, NEW, True, 0)
    claim_due_messages(now=NOW + 3 * MINUTE)
    change(NEW, OLD, False, 3)
    assert planned() == {("Alice Runner", MOVED)}


def test_news_of_the_clinic_survives_a_move_of_the_visit_and_ends_with_it(visits):
    here = visits[0]
    update_visits(Clinic(street="1 A"), Clinic(street="2 B"), True, NOW)
    move_appointment(appointment=here, starts_at=TIMES[6], now=NOW)
    assert planned() == {("Alice Runner", MOVED)}
    cancel_appointment(appointment=here, now=NOW)
    sweep(3)
    assert not planned()
    assert Message.objects.get(kind=MOVED).reason == "the visit is canceled"


def test_news_of_the_clinic_survives_a_cancellation_that_is_undone(visits, post_office):
    here = visits[0]
    update_visits(Clinic(street="1 A"), Clinic(street="2 B"), True, NOW)
    cancel_appointment(appointment=here, now=NOW + 2 * MINUTE)
    sweep(4)  # the news was due by now
    assert post_office.mails == []
    undo_cancellation(appointment=here, now=NOW + 4 * MINUTE)
    sweep(5)
    assert [mail["Subject"].partition(":")[0] for mail in post_office.mails] == ["The clinic has moved"]


def test_no_mail_is_planned_when_staff_have_switched_the_kind_off(visits):
    MessageRule.objects.create(kind=MOVED, subject="x", text="x", is_active=False)
    update_visits(Clinic(street="1 A"), Clinic(street="2 B"), True, NOW)
    assert not planned()


@pytest.fixture
def walter(evaluation, front_desk, twilio):
    """A visit of a patient without an email address."""
    return book(evaluation, name="Walter Moore", email="", phone="+16035550142", starts_at=TIMES[3], by=front_desk)


def test_staff_see_how_many_must_be_called_about_a_new_address(client, owner, visits, walter):
    form = form_of(client, street="9 Lake Road")
    assert client.post(URL, form).context["adminform"].form.to_call == 1
    agree(walter.patient)
    assert client.post(URL, form).context["adminform"].form.to_call == 0


def test_new_address_is_sent_by_text_and_email_when_the_patient_consented_to_texts(visits, walter, twilio, post_office):
    here = visits[0]
    agree(walter.patient)
    agree(here.patient, instead_of_email=True)
    Clinic.objects.update(street="9 Lake Road")
    before = Clinic(name="Lakes Running Clinic", phone="+16035550123", street="12 Main Street", city="Laconia")
    update_visits(before, Clinic.objects.get(), True, NOW)
    sweep(4)
    texts = {text["To"]: text["Body"] for text in twilio.texts}
    assert texts["+16035550142"] == find_kind(CLINIC_MOVED).text_message.format(
        clinic="Lakes Running Clinic",
        new_address="9 Lake Road, Laconia",
        day_word="on Tuesday, December 1",
        time="2:00 PM EST",
        phone="(603) 555-0123",
    )
    assert "9 Lake Road" in texts["+16035550142"] and "2:00 PM EST" in texts["+16035550142"]
    assert len(texts) == 2 and [mail["To"] for mail in post_office.mails] == ["alice@example.com"]


@pytest.mark.parametrize(
    ("street", "city", "words"),
    [
        ("12 Main Street", "Laconia", "12 Main Street, Laconia"),
        ("1200 Westminster Avenue", "Portsmouth", "1200 Westminster Avenue"),
        ("The Old Mill at Lakeport Landing 7", "Laconia", "a new address"),
        ("", "Laconia", "Laconia"),
        (" ", "", "a new address"),
        ("ulica Żółta 1", "Wałbrzych", "ulica Zolta 1, Walbrzych"),
    ],
)
def test_address_in_a_text_is_complete_or_omitted(street, city, words):
    assert short_address(Clinic(street=street, city=city)) == words


def test_calendar_files_and_feeds_show_the_new_place(visits, meredith):
    Clinic.objects.update(street="9 Lake Road")
    clinic = Clinic.objects.get()
    assert b"9 Lake Road" in visit_calendar(appointment=visits[0], clinic=clinic, now=NOW)
    events = icalendar.Calendar.from_ical(therapist_calendar(therapist=meredith, clinic=clinic, now=NOW)).walk("VEVENT")
    places = {event["summary"]: str(event.get("location", "")) for event in events}
    assert "9 Lake Road" in places["Visit, in person"] and places["Visit, by phone"] == ""
