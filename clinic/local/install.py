"""Install the packages pinned in requirements-dev.txt into .venv. Needs only a Python >= 3.12.

The stamp, a copy of requirements-dev.txt, is written last. This is a no-op while both are equal. An interrupted
installation starts over.
"""

import fcntl
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements-dev.txt"
STAMP = VENV / "installed.txt"


def is_installed() -> bool:
    """Whether the stamp in .venv equals requirements-dev.txt and its Python runs."""
    try:
        return STAMP.read_bytes() == REQUIREMENTS.read_bytes() and _runs([PYTHON, "-c", ""])
    except OSError:
        return False


def install() -> None:
    """Create .venv and install everything, verified against the hashes. Exits with a message on failure."""
    started = time.monotonic()
    print("Installing what requirements-dev.txt pins into .venv (once)…", flush=True)
    STAMP.unlink(missing_ok=True)
    if not _runs([PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 12))"]):
        make_venv(VENV, with_pip=not shutil.which("uv"))
    install_pinned(PYTHON, REQUIREMENTS, uv=shutil.which("uv") or _install_uv())
    shutil.copyfile(REQUIREMENTS, STAMP)
    print(f"Installed in {time.monotonic() - started:.0f} s.", flush=True)


def install_pinned(python: Path, requirements: Path, *, uv: Path | str | None) -> None:
    """Install `requirements`, verified against their hashes, for `python`. Exits with a message on failure."""
    pinned = ["--require-hashes", "-r", requirements]
    if not (uv and _runs([uv, "pip", "install", "--python", python, "--compile-bytecode", *pinned])):
        # pip reads pip.conf, which uv does not, so pip may have an index that uv lacks.
        _runs([python, "-m", "ensurepip"])
        if not _runs([python, "-m", "pip", "install", *pinned], explain=True):
            sys.exit("Installing failed; the lines above say why. Is a package index reachable?")


def make_venv(venv: Path, *, with_pip: bool) -> None:
    """Create an empty virtual environment. Exits with a message on failure."""
    pip = [] if with_pip else ["--without-pip"]
    if not _runs([sys.executable, "-m", "venv", "--clear", *pip, venv]):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        way_out = f"On Debian: apt install python{version}-venv. Or install uv."
        sys.exit(f"{sys.executable} cannot make a virtual environment. {way_out}")


def _install_uv() -> Path | None:
    """Install the pinned uv, which is three times faster than pip, and return its path. Returns None on failure."""
    pin = re.search(r"^uv==(?:.*\\\n)*.*", REQUIREMENTS.read_text(), re.MULTILINE)
    if not pin:
        return None
    only_uv = VENV / "uv.txt"
    only_uv.write_text(pin[0] + "\n")
    is_there = _runs([PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", only_uv])
    return VENV / "bin" / "uv" if is_there else None


def _runs(argv: list, *, explain: bool = False) -> bool:
    """Run a command and return whether it succeeded. With `explain`, prints the end of the output on failure."""
    try:
        done = subprocess.run([str(part) for part in argv], capture_output=True, text=True, check=False)
    except OSError:
        return False
    if done.returncode and explain:
        print("\n".join((done.stdout + done.stderr).splitlines()[-10:]), file=sys.stderr)
    return done.returncode == 0


def main() -> None:
    (ROOT / "var").mkdir(mode=0o700, exist_ok=True)
    with open(ROOT / "var" / "install.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # so that `make run` and `make test` started together install once
        if not is_installed():
            install()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
