"""Send thousands of messages while every part of the system fails, on a clock that runs FACTOR times as fast.

STORM_SEED repeats the random choices of a printed seed. STORM_HOURS=19 makes a storm last ten minutes, with 5,000
messages and 49 killed workers.
"""

import faulthandler
import json
import os
import subprocess
import sys

import pytest

from clinic.local.processes.folder import ROOT
from tests.storm.drive import BEAT_KILLS, VISITS, WORKER_KILLS

pytestmark = pytest.mark.fault

MUST_NOT_BE = ("lost", "after a change", "after the visit", "in quiet hours", "with the wrong day")


def storm(capsys, **how) -> dict:
    faulthandler.cancel_dump_traceback_later()  # a storm may exceed pytest's limit; `timeout` ends it
    environ = {name: value for name, value in os.environ.items() if not name.endswith("_URL")} | how
    words = [sys.executable, "-m", "tests.storm.drive"]
    driven = subprocess.run(words, env=environ, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=1800, check=True)
    found = json.loads(driven.stdout)
    with capsys.disabled():
        show(found, how.get("STORM_PLANT", ""))
    return found


def show(found: dict, planted: str) -> None:
    print(f"\n\n| the storm{f', with a fault planted: {planted}' if planted else ''} | |\n|---|---|")
    for what, value in found.items():
        if isinstance(value, dict):
            value = ", ".join(f"{count} {name}" for name, count in sorted(value.items(), key=lambda one: -one[1]))
        print(f"| {what} | {len(value) if isinstance(value, list) else value} |")
    for what in MUST_NOT_BE:
        for one in found[what][:20]:
            print(f"| {what} | {one} |")
    if not planted:
        print("\n| came twice with the same Message-ID | seconds apart | because |\n|---|---|---|")
        for twin in found["duplicates"]:
            print(f"| {twin['message_id']} | {twin['seconds apart']} | {twin['because'] or 'UNEXPLAINED'} |")


def unexplained(found: dict) -> list:
    return [twin for twin in found["duplicates"] if not twin["because"]]


def test_no_message_is_lost_or_sent_wrongly_while_everything_fails(capsys):
    found = storm(capsys)

    assert found["messages"] >= 1.5 * VISITS
    assert found["faults"] == {"worker": WORKER_KILLS, "beat": BEAT_KILLS, "broker": 1, "database": 1}
    assert WORKER_KILLS >= 15
    assert set(found["moods"]) == {"refused", "not now", "dropped", "hanging"}
    assert {"moved by the patient", "moved by staff", "cancelled", "restored"} <= set(found["changes"])
    assert {what: found[what] for what in MUST_NOT_BE} == {what: [] for what in MUST_NOT_BE}
    # On this clock, a worker that starts in ten seconds is away for twenty minutes, and messages that became too late
    # were skipped.
    assert found["states"]["sent"] >= 0.6 * found["messages"]
    assert unexplained(found) == []
    assert len(found["duplicates"]) <= found["moods"]["dropped"] + found["faults"]["worker"]


@pytest.mark.parametrize(
    ("planted", "finds"),
    [
        ("no second look", lambda found: found["after a change"]),
        ("success is not written down", unexplained),
    ],
)
def test_storm_finds_a_fault_planted_in_the_outbox(capsys, planted, finds):
    small = {"STORM_VISITS": "300", "STORM_HOURS": "5.5", "STORM_FACTOR": "240", "STORM_SETTLES_S": "10"}
    found = storm(capsys, STORM_PLANT=planted, **small)

    assert finds(found)
