"""Clients that book, hold, cancel and try again over HTTP, and write down what they were told, on disk, as they go."""

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

CSRF = "a" * 32  # the site compares a cookie with a field; who sends both proves to be a browser of its own


def contested_times(number: int) -> list[str]:
    """The first `number` starts of next week, sixteen a day, as they stand in the site's addresses."""
    day = datetime.now(UTC).replace(hour=14, minute=0, second=0, microsecond=0) + timedelta(days=7)
    return [f"{day + timedelta(days=step // 16, minutes=15 * (step % 16)):%Y%m%dT%H%MZ}" for step in range(number)]


class Journal:
    """One line a fact, on disk before the next step: what a client knows survives the client."""

    def __init__(self, path: Path):
        self.file = open(path, "a", encoding="utf-8")  # noqa: SIM115

    def note(self, what: str, **facts) -> None:
        self.file.write(json.dumps({"what": what, "at": time.time(), **facts}) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())


class Runner(threading.Thread):
    """One client with dice of its own."""

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
        for _ in range(6):  # nobody knows what became of a form without an answer: the same one is sent again
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
        status, _ = self.ask(where + "cancel/", {}, slot)
        if status == 303:
            self.journal.note("was cancelled", **slot)

    def ask(self, path: str, fields: dict, slot: dict) -> tuple[int, str]:
        """(status, Location) of a POST; 0 where no answer came. Refusals and server errors are written down."""
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


def storm(
    *, site, seed: int, seconds: float, clients: int, folder: Path, times: int = 48, share_cancelled: float = 0.7
) -> list[Runner]:
    """Start the clients; the caller kills servers meanwhile and joins them afterwards."""
    until = time.time() + seconds
    runners = [
        Runner(
            number, seed=seed, port=site.port, folder=folder, until=until, share_cancelled=share_cancelled, times=times
        )
        for number in range(clients)
    ]
    for runner in runners:
        runner.start()
    return runners
