"""Check the clients' journals against the database, in SQL, without any code of the site."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg

OVERLAPS = """
SELECT count(*) FROM booking_appointment a JOIN booking_appointment b
ON a.id < b.id AND a.therapist_id = b.therapist_id AND a.blocked && b.blocked
WHERE a.status IN ('held', 'booked') AND b.status IN ('held', 'booked')"""
OVER_THE_CAP = """
SELECT count(*) FROM (
    SELECT 1 FROM booking_appointment a JOIN booking_service s ON s.id = a.service_id WHERE status IN ('held', 'booked')
    GROUP BY therapist_id, starts_at::date, daily_cap HAVING count(*) > daily_cap
) overfull_days"""
ROWS = """
SELECT a.idempotency_key::text, t.slug, to_char(a.starts_at AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MI"Z"'), a.status,
       extract(epoch FROM lower(a.blocked)), extract(epoch FROM upper(a.blocked)),
       extract(epoch FROM a.created_at), extract(epoch FROM a.cancelled_at), p.name
FROM booking_appointment a JOIN practice_therapist t ON t.id = a.therapist_id
LEFT JOIN practice_patient p ON p.id = a.patient_id"""


@dataclass
class Findings:
    """Counts of problems (`wrong`, each should be 0) and of the facts that were checked (`seen`)."""

    wrong: Counter = field(default_factory=Counter)
    seen: Counter = field(default_factory=Counter)

    def __str__(self):
        parts = [f"{count} {what}" for what, count in (*self.wrong.items(), *self.seen.items())]
        return "; ".join(parts)


def check(*, database_url: str, folder: Path) -> Findings:
    """Compare the journals in `folder` with the rows and return the findings."""
    journal = [json.loads(line) for path in folder.glob("client-*.jsonl") for line in path.read_text().splitlines()]
    with psycopg.connect(database_url) as connection:
        overlaps = connection.execute(OVERLAPS).fetchone()[0]
        over = connection.execute(OVER_THE_CAP).fetchone()[0]
        rows = connection.execute(ROWS).fetchall()
    facts = defaultdict(dict)
    for line in journal:
        facts[line["key"]][line["what"]] = line
    found = Findings()
    found.wrong["overlaps"] = overlaps
    found.wrong["days over the cap"] = over
    found.wrong["acknowledged bookings missing"] = sum(_is_missing(told, row) for told, row in _by_key(facts, rows))
    found.wrong["duplicates of one key"] = sum(n > 1 for n in Counter(row[8] for row in rows if row[8]).values())
    occupied = [_occupied(row, facts) for row in rows] + [_lay_there(line) for line in journal if "lay" in line["what"]]
    refusals = [line for line in journal if line["what"] == "was refused"]
    found.wrong["refusals of a free time"] = sum(not _was_taken(line, occupied) for line in refusals)
    found.seen.update(line["what"] for line in journal)
    found.seen["rows"] = len(rows)
    return found


def _by_key(facts: dict, rows: list):
    by_key = {row[0]: row for row in rows}
    return [(told, by_key.get(key)) for key, told in facts.items()]


def _is_missing(told: dict, row: tuple | None) -> bool:
    """Return whether the site confirmed a booking to a client and the row contradicts it."""
    if "was booked" not in told:
        return False
    if row is None or (row[1], row[2]) != (told["was booked"]["therapist"], told["was booked"]["start"]):
        return True
    if "was cancelled" in told:
        return row[3] != "cancelled"
    return row[3] != "booked" and "means to cancel" not in told


def _occupied(row: tuple, facts: dict) -> tuple:
    """Return (therapist, from, until, occupied since, occupied until at the latest) for one row.

    A cancellation takes effect at some moment between its request and its acknowledgement. Without an acknowledgement,
    the time counts as occupied until the end.
    """
    key, therapist, _, status, lower, upper, created, _, _ = row
    told = facts.get(key, {})
    if "tried to hold" in told:  # the row was there as a hold before it became the visit
        created = told["means to book"]["at"]
    ended = told["was cancelled"]["at"] if status == "cancelled" and "was cancelled" in told else float("inf")
    return therapist, float(lower), float(upper), float(created), ended


def _lay_there(line: dict) -> tuple:
    """Return the same tuple for a row that the script inserted and deleted again."""
    start = _instant(line["start"])
    return line["therapist"], start, start + 45 * 60, line["began"], line["at"]


def _instant(start: str) -> float:
    return datetime.strptime(start, "%Y%m%dT%H%MZ").replace(tzinfo=UTC).timestamp()


def _was_taken(refusal: dict, occupied: list) -> bool:
    """Return whether any row overlapped the refused time at some moment between request and response."""
    start = _instant(refusal["start"])
    there = [
        (lower, upper)
        for therapist, lower, upper, began, ended in occupied
        if therapist == refusal["therapist"] and began <= refusal["at"] and refusal["began"] <= ended
    ]
    return any(lower < start + 45 * 60 and start < upper for lower, upper in there)
