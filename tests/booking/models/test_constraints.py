"""Each database constraint refuses an invalid row."""

import uuid
from datetime import date, time, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from booking.models import Appointment, HoursOverride, OpeningHours, Service
from tests.world import NINE_ON_TUESDAY, NOW, book, make_therapist


def refuses(constraint: str):
    return pytest.raises(IntegrityError, match=constraint)


def write(visit, **changes):
    with transaction.atomic():
        Appointment.objects.filter(pk=visit.pk).update(**changes)


def twin_of(visit, **changes) -> Appointment:
    row = {
        "therapist": visit.therapist,
        "patient": visit.patient,
        "service": visit.service,
        "mode": visit.mode,
        "starts_at": visit.starts_at,
        "ends_at": visit.ends_at,
        "blocked": visit.blocked,
        "status": "booked",
        "idempotency_key": uuid.uuid4(),
        "price_cents": 15000,
        "created_at": NOW,
    }
    with transaction.atomic():
        return Appointment.objects.create(**row | changes)


@pytest.mark.parametrize("status", ["booked", "held"])
def test_overlapping_visits_are_refused(evaluation, status):
    visit = book(evaluation)
    hold = {"hold_expires_at": NOW} if status == "held" else {}
    with refuses("appointment_no_double_booking"):
        twin_of(visit, status=status, **hold)


def test_overlapping_buffers_are_refused(evaluation):
    visit = book(evaluation)
    just_after = {
        "starts_at": visit.ends_at,
        "ends_at": visit.ends_at + timedelta(minutes=45),
        "blocked": DateTimeTZRange(visit.ends_at, visit.ends_at + timedelta(minutes=60)),
    }
    with refuses("appointment_no_double_booking"):
        twin_of(visit, **just_after)


def test_adjacent_and_cancelled_visits_and_those_of_another_therapist_are_accepted(evaluation):
    visit = book(evaluation)
    end = visit.blocked.upper
    twin_of(
        visit,
        starts_at=end,
        ends_at=end + timedelta(minutes=45),
        blocked=DateTimeTZRange(end, end + timedelta(hours=1)),
    )
    twin_of(visit, status="cancelled", cancelled_at=NOW)
    twin_of(visit, therapist=make_therapist("Nora"))


def test_two_visits_can_swap_places_in_one_transaction(evaluation):
    alices = book(evaluation)
    bobs = book(evaluation, name="Bob", starts_at=NINE_ON_TUESDAY + timedelta(hours=1))
    times = ("starts_at", "ends_at", "blocked")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS appointment_no_double_booking DEFERRED")
        for one, other in ((alices, bobs), (bobs, alices)):
            Appointment.objects.filter(pk=one.pk).update(**{name: getattr(other, name) for name in times})
        cursor.execute("SET CONSTRAINTS appointment_no_double_booking IMMEDIATE")
    alices.refresh_from_db()
    assert alices.starts_at == NINE_ON_TUESDAY + timedelta(hours=1)


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("appointment_ends_after_it_starts", {"ends_at": NINE_ON_TUESDAY}),
        (
            "appointment_blocks_its_own_time",
            {"blocked": DateTimeTZRange(NINE_ON_TUESDAY, NINE_ON_TUESDAY + timedelta(minutes=44))},
        ),
        ("appointment_status_is_known", {"status": "maybe"}),
        ("appointment_mode_is_known", {"mode": "telepathy"}),
        ("appointment_has_a_patient_unless_held", {"patient": None}),
        ("appointment_hold_expires_and_nothing_else_does", {"hold_expires_at": NOW}),
        ("appointment_hold_expires_and_nothing_else_does", {"status": "held"}),
        ("appointment_is_cancelled_at_an_instant", {"status": "cancelled"}),
        ("appointment_is_cancelled_at_an_instant", {"cancelled_at": NOW}),
        ("appointment_no_show_has_not_arrived", {"status": "no_show", "arrived_at": NOW}),
        ("appointment_versions_count_from_one", {"version": 0}),
    ],
)
def test_an_impossible_visit_is_refused(evaluation, constraint, changes):
    visit = book(evaluation)
    with refuses(constraint):
        write(visit, **changes)


def test_key_and_reference_are_unique(evaluation):
    visit = book(evaluation)
    elsewhere = {"therapist": make_therapist("Nora")}
    with refuses("idempotency_key"):
        twin_of(visit, idempotency_key=visit.idempotency_key, **elsewhere)
    with refuses("reference"):
        twin_of(visit, reference=visit.reference, **elsewhere)


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("service_lasts_five_minutes_to_eight_hours", {"minutes": 4}),
        ("service_lasts_five_minutes_to_eight_hours", {"minutes": 481}),
        ("service_starts_every_five_minutes_or_more", {"start_step_minutes": 0}),
        ("service_happens_in_some_way", {"offered_modes": []}),
        ("service_modes_are_known", {"offered_modes": ["in_person", "telepathy"]}),
        ("service_listing_is_known", {"listing": "secret"}),
    ],
)
def test_an_impossible_service_is_refused(evaluation, constraint, changes):
    with refuses(constraint), transaction.atomic():
        Service.objects.filter(pk=evaluation.pk).update(**changes)


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("opening_hours_close_after_they_open", {"closes": time(9)}),
        ("opening_hours_weekday_is_known", {"weekday": 7}),
        (
            "opening_hours_end_after_they_begin",
            {"valid_from": date(2026, 12, 2), "valid_until": date(2026, 12, 1)},
        ),
    ],
)
def test_impossible_hours_are_refused(meredith, constraint, changes):
    hours = {"therapist": meredith, "weekday": 0, "opens": time(9), "closes": time(12)}
    with refuses(constraint), transaction.atomic():
        OpeningHours.objects.create(**hours | changes)


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("hours_override_ends_after_it_starts", {"ends_at": NOW}),
        ("hours_override_kind_is_known", {"kind": "siesta"}),
    ],
)
def test_invalid_hours_override_is_refused(db, constraint, changes):
    override = {"kind": "closure", "starts_at": NOW, "ends_at": NOW + timedelta(hours=1)}
    with refuses(constraint), transaction.atomic():
        HoursOverride.objects.create(**override | changes)
