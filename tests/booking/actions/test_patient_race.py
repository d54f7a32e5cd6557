"""Two concurrent requests about one patient, each on its own connection."""

import threading

import pytest
from django.db import connection, connections, transaction

from clinic.practice.models import Patient
from clinic.practice.people.patients import accept_patient, find_or_register_provisional
from tests.booking.locking import wait_until
from tests.world import NOW

pytestmark = pytest.mark.django_db(transaction=True)

ALICE = {"name": "Alice Runner", "email": "alice@example.com", "phone": "", "now": NOW}


def waiting_for_rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype IN ('transactionid', 'tuple') AND NOT granted")
        return cursor.fetchone()[0]


def run_while_locked(patient, *, other_request, change):
    """Start `other_request` while this connection has locked `patient`, and commit `change` once it waits for the row.
    Return the result of the request, or raise its error."""
    outcome = {}

    def run():
        try:
            outcome["value"] = other_request()
        except Exception as error:  # raised again below, where the test sees it
            outcome["error"] = error
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        Patient.objects.select_for_update().get(pk=patient.pk)
        thread.start()
        wait_until(waiting_for_rows)
        change()
    thread.join(timeout=30)
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def test_form_registers_a_new_row_when_the_provisional_one_becomes_known_meanwhile():
    patient = find_or_register_provisional(**ALICE)
    again = run_while_locked(
        patient,
        other_request=lambda: find_or_register_provisional(**ALICE),
        change=lambda: accept_patient(patient, now=NOW),
    )
    patient.refresh_from_db()
    assert not patient.is_provisional
    assert again.is_provisional and again != patient
    assert accept_patient(again, now=NOW) == patient


def test_form_registers_a_new_row_when_the_provisional_one_is_merged_meanwhile():
    known = accept_patient(find_or_register_provisional(**ALICE), now=NOW)
    provisional = find_or_register_provisional(**ALICE)
    again = run_while_locked(
        provisional,
        other_request=lambda: find_or_register_provisional(**ALICE),
        change=lambda: accept_patient(provisional, now=NOW),
    )
    assert again.is_provisional and again not in (known, provisional)


def test_link_accepts_the_row_that_the_patient_was_merged_into_meanwhile():
    typed = find_or_register_provisional(**ALICE)
    meant = find_or_register_provisional(**ALICE | {"email": "alice@example.org"})

    def correct():
        Patient.objects.filter(pk=typed.pk).update(merged_into=meant)

    accepted = run_while_locked(typed, other_request=lambda: accept_patient(typed, now=NOW), change=correct)
    assert accepted == meant and not accepted.is_provisional
