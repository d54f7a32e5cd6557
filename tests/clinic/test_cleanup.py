"""Cleanup of expired rows. Records that the clinic must keep are not deleted."""

import logging
import re
import threading
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import DateField
from django.urls import reverse

from booking.actions.change import cancel_appointment
from booking.actions.hold import HOLD, RENEWABLE_FOR, hold_time, renew_hold
from booking.actions.return_links import KEPT_FOR
from booking.calendar_feed.feeds import create_feed, revoke_feed
from booking.models import Appointment, CalendarFeed, ReturnRequest, WaitListEntry
from booking.schedule.slots import Slot
from booking.schedule.visit_links import visit_path
from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.celery import app
from clinic.cleanup import EXPIRING, delete_expired, delete_expired_rows
from clinic.outbox.models import Suppression, TextConsent
from clinic.practice.access.links import REMEMBERED_FOR, issue_link, revoke_links
from clinic.practice.access.rate_limits import DAY
from clinic.practice.access.sessions import delete_expired_sessions
from clinic.practice.batches import delete_batch
from clinic.practice.cleanup_runs import OVERDUE_AFTER, cleanup_overdue_since, record_cleanup
from clinic.practice.models import CleanupRun, ConfirmationCode, LinkPurpose, PatientLink, Proof, RateLimit
from clinic.settings import SESSION_COOKIE_AGE
from tests.factories import PatientFactory, UserFactory
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def clean_up(now=NOW, **options) -> CleanupRun:
    return delete_expired_rows(clock=lambda: now, **options)


def open_session(expires_at, **data) -> str:
    session = SessionStore()
    session.update(data or {"searches": {}})
    session.save()
    Session.objects.filter(pk=session.session_key).update(expire_date=expires_at)
    return session.session_key


# What is deleted, and when


def test_sessions_are_deleted_once_they_expire():
    open_session(NOW)
    alive = open_session(NOW + SECOND)

    assert clean_up().deleted["sessions"] == 1
    assert list(Session.objects.values_list("pk", flat=True)) == [alive]


def test_answers_of_a_visitor_are_deleted_within_a_day_when_no_visit_is_booked(client, clinic):
    with time_machine.travel(NOW, tick=False):
        client.post(reverse("assessments:screen"), {"next": "/", "action": "skip"})
    assert "hip_screen" in Session.objects.get().get_decoded()

    clean_up(NOW + timedelta(seconds=SESSION_COOKIE_AGE) - SECOND)
    assert Session.objects.count() == 1
    clean_up(NOW + timedelta(seconds=SESSION_COOKIE_AGE))
    assert not Session.objects.exists()


def test_cleanup_schedule_keeps_the_one_day_limit_when_one_run_is_missed():
    (entry,) = (entry for entry in app.conf.beat_schedule.values() if entry["task"] == delete_expired.name)
    hours = sorted(entry["schedule"].hour)
    longest_gap = max((later - earlier) % 24 or 24 for earlier, later in zip(hours, hours[1:] + hours[:1], strict=True))

    assert timedelta(seconds=SESSION_COOKIE_AGE) + 2 * timedelta(hours=longest_gap) <= timedelta(days=1)


def test_expired_link_answers_410_for_ninety_days_and_404_after(client, evaluation):
    visit = book(evaluation)
    path = visit_path(visit, now=NOW)
    ended_at = PatientLink.objects.filter(purpose=LinkPurpose.VISIT).latest("expires_at").expires_at

    for now, status in ((ended_at - SECOND, 200), (ended_at, 410), (ended_at + REMEMBERED_FOR - SECOND, 410)):
        clean_up(now)
        with time_machine.travel(now, tick=False):
            assert client.get(path).status_code == status
    clean_up(ended_at + REMEMBERED_FOR)
    with time_machine.travel(ended_at + REMEMBERED_FOR, tick=False):
        assert client.get(path).status_code == 404


