"""Child processes that end with their parent, tested with shells that record when they are stopped."""

import os
import signal
import time

import pytest

from tests.local.processes import Command, needs_proc, processes_of, wait_until

pytestmark = needs_proc

# Three children, one per phase. Each writes its name to `order` on SIGTERM, and leaves a `sleep` in its process group.
PARENT = """
import os, sys
from pathlib import Path
from clinic.local.processes.children import Children, Phase, StopRequested
from clinic.local.processes.folder import Folder
from clinic.local.processes.refusal import CannotStart

word = sys.argv[1]
with Folder(Path(os.environ["RUNCLINIC_VAR"])).locked("test") as folder, Children(lock_fd=folder.lock_fd) as children:
    order = folder.path / "order"
    for name, phase in (("servers", Phase.SERVERS), ("mail", Phase.MAIL), ("site", Phase.SITE)):
        last_words = f'trap "{word} {name} >> \\\\"{order}\\\\"; exit" TERM'
        script = f'sleep 600 & {last_words}; echo "{name} $$"; while :; do sleep 0.05; done'
        children.start(name, ["sh", "-c", script], phase=phase)
    try:
        while True:
            children.wait()
    except StopRequested:
        print("asked to stop", flush=True)
    except CannotStart as refusal:
        print(refusal, flush=True)
"""


@pytest.fixture
def family(tmp_path):
    with start_family(tmp_path / "v") as command:
        yield command


def start_family(var, word="echo"):
    return Command(var, "-c", PARENT, word)


def read_pids(command):
    lines = [command.process.stdout.readline().split() for _ in range(3)]
    return {name: int(pid) for name, pid in lines}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_children_stop_in_reverse_order_when_the_parent_gets_a_signal(family, number):
    read_pids(family)
    assert "asked to stop" in family.stop(number)
    assert (family.var / "order").read_text().split() == ["site", "mail", "servers"]
    assert processes_of(family.var) == []


def test_no_child_is_left_when_the_parent_is_killed(family):
    read_pids(family)
    family.process.kill()
    family.process.wait()
    # Only the shells must be gone: a shell does not pass SIGTERM on to its `sleep`.
    assert wait_until(lambda: not [line for line in processes_of(family.var) if " sh -c " in line], seconds=5)
    for line in processes_of(family.var):
        os.kill(int(line.split()[0]), signal.SIGKILL)


def test_killed_child_stops_the_other_children_with_one_line(family):
    pids = read_pids(family)
    os.kill(pids["mail"], signal.SIGKILL)
    assert family.finish().split() == ["mail", "was", "killed", "by", "SIGKILL."]
    assert (family.var / "order").read_text().split() == ["site", "servers"]
    assert processes_of(family.var) == []


def test_second_ctrl_c_kills_children_that_do_not_stop(tmp_path):
    with start_family(tmp_path / "v", word="sleep 600; echo") as family:
        read_pids(family)
        family.process.send_signal(signal.SIGINT)
        family.read_until("asked to stop")
        time.sleep(0.7)  # sooner, it would count as the same Ctrl-C
        family.process.send_signal(signal.SIGINT)
        assert family.finish(timeout=4) == ""
        assert processes_of(family.var) == []


def run_in_a_family(var, *lines):
    script = [
        "import os, sys",
        "from pathlib import Path",
        "from clinic.local.processes.children import Children, Phase",
        "from clinic.local.processes.folder import Folder",
        "from clinic.local.processes.refusal import CannotStart",
        "folder = Folder(Path(os.environ['RUNCLINIC_VAR']))",
        "with folder.locked('test'), Children(lock_fd=folder.lock_fd) as children:",
        *(f"    {line}" for line in lines),
    ]
    with Command(var, "-c", "\n".join(script)) as command:
        return command.finish()


def test_command_that_takes_too_long_is_killed_and_named_in_the_error(tmp_path):
    said = run_in_a_family(
        tmp_path,
        "try:",
        "    children.run('sleeper', ['sleep', '600'], seconds=0.2)",
        "except CannotStart as refusal:",
        "    print(refusal)",
    )
    assert said.startswith("sleeper ") and said.endswith(" 0.2 s.\n")
    assert processes_of(tmp_path) == []


def test_child_killed_on_purpose_does_not_stop_the_parent(tmp_path):
    said = run_in_a_family(
        tmp_path,
        "child = children.start('site', ['sleep', '600'], phase=Phase.SITE)",
        "children.kill(child)",
        "children.wait(0.1)",
        "print('still here', child.is_alive)",
    )
    assert said.strip() == "still here False"
