"""Booking and cancelling are idempotent and atomic, and plan the right messages."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction

from booking.actions.attend import confirm_appointment, mark_arrived, mark_no_show
from booking.actions.block_time import block_time
from booking.actions.change import cancel_appointment
from booking.models import Appointment, AppointmentEvent, HoursOverride
from booking.schedule.errors import (
    NotOfferedBecause,
    SlotNotOffered,
    SlotTaken,
    TooLateToChange,
    VisitCancelled,
    VisitNotStarted,
    VisitsInTheWay,
)
from clinic.audit.models import AccessEvent
from clinic.outbox.models import Message
from clinic.practice.models import LinkPurpose, Patient, PatientLink
from tests.world import NINE_ON_TUESDAY, NOW, book, make_therapist


def messages_of(appointment) -> dict[str, Message]:
    return {message.kind: message for message in Message.objects.filter(subject_id=appointment.pk)}


def test_booking_stores_the_visit_its_event_and_an_access_event(evaluation, meredith):
    visit = book(evaluation)
    visit.refresh_from_db()
    assert (visit.status, visit.therapist, visit.patient.name) == ("booked", meredith, "Alice Runner")
    assert visit.ends_at - visit.starts_at == timedelta(minutes=45)
    assert (visit.blocked.lower, visit.blocked.upper) == (visit.starts_at, visit.ends_at + timedelta(minutes=15))
    assert (visit.version, visit.sequence) == (1, 0)
    assert list(visit.events.values_list("kind", "at", "by")) == [("booked", NOW, None)]
    assert AccessEvent.objects.filter(patient_ids=[visit.patient_id], object_type="booking.appointment").count() == 1


def test_reference_has_no_ambiguous_characters(evaluation):
    reference = book(evaluation).reference
    assert reference.startswith("RC-")
    assert len(reference) == 9
    assert not set(reference[3:]) & set("0O1ILU")


def test_a_booking_plans_its_messages(evaluation):
    planned = messages_of(book(evaluation))
    assert planned["booking_booked"].due_at == NOW
    assert planned["booking_reminder_48h"].due_at == NINE_ON_TUESDAY - timedelta(hours=48)
    # Two hours before 9:00 AM is within the clinic's quiet hours, so the reminder is due at 8:30 PM the evening before.
    assert planned["booking_reminder_2h"].due_at == NINE_ON_TUESDAY - timedelta(hours=12.5)
    assert {message.version for message in planned.values()} == {1}


def test_two_hour_reminder_keeps_its_time_outside_quiet_hours(evaluation):
    at_two = NINE_ON_TUESDAY + timedelta(hours=5)
    assert messages_of(book(evaluation, starts_at=at_two))["booking_reminder_2h"].due_at == at_two - timedelta(hours=2)


def test_reminders_are_not_planned_when_their_time_has_passed(evaluation):
    the_day_before = book(evaluation, now=NINE_ON_TUESDAY - timedelta(hours=14))
    assert set(messages_of(the_day_before)) == {"booking_booked", "booking_reminder_2h", "booking_follow_up"}


def test_no_reminder_is_planned_when_the_evening_before_has_passed(evaluation):
    evaluation.minimum_notice_minutes = 60
    that_night = book(evaluation, now=NINE_ON_TUESDAY - timedelta(hours=11))
    assert set(messages_of(that_night)) == {"booking_booked", "booking_follow_up"}


def test_the_same_form_books_once(evaluation):
    key = uuid.uuid4()
    first = book(evaluation, idempotency_key=key)
    assert book(evaluation, idempotency_key=key).pk == first.pk
    assert Appointment.objects.count() == 1
    assert Message.objects.filter(kind="booking_booked").count() == 1


def test_the_same_form_books_once_when_sent_for_another_time(evaluation):
    key = uuid.uuid4()
    first = book(evaluation, idempotency_key=key)
    again = book(evaluation, idempotency_key=key, starts_at=NINE_ON_TUESDAY + timedelta(hours=2))
    assert (again.pk, again.starts_at) == (first.pk, NINE_ON_TUESDAY)


def test_another_form_for_the_same_time_is_refused_and_writes_nothing(evaluation):
    book(evaluation)
    with pytest.raises(SlotTaken):
        book(evaluation, name="Bob Late")
    assert not Patient.objects.filter(name="Bob Late").exists()
    assert Appointment.objects.count() == 1


def test_turnover_of_a_visit_cannot_be_booked(evaluation, call):
    book(evaluation)
    with pytest.raises(SlotTaken):
        book(call, starts_at=NINE_ON_TUESDAY + timedelta(minutes=45), name="Bob")
    book(call, starts_at=NINE_ON_TUESDAY + timedelta(minutes=60), name="Bob")


def test_a_time_outside_the_rules_is_refused_with_the_reason(evaluation):
    with pytest.raises(SlotNotOffered) as refusal:
        book(evaluation, starts_at=NINE_ON_TUESDAY - timedelta(hours=2))
    assert refusal.value.reason == NotOfferedBecause.HOURS


def test_two_therapists_can_be_booked_at_the_same_time(evaluation):
    evaluation.therapists.add(nora := make_therapist("Nora"))
    book(evaluation)
    assert book(evaluation, therapist=nora, name="Bob").starts_at == NINE_ON_TUESDAY


def test_time_of_a_hold_can_be_booked_by_others_only_when_it_has_expired(evaluation):
    held = book(evaluation)
    Appointment.objects.filter(pk=held.pk).update(status="held", hold_expires_at=NOW)
    with pytest.raises(SlotTaken):
        book(evaluation, name="Bob", now=NOW - timedelta(seconds=1))
    assert book(evaluation, name="Bob", now=NOW).status == "booked"
    assert not Appointment.objects.filter(pk=held.pk).exists()


def test_refused_booking_leaves_the_connection_usable(evaluation):
    book(evaluation)
    with pytest.raises(SlotTaken):
        book(evaluation, name="Bob")
    assert Appointment.objects.count() == 1


def test_booking_is_refused_inside_another_transaction(evaluation):
    """Two callers that wait for one schedule would keep shared locks until the outer transactions end: a deadlock."""
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        book(evaluation)
    assert not Appointment.objects.exists()


def test_cancelling_frees_the_time_and_withdraws_the_reminders(evaluation):
    visit = book(evaluation)
    cancelled = cancel_appointment(appointment=visit, now=NOW)
    assert (cancelled.status, cancelled.version, cancelled.sequence) == ("cancelled", 2, 1)
    assert (cancelled.cancelled_at, cancelled.cancelled_by) == (NOW, None)
    told = messages_of(visit)
    assert told.pop("booking_cancelled").state == "waiting"
    assert {(message.state, message.reason) for message in told.values()} == {("skipped", "the visit was canceled")}
    assert book(evaluation, name="Bob").starts_at == visit.starts_at


def test_cancelling_twice_changes_nothing(evaluation):
    visit = book(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    again = cancel_appointment(appointment=visit, now=NOW + timedelta(hours=1))
    assert (again.version, again.cancelled_at) == (2, NOW)
    assert AppointmentEvent.objects.filter(appointment=visit, kind="cancelled").count() == 1


def test_the_patient_cannot_cancel_within_the_window_and_staff_can(evaluation, front_desk):
    visit = book(evaluation)
    last_moment = NINE_ON_TUESDAY - timedelta(hours=24)
    with pytest.raises(TooLateToChange):
        cancel_appointment(appointment=visit, now=last_moment)
    cancelled = cancel_appointment(appointment=visit, by=front_desk, now=last_moment)
    assert cancelled.cancelled_by == front_desk


def test_cancelling_is_refused_when_the_visit_is_over(evaluation, front_desk):
    visit = book(evaluation)
    with pytest.raises(TooLateToChange):
        cancel_appointment(appointment=visit, by=front_desk, now=visit.ends_at)


def test_confirmation_is_recorded_once(evaluation):
    visit = book(evaluation)
    assert confirm_appointment(appointment=visit, now=NOW).confirmed_at == NOW
    assert confirm_appointment(appointment=visit, now=NOW + timedelta(hours=1)).confirmed_at == NOW
    with pytest.raises(TooLateToChange):
        confirm_appointment(appointment=visit, now=visit.starts_at)


def test_early_arrival_keeps_the_time_blocked(evaluation, front_desk):
    visit = book(evaluation)
    came = mark_arrived(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY - timedelta(minutes=5))
    assert (came.status, came.arrived_at) == ("booked", NINE_ON_TUESDAY - timedelta(minutes=5))


def test_no_show_becomes_arrived_when_the_patient_comes_late(evaluation, front_desk):
    visit = book(evaluation)
    with pytest.raises(VisitNotStarted):
        mark_no_show(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY - timedelta(minutes=1))
    missed = mark_no_show(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY + timedelta(minutes=20))
    assert (missed.status, missed.arrived_at) == ("no_show", None)
    came = mark_arrived(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY + timedelta(minutes=25))
    assert (came.status, came.arrived_at) == ("booked", NINE_ON_TUESDAY + timedelta(minutes=25)), "it is not over yet"


def test_cancelled_visit_cannot_be_marked_or_confirmed(evaluation, front_desk):
    visit = cancel_appointment(appointment=book(evaluation), now=NOW)
    for act in (mark_arrived, mark_no_show, confirm_appointment):
        with pytest.raises(VisitCancelled):
            act(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY)


def test_blocking_time_names_the_visits_in_it_and_keeps_them(evaluation, meredith, front_desk):
    visit = book(evaluation)
    morning = {"starts_at": NINE_ON_TUESDAY, "ends_at": NINE_ON_TUESDAY + timedelta(hours=3), "by": front_desk}
    with pytest.raises(VisitsInTheWay) as refusal:
        block_time(therapist=None, **morning)
    assert refusal.value.visits == [visit]
    assert not HoursOverride.objects.exists()
    block_time(therapist=meredith, despite_visits=True, **morning)
    assert Appointment.objects.get().status == "booked"
    with pytest.raises(SlotNotOffered):
        book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(hours=1), name="Bob")


def test_blocking_one_therapists_time_ignores_anothers_visits(evaluation, front_desk):
    book(evaluation)
    nora = make_therapist("Nora")
    block_time(therapist=nora, starts_at=NINE_ON_TUESDAY, ends_at=NINE_ON_TUESDAY + timedelta(hours=1), by=front_desk)


@pytest.mark.django_db
def test_a_booking_starts_the_intake_and_cancelling_closes_its_links(evaluation, monkeypatch):
    from assessments.models import Questionnaire

    Questionnaire.objects.create(
        slug="runner-intake", version=1, title="Intake", definition={}, published_at=NOW, created_at=NOW
    )
    evaluation.intake_slug = "runner-intake"
    visit = book(evaluation)
    assert visit.intake.patient == visit.patient
    from booking.schedule.visit_links import intake_url

    intake_url(visit, now=NOW)
    cancel_appointment(appointment=visit, now=NOW)
    link = PatientLink.objects.get(purpose=LinkPurpose.INTAKE)
    assert (link.subject_id, link.revoked_at) == (visit.intake_id, NOW)