def test_revoked_link_is_deleted_after_ninety_days_when_another_is_valid():
    alice = PatientFactory()
    for number in range(2):
        subject = uuid.UUID(int=number)
        issue_link(
            patient=alice,
            purpose="visit",
            proof=Proof.MAILED,
            subject_id=subject,
            expires_at=NOW + timedelta(days=365),
            now=NOW,
        )
    revoke_links(subject_id=uuid.UUID(int=0), now=NOW)

    assert clean_up(NOW + REMEMBERED_FOR - SECOND).deleted["patient links"] == 0
    assert clean_up(NOW + REMEMBERED_FOR).deleted["patient links"] == 1
    assert PatientLink.objects.get().subject_id == uuid.UUID(int=1)


def hold(service, starts_at=NINE_ON_TUESDAY):
    slot = Slot(service, service.therapists.first(), starts_at)
    return hold_time(slot=slot, idempotency_key=uuid.uuid4(), now=NOW)


def test_hold_is_kept_while_it_can_be_renewed_and_deleted_a_day_after_it_expires(evaluation):
    hold(evaluation)
    booked = book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(hours=1))
    ran_out = NOW + HOLD

    assert clean_up(ran_out + RENEWABLE_FOR - SECOND).deleted["holds"] == 0
    assert renew_hold(Appointment.objects.get(status="held"), now=ran_out + RENEWABLE_FOR - SECOND)
    assert clean_up(ran_out + RENEWABLE_FOR).deleted["holds"] == 0
    assert clean_up(ran_out + 2 * RENEWABLE_FOR + HOLD).deleted["holds"] == 1
    assert Appointment.objects.get() == booked


def test_requests_to_be_recognized_are_deleted_after_a_day():
    for age in (KEPT_FOR, KEPT_FOR - SECOND):
        ReturnRequest.objects.create(email="alice@example.com", created_at=NOW - age)

    assert clean_up().deleted["requests to be recognized"] == 1
    assert ReturnRequest.objects.get().created_at == NOW - KEPT_FOR + SECOND


def test_confirmation_codes_are_deleted_after_a_day():
    alice = PatientFactory()
    for age in (DAY, DAY - SECOND):
        ConfirmationCode.objects.create(patient=alice, created_at=NOW - age)

    assert clean_up().deleted["confirmation codes"] == 1
    assert ConfirmationCode.objects.get().created_at == NOW - DAY + SECOND


def test_rate_limits_are_deleted_once_their_budget_is_full_again():
    for whole_at in (NOW, NOW + SECOND):
        RateLimit.objects.create(key=uuid.uuid4(), whole_at=whole_at)

    assert clean_up(NOW).deleted["rate limits"] == 1
    assert RateLimit.objects.get().whole_at == NOW + SECOND


def test_calendar_address_is_deleted_ninety_days_after_it_is_revoked(meredith, front_desk):
    for _ in range(2):
        create_feed(therapist=meredith, by=front_desk, now=NOW)
    ended, in_use = CalendarFeed.objects.all()
    revoke_feed(ended, now=NOW)

    assert clean_up(NOW + timedelta(days=90) - SECOND).deleted["calendar addresses"] == 0
    assert clean_up(NOW + timedelta(days=90)).deleted["calendar addresses"] == 1
    assert CalendarFeed.objects.get() == in_use


def test_reports_of_the_cleanup_itself_are_deleted_after_ninety_days():
    clean_up(NOW - timedelta(days=90))

    assert clean_up().deleted["clean-up reports"] == 1
    assert CleanupRun.objects.get().started_at == NOW


