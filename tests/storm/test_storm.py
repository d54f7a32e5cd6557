"""5,000 messages while everything that can fail does, on a clock that makes nineteen hours of ten minutes."""

import faulthandler
import json
import os
import subprocess
import sys

import pytest

from clinic.local.folder import ROOT


@pytest.mark.fault
def test_no_message_is_lost_nor_sent_in_vain_while_everything_fails():
    faulthandler.cancel_dump_traceback_later()  # pytest would take ten minutes for a test that hangs; `timeout` below ends it
    environ = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    words = [sys.executable, "-m", "tests.storm.drive"]
    driven = subprocess.run(words, env=environ, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=1800, check=True)
    report = json.loads(driven.stdout)
    print(json.dumps(report, indent=1))

    assert report["messages"] >= 5000
    assert report["faults"] == {"worker": 50, "beat": 10, "broker": 1, "database": 1}
    assert set(report["moods"]) == {"refused", "not now", "dropped", "hanging"}
    assert report["lost"] == []
    assert report["out_of_time"] <= 0.02 * report["messages"]
    assert report["unexplained_duplicates"] == []
    assert report["duplicates"] <= report["moods"]["dropped"] + report["faults"]["worker"]
    assert report["after_a_change"] == []
    assert report["after_the_visit"] == []
    assert report["in_quiet_hours"] == []
    assert report["wrong_day"] == []
