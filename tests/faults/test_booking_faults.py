"""CLIENTS clients book over HTTP while gunicorn is killed every few seconds and Postgres three times.

FAULT_SECONDS sets the length of the storm. FAULT_SEED repeats the random choices of a printed seed.
"""

import os
import random
import secrets
import time
from collections.abc import Callable

import pytest

from tests.faults.checker import Findings, check
from tests.faults.site import Site
from tests.faults.storm import storm

pytestmark = pytest.mark.fault

CLIENTS = 32
SECONDS = float(os.environ.get("FAULT_SECONDS", "60"))
MOST_SECONDS = 120  # time limit for a planted fault to show; most show within five seconds
SEED = int(os.environ.get("FAULT_SEED") or secrets.randbelow(10**9))
WITHOUT_CONSTRAINT = "ALTER TABLE booking_appointment DROP CONSTRAINT appointment_no_double_booking"
TWO_A_DAY = "UPDATE booking_service SET daily_cap = 2"
COMMITS_LATER = (
    "ALTER SYSTEM SET synchronous_commit = off",
    "ALTER SYSTEM SET wal_writer_delay = '10s'",
    "ALTER SYSTEM SET wal_writer_flush_after = '1GB'",
    "SELECT pg_reload_conf()",
)


def weather(site: Site, folder, *, seconds: float, postgres_kills: int, web_kills: bool = True, **how) -> Findings:
    """Run the storm with its kills, and return the findings once it is over and everything is up again."""
    runners = storm(site=site, seed=SEED, seconds=seconds, clients=CLIENTS, folder=folder, **how)
    dice, began = random.Random(SEED), time.monotonic()
    postgres_at = [seconds * (number + 1) / (postgres_kills + 1) for number in range(postgres_kills)]
    while (gone := time.monotonic() - began) < seconds or postgres_at:
        time.sleep(min(dice.uniform(2, 5), max(seconds - gone, 0.1)))
        if postgres_at and time.monotonic() - began > postgres_at[0]:
            postgres_at.pop(0)
            site.kill_postgres()
            site.start_postgres()
        elif web_kills:
            site.kill_web()
            site.start_web()
    return _settle(site, folder, runners)


def storm_until(
    shows: Callable[[Findings], bool], site: Site, folder, *, kills_postgres: bool = False, **how
) -> Findings:
    """Run the storm until `shows(findings)` is true, at most MOST_SECONDS, and return the findings.

    A planted fault must show in every run, however slow the machine, and the test ends as soon as it does.
    """
    runners = storm(site=site, seed=SEED, seconds=MOST_SECONDS, clients=CLIENTS, folder=folder, **how)
    end = time.monotonic() + MOST_SECONDS
    found = Findings()
    while not shows(found) and time.monotonic() < end:
        time.sleep(4 if kills_postgres else 0.2)
        if kills_postgres:
            site.kill_postgres()
            site.start_postgres()
        found = check(database_url=site.database_url, folder=folder)
    for runner in runners:
        runner.until = 0
    _settle(site, folder, runners)
    return found


def _settle(site: Site, folder, runners) -> Findings:
    for runner in runners:
        runner.join(timeout=150)
    assert not any(runner.is_alive() for runner in runners), "a client is stuck"
    found = check(database_url=site.database_url, folder=folder)
    print(f"\nFAULT_SEED={SEED}: {site.kills['web']} web kills, {site.kills['postgres']} Postgres kills; {found}")
    return found


@pytest.fixture
def journals(tmp_path):
    folder = tmp_path / "journals"
    folder.mkdir()
    return folder


def test_no_booking_is_lost_duplicated_or_wrongly_refused_when_servers_are_killed(tmp_path, journals):
    with Site(tmp_path / "site") as site:
        found = weather(site, journals, seconds=SECONDS, postgres_kills=3)
    assert found.seen["was booked"] > 5, "the storm was too mild to tell anything"
    assert found.seen["lay there"] > 5, "the script met no client"
    assert site.kills["postgres"] == 3
    assert found.seen["was puzzled"] == 0, "a server that is away answers 503, or not at all"
    assert not +found.wrong, f"FAULT_SEED={SEED}: {found}"


def test_clients_get_clear_answers_while_every_server_is_up(tmp_path, journals):
    with Site(tmp_path / "site") as site:
        found = weather(site, journals, seconds=15, postgres_kills=0, web_kills=False)
    assert found.seen["was puzzled"] == 0
    assert not +found.wrong, f"FAULT_SEED={SEED}: {found}"


# The checker finds the errors that a missing guard causes.


def finds(what: str) -> Callable[[Findings], bool]:
    """Return a function that tells whether findings include a problem of the kind `what`."""
    return lambda found: found.wrong[what] > 0


def test_the_checker_finds_double_bookings_without_lock_and_constraint(tmp_path, journals):
    with Site(tmp_path / "site", wsgi="tests.faults.unlocked_wsgi", before_start=(WITHOUT_CONSTRAINT,)) as site:
        found = storm_until(finds("overlaps"), site, journals, times=8)
    assert found.wrong["overlaps"] > 0


def test_the_checker_finds_double_bookings_without_the_constraint(tmp_path, journals):
    """The lock alone keeps the site's own clients apart. Only the constraint stops a writer without the lock."""
    with Site(tmp_path / "site", before_start=(WITHOUT_CONSTRAINT,)) as site:
        found = storm_until(finds("overlaps"), site, journals, times=8, share_cancelled=0, script_keeps=True)
    assert found.wrong["overlaps"] > 0


def test_the_checker_finds_overfull_days_without_the_lock(tmp_path, journals):
    """The constraint alone still prevents overlaps, but only the lock enforces the daily cap.

    Most visits are cancelled at once, so that clients compete again and again for the last places of a day.
    """
    with Site(tmp_path / "site", wsgi="tests.faults.unlocked_wsgi", before_start=(TWO_A_DAY,)) as site:
        found = storm_until(finds("days over the cap"), site, journals, times=64, share_cancelled=0.9, has_script=False)
    assert found.wrong["overlaps"] == 0
    assert found.wrong["days over the cap"] > 0


def test_the_checker_finds_lost_bookings_when_commits_do_not_wait_for_the_disk(tmp_path, journals):
    missing = "acknowledged bookings missing"
    with Site(tmp_path / "site", before_start=COMMITS_LATER) as site:
        found = storm_until(finds(missing), site, journals, kills_postgres=True, times=400, share_cancelled=0)
    assert found.wrong[missing] > 0
