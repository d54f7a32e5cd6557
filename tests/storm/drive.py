"""Send thousands of messages through real workers, beats, broker, database and mail server while all of them fail.

`python -m tests.storm.drive` prints one JSON object with the results, which `test_storm` checks.
"""

import json
import logging
import os
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.storm.clock import FACTOR, HOURS
from tests.storm.houses import Broker, Crew, Database
from tests.storm.post import StormyPostOffice

SEED = int(os.environ.get("STORM_SEED") or secrets.randbelow(10**6))
VISITS = int(os.environ.get("STORM_VISITS", round(150 * HOURS)))
LASTS_S = HOURS * 3600 / FACTOR  # real seconds; the last visit has begun by then
WORKERS, WORKER_KILLS, BEAT_KILLS = 3, round(2.6 * HOURS), round(0.6 * HOURS)
SETTLES_S = int(os.environ.get("STORM_SETTLES_S", "120"))
WORKER = ("worker", "--concurrency", "1", "--loglevel", "WARNING", "--without-gossip", "--without-mingle")


def main():
    folder = Path(tempfile.mkdtemp(prefix="storm", dir="/tmp"))  # a socket's path must be short
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that `finally` stops the storm's processes
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    office = StormyPostOffice()
    office.open()
    database, broker = Database(folder / "d"), Broker(folder / "b")
    os.environ.update(
        ENVIRONMENT="test",
        DJANGO_SETTINGS_MODULE="clinic.settings",
        DATABASE_URL=database.url,
        REDIS_URL=broker.url,
        EMAIL_URL=f"smtp://127.0.0.1:{office.port}",
        STORM_BEGAN=str(time.time()),
    )
    with (folder / "log").open("wb") as log:
        crew = None
        try:
            people = open_clinic()
            os.environ["STORM_BEGAN"] = str(time.time())
            crew = Crew(dict(os.environ), log)
            faults = rage(crew, database, broker, people, folder)
            settle(people)
            found = report(people, office, faults)
        finally:
            if crew:
                crew.kill_all()
            broker.kill()
            database.stop()
            office.close()
    shutil.rmtree(folder, ignore_errors=True)
    json.dump(found, sys.stdout, indent=1)


def open_clinic():
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tests.storm.people import People

    return People(visits=VISITS, seed=SEED)


def report(people, office, faults) -> dict:
    from tests.storm import findings

    kills = [at for at, what in faults if what == "worker"]
    return {"seed": SEED, "faults": Counter(what for _, what in faults), **findings.report(people, office, kills)}


def rage(crew, database, broker, people, folder):
    """Kill or restart every part on a timetable while visits change. Return the faults as [(real timestamp, part)]."""
    dice = random.Random(SEED)
    for number in range(WORKERS):
        crew.start(f"worker{number}", *WORKER, "--hostname", f"worker{number}@storm")
    for number in range(2):
        crew.start(f"beat{number}", "beat", "--loglevel", "WARNING", "--schedule", str(folder / f"beat{number}"))
    began = time.time()
    timetable = [(began + LASTS_S * (n + 0.5) / WORKER_KILLS, "worker") for n in range(WORKER_KILLS)]
    timetable += [(began + LASTS_S * (n + 0.7) / BEAT_KILLS, "beat") for n in range(BEAT_KILLS)]
    timetable += [(began + LASTS_S * 0.3, "broker"), (began + LASTS_S * 0.6, "database")]
    happened = []
    for due, what in sorted(timetable):
        while time.time() < due:
            people.change_a_visit()
            time.sleep(0.4)
        happened.append((time.time(), what))
        if what == "worker":
            crew.replace(f"worker{dice.randrange(WORKERS)}")
        elif what == "beat":
            crew.replace("beat0")  # beat1 is never killed
        elif what == "broker":
            broker.flush()
            restart(broker.kill, broker.start)
        else:
            restart(database.stop, database.start)
    return happened


def restart(stop, start):
    stop()
    time.sleep(1)
    start()


def settle(people):
    """Wait, without further faults, until all messages are settled, at most SETTLES_S."""
    end = time.time() + SETTLES_S
    while people.count_open() and time.time() < end:
        time.sleep(1)


if __name__ == "__main__":
    main()