def test_patient_records_are_kept_when_twenty_years_pass(evaluation, front_desk):
    visit = book(evaluation)
    cancel_appointment(appointment=book(evaluation, name="Bob Stone", starts_at=NINE_ON_TUESDAY + HOLD * 6), now=NOW)
    Suppression.objects.create(channel="email", address="bob@example.com", why="bounced", created_at=NOW)
    TextConsent.objects.create(
        patient=visit.patient, phone="+16035550199", wording="Yes", given_at=NOW, withdrawn_at=NOW
    )
    WaitListEntry.objects.create(
        patient=visit.patient,
        service=evaluation,
        first_on=NOW,
        last_on=NOW,
        status="left",
        created_at=NOW,
        ended_at=NOW,
    )
    record_access(actor=front_desk, action=Action.READ, subject=visit, patient_id=visit.patient_id, now=NOW)
    kept = [
        "audit.AccessEvent",
        "booking.Appointment",
        "booking.AppointmentEvent",
        "booking.WaitListEntry",
        "outbox.Message",
        "outbox.Suppression",
        "outbox.TextConsent",
        "practice.Patient",
    ]
    before = {name: apps.get_model(name).objects.count() for name in kept}
    assert all(before.values())

    clean_up(NOW + timedelta(days=365 * 20))

    assert {name: apps.get_model(name).objects.count() for name in kept} == before


# Models with an end field. A new one must be cleaned up, or entered in KEPT with the reason why it is not.
CLEANED = {
    "sessions.Session",
    "practice.PatientLink",
    "staff.StaffLink",
    "booking.Appointment",
    "booking.CalendarFeed",
    "practice.CleanupRun",
}
KEPT = {
    "booking.HoursOverride": "when the clinic was closed; holds nothing of a patient",
    "booking.OpeningHours": "when the clinic was open; holds nothing of a patient",
    "booking.SlotOffer": "what a patient was offered is part of the record",
    "booking.WaitListEntry": "what a patient waited for is part of the record",
    "outbox.Message": "what was sent, and what was not and why, is part of the record",
    "outbox.TextConsent": "the proof of who agreed to texts, and until when",
}
END = re.compile(r"expire|revoked|ended|ends_at|withdrawn|until|not_after|last_on")


def test_every_model_with_an_end_field_is_cleaned_up_or_kept_for_a_reason():
    with_end = {
        model._meta.label
        for model in apps.get_models()
        if any(isinstance(field, DateField) and END.search(field.name) for field in model._meta.concrete_fields)
    }
    assert with_end == CLEANED | set(KEPT)


# Batches, locks and failures


def test_batch_deletes_no_more_rows_than_its_limit():
    for _ in range(5):
        open_session(NOW - DAY)

    assert [delete_expired_sessions(now=NOW, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_log_of_a_run_holds_counts_and_no_data(caplog):
    caplog.set_level(logging.INFO, "clinic.cleanup")
    key = open_session(NOW - DAY, hip_screen="sealed")

    clean_up()

    progress, end = caplog.messages
    assert "sessions, 1 rows" in progress and "1 rows" in end and end.endswith(" none")
    assert key not in caplog.text and "sealed" not in caplog.text


def test_run_names_unfinished_kinds_when_it_is_out_of_time():
    open_session(NOW - DAY)

    run = clean_up(patience_s=0)

    assert run.unfinished == sorted(EXPIRING)
    assert Session.objects.count() == 1
    assert clean_up().unfinished == []


def test_other_kinds_are_deleted_when_one_kind_fails():
    open_session(NOW - DAY)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE booking_calendarfeed RENAME TO away")

    run = clean_up()

    assert run.unfinished == ["calendar addresses"]
    assert run.deleted["sessions"] == 1


def test_task_of_every_schedule_is_known_to_a_worker():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


def test_task_deletes_and_records_the_run():
    open_session(NOW - DAY * 1000)
    delete_expired.apply().get()
    assert CleanupRun.objects.get().deleted["sessions"] == 1


def run_at_once(*runners):
    gate, outcomes = threading.Barrier(len(runners)), []

    def run(runner):
        try:
            gate.wait(timeout=10)
            outcomes.append(runner())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[runner]) for runner in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(outcomes) == len(runners)
    return outcomes


@pytest.mark.django_db(transaction=True)
def test_each_row_is_deleted_once_when_two_runs_overlap():
    for _ in range(300):
        open_session(NOW - DAY)

    runs = run_at_once(clean_up, clean_up)

    assert sum(run.deleted["sessions"] for run in runs) == 300
    assert not Session.objects.exists()
    assert [run.unfinished for run in runs] == [[], []]


@pytest.mark.django_db(transaction=True)
def test_locked_row_is_skipped_without_waiting():
    locked, free = open_session(NOW - DAY), open_session(NOW - DAY)
    with transaction.atomic():
        Session.objects.select_for_update().get(pk=locked)
        assert run_at_once(lambda: delete_batch(Session.objects.all())) == [1]
    assert [session.pk for session in Session.objects.all()] == [locked] != [free]


@pytest.mark.django_db(transaction=True)
def test_hold_is_deleted_only_under_the_lock_of_its_schedule(evaluation, meredith):
    held = hold(evaluation)

    def impatient():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        return clean_up(NOW + timedelta(days=2))

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"diary:{meredith.pk}"])
        (run,) = run_at_once(impatient)
        assert run.deleted["holds"] == 0
        assert renew_hold(held, now=NOW + timedelta(days=2)).status == "held"
    assert clean_up(NOW + timedelta(days=2)).deleted["holds"] == 0
    assert clean_up(NOW + timedelta(days=4)).deleted["holds"] == 1


