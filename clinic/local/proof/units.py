"""Read the systemd units of deploy/, with production's paths replaced by local ones."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from clinic.local.processes.refusal import CannotStart

SITE, ENVIRONMENT_FILE, STATE, ADDRESS = (
    "/srv/runclinic/site",
    "/etc/runclinic.env",
    "/var/lib/runclinic",
    "127.0.0.1:8000",
)
OWNER_FILE = "/etc/runclinic-owner.env"
NAMES = ("migrate", "prepare", "web", "worker", "beat")


@dataclass(frozen=True)
class Unit:
    """One service: its commands, and the commands that must succeed after its start."""

    name: str
    commands: list[list[str]]
    after_start: list[list[str]]


def read_unit(folder: Path, name: str, *, moved: dict[str, str]) -> Unit:
    """Read runclinic-`name`.service, with each path in `moved` replaced by its value.

    Raises CannotStart if the unit does not run in SITE with ENVIRONMENT_FILE, and `migrate` alone with OWNER_FILE, or if
    it uses STATE without a StateDirectory.
    """
    path = folder / f"runclinic-{name}.service"
    lines = [line.partition("=") for line in path.read_text().splitlines() if "=" in line and not line.startswith("#")]

    def values(key: str) -> list[str]:
        return [value.strip() for found, _, value in lines if found.strip() == key]

    files = [ENVIRONMENT_FILE, OWNER_FILE] if name == "migrate" else [ENVIRONMENT_FILE]
    if (values("WorkingDirectory"), values("EnvironmentFile")) != ([SITE], files):
        raise CannotStart(f"{path.name} must run in {SITE} with {' and '.join(files)}.")
    commands = values("ExecStart")
    if any(STATE in command for command in commands) and values("StateDirectory") != [Path(STATE).name]:
        raise CannotStart(f"{path.name} writes to {STATE} without StateDirectory={Path(STATE).name}.")
    return Unit(
        name, [_move(line, moved) for line in commands], [_move(line, moved) for line in values("ExecStartPost")]
    )


def read_environment_file(path: Path) -> dict[str, str]:
    """Read a file of NAME=value lines, which is systemd's EnvironmentFile and Compose's env_file.

    Does not support quotes and variables, which systemd and Compose interpret differently.
    """
    lines = [line.strip() for line in path.read_text().splitlines()]
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _move(command: str, moved: dict[str, str]) -> list[str]:
    argv = shlex.split(command)
    for old, new in moved.items():
        argv = [part.replace(old, new) for part in argv]
    return argv
