"""Clients that book, hold, cancel and retry over HTTP, and record every answer on disk at once."""

import http.client
import json
import os
import random
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import psycopg

INSERT = """
INSERT INTO booking_appointment (id, reference, therapist_id, service_id, mode, starts_at, ends_at, blocked, status,
    hold_expires_at, idempotency_key, sequence, version, visitor_time_zone, other_phone, created_at)
SELECT %(id)s, left(%(key)s::text, 8), t.id, s.id, 'in_person', %(start)s, %(start)s + interval '30 minutes',
    tstzrange(%(start)s, %(start)s + interval '45 minutes'), 'held', %(now)s + interval '1 hour', %(key)s::uuid, 0, 1, '', '', %(now)s
FROM practice_therapist t, booking_service s WHERE t.slug = %(therapist)s"""
CSRF = "a" * 32  # the site compares a cookie with a form field; sending both passes the check


def contested_times(number: int) -> list[str]:
    """Return `number` start times from a week ahead, 16 a day, in the format of the site's URLs."""
    day = datetime.now(UTC).replace(hour=14, minute=0, second=0, microsecond=0) + timedelta(days=7)
    return [f"{day + timedelta(days=step // 16, minutes=15 * (step % 16)):%Y%m%dT%H%MZ}" for step in range(number)]


class Journal:
    """A client's journal: one line per fact, on disk before the next step, so that it survives the client."""

    def __init__(self, path: Path):
        self.file = open(path, "a", encoding="utf-8")  # noqa: SIM115

    def note(self, what: str, **facts) -> None:
        self.file.write(json.dumps({"what": what, "at": time.time(), **facts}) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())


class Runner(threading.Thread):
    """One client with its own random generator."""

    def __init__(
        self, number: int, *, seed: int, port: int, folder: Path, until: float, share_cancelled: float, times: int
    ):
        super().__init__(daemon=True)
        self.dice = random.Random(f"{seed}:{number}")
        self.port, self.until, self.share_cancelled = port, until, share_cancelled
        self.journal = Journal(folder / f"client-{number}.jsonl")
        self.times = contested_times(times)
        self.latencies: list[float] = []

    def run(self):
        while time.time() < self.until:
            self.try_to_book()

    def try_to_book(self):
        key = str(uuid.UUID(int=self.dice.getrandbits(128), version=4))
        therapist, start = self.dice.choice(("ada", "ben")), self.dice.choice(self.times)
        place = f"/book/visit/{therapist}/{start}/"
        slot = {"key": key, "therapist": therapist, "start": start}
        self.journal.note("means to book", **slot)
        target = place
        if self.dice.random() < 0.3:
            status, where = self.ask(place + "hold/", {"key": key}, slot)
            target = where if status == 303 else place
            self.journal.note("tried to hold", **slot)
        typed = {
            "name": f"Runner {key}",
            "email": f"{key}@runners.example",
            "phone": "6035550199",
            "mode": "in_person",
            "idempotency_key": key,
        }
        for _ in range(6):  # without an answer the outcome is unknown, so the same form is sent again
            status, where = self.ask(target, typed, slot)
            if status == 303 or status == 409 or time.time() > self.until + 20:
                break
            time.sleep(self.dice.random())
        if status == 303:
            self.journal.note("was booked", **slot)
            if self.dice.random() < self.share_cancelled:
                self.cancel(where, slot)

    def cancel(self, where: str, slot: dict):
        self.journal.note("means to cancel", **slot)
        status, _ = self.ask(where + "cancel/", {"version": "1"}, slot)
        if status == 303:
            self.journal.note("was cancelled", **slot)

    def ask(self, path: str, fields: dict, slot: dict) -> tuple[int, str]:
        """Send a POST and return (status, Location), or (0, "") without an answer. Record refusals and errors."""
        began = time.time()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={CSRF}"}
        try:
            connection.request("POST", path, urlencode({**fields, "csrfmiddlewaretoken": CSRF}), headers)
            answer = connection.getresponse()
            answer.read()
            status, where = answer.status, answer.headers.get("Location", "")
        except (OSError, http.client.HTTPException):
            status, where = 0, ""
        finally:
            connection.close()
        self.latencies.append(time.time() - began)
        if status in (409, 410) and not path.endswith("cancel/"):
            self.journal.note("was refused", began=began, **slot)
        elif status not in (0, 303, 503):
            self.journal.note("was puzzled", status=status, path=path.split("held/")[0], **slot)
        return status, where


class ClumsyScript(threading.Thread):
    """A script that inserts holds directly into the table. Without the site's lock, only the constraint applies.

    It deletes each row after a moment unless `keeps` is true.
    """

    def __init__(self, *, seed: int, database_url: str, folder: Path, until: float, times: int, keeps: bool):
        super().__init__(daemon=True)
        self.dice = random.Random(f"{seed}:script")
        self.database_url, self.until, self.keeps = database_url, until, keeps
        self.journal, self.times = Journal(folder / "client-script.jsonl"), contested_times(times)

    def run(self):
        while time.time() < self.until:
            key = str(uuid.UUID(int=self.dice.getrandbits(128), version=4))
            slot = {"key": key, "therapist": self.dice.choice(("ada", "ben")), "start": self.dice.choice(self.times)}
            began = time.time()
            if self.write(INSERT, slot) and not self.keeps:
                time.sleep(self.dice.random() / 4)
                while not self.write("DELETE FROM booking_appointment WHERE idempotency_key = %(key)s::uuid", slot):
                    time.sleep(0.2)
                self.journal.note("lay there", began=began, **slot)
            time.sleep(self.dice.random() / 4)

    def write(self, statement: str, slot: dict) -> bool:
        """Run `statement`. Return False on an exclusion violation or if the server is going down, else True."""
        start = datetime.strptime(slot["start"], "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
        try:
            with psycopg.connect(self.database_url, connect_timeout=2) as connection:
                connection.execute(statement, {**slot, "start": start, "id": uuid.uuid4(), "now": datetime.now(UTC)})
        except (psycopg.OperationalError, psycopg.errors.ExclusionViolation):
            return False
        return True


def storm(
    *,
    site,
    seed: int,
    seconds: float,
    clients: int,
    folder: Path,
    times: int = 48,
    share_cancelled: float = 0.7,
    has_script: bool = True,
    script_keeps: bool = False,
) -> list[threading.Thread]:
    """Start and return the clients and the script. The caller kills servers and then joins the threads."""
    until = time.time() + seconds
    script = ClumsyScript(
        seed=seed, database_url=site.database_url, folder=folder, until=until, times=times, keeps=script_keeps
    )
    runners = [script] * has_script + [
        Runner(
            number, seed=seed, port=site.port, folder=folder, until=until, share_cancelled=share_cancelled, times=times
        )
        for number in range(clients)
    ]
    for runner in runners:
        runner.start()
    return runners
