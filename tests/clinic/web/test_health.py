"""The health checks for monitoring and deployment: /live/, /ready/ and /health/."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from clinic.outbox.messages.planning import plan_message
from clinic.outbox.models import Sweep
from clinic.outbox.sending.heartbeat import note_start, note_sweep, silent_since
from clinic.practice.people.patients import find_or_register_patient
from clinic.web.health import NO_DATABASE
from tests.database_away import database_away
from tests.world import NOON

pytestmark = pytest.mark.django_db

PROBES = ("/live/", "/ready/", "/health/")
MINUTE = timedelta(minutes=1)


def health_at(instant):
    with time_machine.travel(instant, tick=False):
        answer = Client().get("/health/")
    return answer.status_code, answer.json()["reasons"]


@pytest.fixture
def production(settings):
    """Use the hosts and the HTTPS redirect of production."""
    settings.ALLOWED_HOSTS = ["clinic.example"]
    settings.SECURE_SSL_REDIRECT, settings.SECURE_REDIRECT_EXEMPT = True, [r"^(live|ready|health)/$"]


def test_health_is_ok_when_no_problem_exists(client):
    response = client.get("/health/")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "reasons": [],
        "database": "ok",
        "oldest_overdue_s": 0,
        "last_sweep_s": None,
    }
    assert "no-store" in response.headers["Cache-Control"]


def test_health_fails_when_due_messages_are_not_sent(client):
    now = timezone.now()
    ada = find_or_register_patient(name="Ada Kowalczyk", email="ada@runners.example", phone="", now=now)
    plan_message(
        kind="letter",
        subject_id=ada.pk,
        version=1,
        patient=ada,
        due_at=now - timedelta(minutes=5),
        not_after=now + timedelta(hours=1),
        now=now,
    )

    response = client.get("/health/")

    assert response.status_code == 503
    assert response.json()["oldest_overdue_s"] >= 300
    assert "ada" not in response.content.decode().lower()


def test_health_fails_two_minutes_after_the_first_start_when_worker_and_beat_never_ran():
    note_start(now=NOON)
    assert health_at(NOON + 2 * MINUTE - timedelta(seconds=1)) == (200, [])
    never = ["worker and beat have never run, 120 s after the first start"]
    assert health_at(NOON + 2 * MINUTE) == (503, never)
    assert silent_since(now=NOON + 2 * MINUTE) == NOON  # shown on Today


def test_health_still_fails_when_a_web_process_restarts_without_a_sweep():
    note_start(now=NOON)
    note_start(now=NOON + 3 * MINUTE)
    assert health_at(NOON + 3 * MINUTE)[0] == 503
    note_sweep(now=NOON + 4 * MINUTE)
    assert health_at(NOON + 4 * MINUTE) == (200, [])
    assert Sweep.objects.get().first_started_at == NOON


def test_health_fails_after_a_day_without_a_sweep_until_the_next_one():
    note_start(now=NOON)
    note_sweep(now=NOON)
    later = NOON + timedelta(days=1)
    note_start(now=later)
    status, [reason] = health_at(later)
    assert status == 503 and "86400 s" in reason
    note_sweep(now=later)
    assert health_at(later) == (200, [])


@pytest.mark.django_db(transaction=True)
def test_all_but_liveness_fails_when_the_database_is_down():
    with database_away():
        answers = {path: Client().get(path) for path in PROBES}

    assert [answer.status_code for answer in answers.values()] == [200, 503, 503]
    assert answers["/ready/"].json()["reasons"] == [NO_DATABASE]
    assert answers["/health/"].json()["database"] == "no answer"


@pytest.mark.parametrize("path", ["/ready/", "/health/"])
def test_missing_migration_is_named(client, path):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'outbox' AND name = '0005_sweep'")

    answer = client.get(path)

    assert answer.status_code == 503
    [reason] = answer.json()["reasons"]
    assert "outbox.0005_sweep" in reason


def test_site_is_alive_and_not_ready_when_the_database_has_no_tables(client):
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE django_migrations")  # rolled back at the end of the test

    assert client.get("/live/").status_code == 200
    answer = client.get("/ready/")
    assert answer.status_code == 503
    assert "account.0001_initial, " in answer.json()["reasons"][0]


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("path", PROBES)
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8000", "127.9.8.7", "localhost:8000", "LOCALHOST", "[::1]:8000"]
)
def test_probe_from_the_same_machine_is_answered_whatever_hosts_are_allowed(path, host):
    assert Client().get(path, headers={"host": host}).status_code == 200


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("path", ["/", "/book/", "/learn/", "/admin/login/", "/robots.txt", "/health/x", "/live"])
def test_other_page_is_refused_under_a_loopback_name(path):
    assert Client().get(path, headers={"host": "127.0.0.1"}, secure=True).status_code == 400


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("path", PROBES)
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "127.0.0.1:80@evil.example",
        "10.0.0.1",
        "0.0.0.0",
        "",
    ],
)
def test_probe_with_an_unknown_host_is_refused(path, host):
    assert Client().get(path, headers={"host": host}).status_code == 400


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("path", PROBES)
def test_probe_under_the_clinics_name_is_not_redirected_to_https(path):
    assert Client().get(path, headers={"host": "clinic.example"}).status_code == 200
    assert Client().get("/", headers={"host": "clinic.example"}).status_code == 301


@pytest.mark.parametrize("path", PROBES)
def test_probe_refuses_post(path):
    assert Client().post(path, {}, headers={"host": "127.0.0.1"}).status_code == 405
    assert Client().post(path, {}).status_code == 405
