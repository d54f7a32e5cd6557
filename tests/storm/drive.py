"""5,000 messages through real workers, beats, broker, database and mail server, all of them failing: `python -m tests.storm.drive`.

Prints one JSON object with what happened. `test_storm` says what must be true of it.
"""

import json
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.storm.clock import FACTOR
from tests.storm.houses import Broker, Crew, Database
from tests.storm.post import StormyPostOffice

VISITS = int(os.environ.get("STORM_VISITS", "2600"))
WORKER_KILLS, BEAT_KILLS, WORKERS = 50, 10, 3
LASTS_S = 19 * 3600 / FACTOR  # until the last of the visits has begun
WORKER = ("worker", "--concurrency", "1", "--loglevel", "WARNING", "--without-gossip", "--without-mingle")


def main():
    folder = Path(tempfile.mkdtemp(prefix="storm", dir="/tmp"))  # a socket's path must be short
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the storm's processes end with it
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
            report = people.report(office, faults)
        finally:
            if crew:
                crew.kill_all()
            broker.kill()
            database.stop()
            office.close()
    shutil.rmtree(folder, ignore_errors=True)
    json.dump(report, sys.stdout, indent=1)


def open_clinic():
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tests.storm.people import People

    return People(visits=VISITS)


def rage(crew, database, broker, people, folder):
    """Everything fails, on a timetable. Returns the real instants of what may cost an answer that was on its way."""
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
            people.change_somebody()
            time.sleep(0.4)
        if what == "worker":
            happened.append((crew.replace(f"worker{random.randrange(WORKERS)}"), what))
        elif what == "beat":
            happened.append((crew.replace("beat0"), what))
        elif what == "broker":
            broker.flush()
            broker.kill()
            happened.append((time.time(), what))
            time.sleep(1)
            broker.start()
        else:
            happened.append((time.time(), what))
            database.stop()
            time.sleep(1)
            database.start()
    return happened


def settle(people, seconds=90):
    """The weather clears: whatever still waits must come to an end by itself."""
    end = time.time() + seconds
    while people.count_open() and time.time() < end:
        time.sleep(1)


if __name__ == "__main__":
    main()
