"""A killed beat or worker is reported on the health page and on Today after ALARM, whether or not messages are due.

The processes are real, on a clock that runs FACTOR times as fast.
"""

import os
import time
from datetime import datetime, timedelta

import pytest
import time_machine

from clinic.outbox.models import Message, State
from tests.clinic.outbox.workers import database_url, wait_until
from tests.factories import ClinicFactory, MessageFactory, UserFactory
from tests.storm import clock
from tests.storm.clock import storm_time
from tests.storm.houses import Crew

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

FACTOR = 10
ALARM, SLACK = timedelta(minutes=2), timedelta(seconds=20)  # SLACK covers a request and the time between two sweeps


@pytest.fixture
def crew(monkeypatch, tmp_path, post_office):
    monkeypatch.setattr(clock, "FACTOR", FACTOR)
    monkeypatch.setenv("STORM_BEGAN", str(time.time()))
    environ = {
        **os.environ,
        "STORM_FACTOR": str(FACTOR),
        "DATABASE_URL": database_url(),
        "EMAIL_URL": f"smtp://127.0.0.1:{post_office.port}",
    }
    with open(tmp_path / "log", "wb") as log:
        crew = Crew(environ, log)
        crew.start("worker", "worker", "--concurrency", "1", "--loglevel", "WARNING")
        crew.start("beat", "beat", "--loglevel", "WARNING", "--schedule", str(tmp_path / "beat"))
        yield crew
        crew.kill_all()


@pytest.fixture
def staff(client, crew):
    ClinicFactory()
    with time_machine.travel(storm_time()):
        client.force_login(UserFactory(is_superuser=True))
    return client


def look(staff, path: str):
    """Return the page as of the storm's clock."""
    with time_machine.travel(storm_time()):
        return staff.get(path)


def plan_letter() -> Message:
    now = storm_time()
    return MessageFactory(due_at=now, created_at=now)


def is_sent(letter: Message) -> bool:
    letter.refresh_from_db()
    return letter.state == State.SENT


def wait_for_alarm(staff) -> datetime:
    end = time.monotonic() + 60
    while look(staff, "/health/").status_code == 200:
        assert time.monotonic() < end, "no alarm was raised"
        time.sleep(0.2)
    return storm_time()


@pytest.mark.parametrize("dead", ["beat", "worker", "worker with a message in its hands"])
def test_alarm_is_raised_two_minutes_after_a_process_is_killed(staff, crew, post_office, dead):
    first = plan_letter()
    wait_until(lambda: is_sent(first))
    assert look(staff, "/health/").status_code == 200

    name, letter = dead.partition(" ")[0], None
    if "hands" in dead:
        post_office.took_one.clear()
        post_office.is_hanging = True
        letter = plan_letter()
        assert post_office.took_one.wait(15)
    crew.kill(name)
    killed_at, post_office.is_hanging = storm_time(), False

    alarmed_at = wait_for_alarm(staff)
    assert ALARM - SLACK <= alarmed_at - killed_at <= ALARM + SLACK
    today = look(staff, "/admin/").content.decode()
    assert 'chip-urgent">stopped' in today
    assert ("Alice Runner" in today and "late" in today) == (letter is not None)

    crew.replace(name)
    letter = letter or plan_letter()
    wait_until(lambda: is_sent(letter))
    assert look(staff, "/health/").status_code == 200