# What staff see


@pytest.fixture
def tess(client):
    with time_machine.travel(NOW - OVERDUE_AFTER, tick=False):
        tess = UserFactory(name="Tess Walker", is_superuser=True)
    client.force_login(tess)
    return tess


def today(client, now) -> str:
    with time_machine.travel(now, tick=False):
        return client.get(reverse("admin:index")).content.decode()


def finished(started_at, unfinished=()):
    record_cleanup(started_at=started_at, ended_at=started_at, deleted={}, unfinished=list(unfinished))


def test_today_warns_when_nothing_was_cleaned_up_for_two_days(client, tess, clinic):
    finished(NOW)
    assert "<h3>Expired data</h3>" not in today(client, NOW + OVERDUE_AFTER - MINUTE)

    page = today(client, NOW + OVERDUE_AFTER)
    assert "<h3>Expired data</h3>" in page and "Mon, Nov 23, 10:00 AM" in page
    assert reverse("admin:practice_cleanuprun_changelist") in page


def test_today_warns_when_runs_do_not_finish(client, tess, clinic):
    finished(NOW)
    finished(NOW + OVERDUE_AFTER - MINUTE, unfinished=["sessions"])

    assert "<h3>Expired data</h3>" in today(client, NOW + OVERDUE_AFTER)


def test_today_warns_when_the_cleanup_never_ran_on_a_two_day_old_site(tess):
    assert cleanup_overdue_since(now=NOW - SECOND) is None
    assert cleanup_overdue_since(now=NOW) == NOW - OVERDUE_AFTER


def test_new_site_is_not_overdue():
    assert cleanup_overdue_since(now=NOW) is None


def test_page_of_runs_shows_times_and_counts_of_each_kind(client, tess, clinic):
    record_cleanup(
        started_at=NOW, ended_at=NOW, deleted={"sessions": 12, "holds": 0, "patient links": 3}, unfinished=["holds"]
    )
    page = client.get(reverse("admin:practice_cleanuprun_changelist")).content.decode()

    assert "sessions: 12, patient links: 3" in page
    assert "not finished: holds" in page
    assert client.get(reverse("admin:practice_cleanuprun_add")).status_code == 403


def test_page_of_runs_requires_the_permission(client, clinic):
    bob = UserFactory(name="Bob Stone", roles=["editor"])
    client.force_login(bob)
    assert client.get(reverse("admin:practice_cleanuprun_changelist")).status_code == 403
    bob.user_permissions.add(Permission.objects.get(codename="view_cleanuprun"))
    assert client.get(reverse("admin:practice_cleanuprun_changelist")).status_code == 200
