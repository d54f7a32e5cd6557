"""Commands that need servers while they run (the tests and manage.py), and the reset of the local state."""

import contextlib
import io
import os
import shutil
import subprocess
from pathlib import Path

from clinic.local.processes.children import Children
from clinic.local.processes.folder import ROOT, Folder, var_folder
from clinic.local.servers.start import python, require_not_production, start_servers

COVERAGE = ROOT / "var" / "coverage"  # as in pyproject.toml
LEAST_COVERED = 5  # files


def test(*arguments: str) -> int:
    """Run pytest on servers independent of a running site, and return its exit code.

    The servers are those that the environment names, else temporary ones. With --cov, prints a summary of the coverage.
    """
    code = _run_with_servers("make test", var_folder() / "test", "test", "-m", "pytest", *arguments)
    if "--cov" in arguments and COVERAGE.exists():
        print(_describe_coverage())
    return code


def _describe_coverage() -> str:
    """Return the share of lines that the tests ran, and the LEAST_COVERED files with the smallest share."""
    import coverage  # imported here, so that `make run` does not need it

    with contextlib.chdir(ROOT):
        measured, table = coverage.Coverage(), io.StringIO()
        measured.load()
        total = measured.report(file=table, sort="cover", skip_covered=True, skip_empty=True)
    rows = [line.split() for line in table.getvalue().splitlines()[2 : 2 + LEAST_COVERED]]
    return f"coverage {total:.1f} %; least: " + ", ".join(f"{row[0]} {row[-1]}" for row in rows)


def manage(*arguments: str) -> int:
    """Run manage.py on the servers of the running site, else on ones started for it. Returns its exit code.

    Raises CannotStart in production.
    """
    require_not_production(os.environ)
    state = Folder(var_folder()).running_state()
    if state:
        argv = python(ROOT / "manage.py", *arguments)
        return subprocess.run(argv, env={**state["environ"], **os.environ}, check=False).returncode
    return _run_with_servers("make manage", var_folder(), "local", ROOT / "manage.py", *arguments)


def reset() -> None:
    """Delete the contents of the state folder, except the locks and the state of the tests.

    Raises CannotStart while a run is active.
    """
    path = var_folder()
    if not path.exists():
        return
    with Folder(path).locked("make reset", patience_s=2):
        for entry in path.iterdir():
            if entry.name in ("lock", "test", "install.lock"):
                continue
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    print(f"{path} is empty; the next `make run` starts anew.")


def _run_with_servers(what: str, path: Path, environment: str, *arguments: str | Path) -> int:
    with Folder(path).locked(what) as folder, Children(lock_fd=folder.lock_fd) as children:
        environ = start_servers(children, folder, environment=environment)
        folder.write_state(what=what, environ={})
        return children.run(what, python(*arguments), env=environ, cwd=ROOT, shares_terminal=True)
