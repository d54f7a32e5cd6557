"""`make proof`: run the site as deploy/ does in production, with only the packages of requirements.txt.

The working tree is copied, and its requirements.txt is installed in a fresh venv beside it. The commands of the systemd
units run there, with deploy/environment.example filled in. Postgres, Valkey and the mail sink are those of the
development venv. A visit is booked over HTTP and its email received. Then the worker is killed and /health/ must report
it, and each process must refuse to start without the encryption key that the data needs.
"""

import base64
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import requests

from clinic.local.install import install_pinned, make_venv
from clinic.local.mailbox.maildir import Mail, list_mail
from clinic.local.processes.children import Child, ChildEnded, Children, Phase, die_with_parent
from clinic.local.processes.folder import ROOT, Folder, var_folder
from clinic.local.processes.ports import free_port
from clinic.local.processes.refusal import CannotStart
from clinic.local.proof import units
from clinic.local.proof.bookable_clinic import SERVICE
from clinic.local.proof.visitor import Visitor, find, find_form
from clinic.local.servers.postgres import owner_url_of, site_url_of, start_postgres
from clinic.local.servers.start import start_mail_sink
from clinic.local.servers.valkey import start_valkey

HOST, EMAIL = "clinic.example", "vera@runners.example"
STEP_S, MAIL_S, START_S = 300, 60, 60  # time limits of a unit's command, an email, a start
SILENT_AFTER_S, SLACK_S = 120, 15  # when /health/ must report a silent worker (see README), and the tolerance
CHECK_DEPLOYMENT = ("check", "--deploy", "--fail-level", "WARNING")
TAIL = 25  # lines of a log in an error message
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # the default of a systemd service


@dataclass
class Production:
    """The deployment under test."""

    children: Children
    folder: Path
    environ: dict[str, str]
    port: int
    began: float
    services: dict[str, Child] = field(default_factory=dict)

    @property
    def site(self) -> Path:
        return self.folder / "site"

    def report(self, line: str) -> None:
        print(f"proof {time.monotonic() - self.began:4.0f} s  {line}", flush=True)

    def read_unit(self, name: str) -> units.Unit:
        moved = {
            units.SITE: str(self.site),
            units.STATE: str(self.folder / "state"),
            units.ADDRESS: f"127.0.0.1:{self.port}",
        }
        return units.read_unit(self.site / "deploy", name, moved=moved)

    def run(self, name: str, argv: list[str], *, seconds: float = STEP_S, more: dict[str, str] | None = None) -> None:
        """Run `argv` to its end, with `more` environment variables.

        Raises CannotStart, with the end of its output, on a non-zero exit code.
        """
        if code := self.exit_code_of(name, argv, {**self.environ, **(more or {})}, seconds=seconds):
            raise CannotStart(f"{' '.join(argv)} ended with exit code {code}:\n{self.tail(name)}")

    def exit_code_of(self, name: str, argv: list[str], environ: dict[str, str], *, seconds: float) -> int:
        """Run `argv`, with its output in the log `name`. Returns its exit code."""
        log = str(self.log(name))
        return self.children.run(name, argv, seconds=seconds, env=environ, cwd=self.site, log=log)

    def start(self, name: str) -> None:
        """Start the service of a unit, and run the unit's ExecStartPost commands."""
        unit = self.read_unit(name)
        [argv] = unit.commands
        self.services[name] = self.children.start(
            name, argv, phase=Phase.SITE, env=self.environ, cwd=self.site, log=str(self.log(name))
        )
        for after in unit.after_start:
            self.run(f"{name}-after", after, seconds=START_S + 10)

    def kill(self, name: str) -> None:
        self.children.kill(self.services.pop(name))

    def wait_for[T](self, what: str, ask: Callable[[], T | None], *, seconds: float) -> T:
        """Poll `ask` until it returns a value other than None, and return it.

        Raises CannotStart, with the ends of the logs, after `seconds`.
        """
        deadline = time.monotonic() + seconds
        while (answer := ask()) is None:
            if time.monotonic() > deadline:
                tails = "\n".join(f"--- {name}\n{self.tail(name)}" for name in self.services)
                raise CannotStart(f"{what} did not come within {seconds:.0f} s.\n{tails}")
            self.children.wait(0.25)
        return answer

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def tail(self, name: str) -> str:
        lines = self.log(name).read_text(errors="replace").splitlines() if self.log(name).exists() else []
        return "\n".join(lines[-TAIL:])


def prove() -> None:
    """Run the proof. Raises CannotStart with the name of the failed step and the end of its output."""
    if "MAKELEVEL" in os.environ:
        die_with_parent(signal.SIGTERM, os.getppid())
    began = time.monotonic()
    with Folder(var_folder() / "proof").locked("make proof") as folder, Children(lock_fd=folder.lock_fd) as children:
        for old in folder.path.glob("*.log"):
            old.unlink()
        production = Production(children, folder.path, {}, free_port(), began)
        try:
            _prove(production, folder)
        except ChildEnded as ended:
            raise CannotStart(f"Proof failed: {ended}\n{production.tail(ended.child.name)}") from None
        except (CannotStart, requests.RequestException) as fault:
            raise CannotStart(f"Proof failed: {fault}") from None
    print(f"Production is proved ({time.monotonic() - began:.0f} s).")


def _prove(production: Production, folder: Folder) -> None:
    _copy_tree(production.site)
    _install(production.site / ".venv")
    production.report("a fresh venv holds what requirements.txt pins, and nothing else")
    production.environ = _fill_in_environment(production, folder)
    owner = _read_owner_environment(production)
    for number, argv in enumerate(production.read_unit("migrate").commands):
        production.run(f"migrate-{number}", argv, more=owner)
        production.report(" ".join(argv[2:]))
    production.run("check", [str(production.site / ".venv/bin/python"), "manage.py", *CHECK_DEPLOYMENT])
    production.report("the site's role cannot change the audit log")
    for number, argv in enumerate(production.read_unit("prepare").commands):
        production.run(f"prepare-{number}", argv)
        production.report(" ".join(argv[2:]))
    production.run("clinic", [str(production.site / ".venv/bin/python"), "-m", "clinic.local.proof.bookable_clinic"])
    production.report("migrated, static files collected, definitions and articles loaded, a clinic described")
    for name in ("web", "worker", "beat"):
        production.start(name)
    production.report("web, worker and beat run by the command lines of their units; /ready/ is 200")
    visitor = Visitor(production.port, host=HOST)
    _check_edges(visitor)
    _book(visitor)
    production.report("a visit is booked")
    mail = production.wait_for("The mail of the visit", lambda: _find_mail(production.folder), seconds=MAIL_S)
    _open_link(mail, production)
    production.report("its mail has come, and the link in it opens the visit")
    _check_alarm(production, visitor)


def _check_alarm(production: Production, visitor: Visitor) -> None:
    """Check that /health/ is 200, becomes 503 SILENT_AFTER_S after the last sweep, and is 200 with a new worker.

    While the worker is dead, also checks that no process starts with a lost key. Raises CannotStart.
    """
    production.wait_for("A good /health/", lambda: _health(visitor, 200), seconds=START_S)
    production.kill("worker")
    production.report("/health/ is 200; the worker is killed")
    for name in ("web", "worker", "beat"):
        _check_lost_key(production, name)
    production.report(
        "with a key lost, web, worker and beat end and name it; waiting until the worker has been silent for 2 min"
    )
    bad = production.wait_for(
        "A bad /health/ without a worker", lambda: _health(visitor, 503), seconds=SILENT_AFTER_S + SLACK_S
    )
    silence = bad.json()["last_sweep_s"] or 0
    if not SILENT_AFTER_S <= silence <= SILENT_AFTER_S + SLACK_S:
        raise CannotStart(f"/health/ was bad after {silence} s without a sweep: {bad.text}")
    production.start("worker")
    production.wait_for("A good /health/ with a new worker", lambda: _health(visitor, 200), seconds=START_S)
    production.report(f"/health/ was 503 after {silence} s, and is 200 with a new worker")


def _copy_tree(site: Path) -> None:
    """Replace `site` by a copy of the files of the working tree that git does not ignore. Raises CannotStart."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        raise CannotStart("git cannot list the files of this folder; the proof needs a clone.")
    shutil.rmtree(site, ignore_errors=True)
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        if (ROOT / name).is_file():  # False for a deleted file that is not committed yet
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, site / name)


def _install(venv: Path) -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=Path(sys.executable).parent)
    make_venv(venv, with_pip=not uv)
    install_pinned(venv / "bin" / "python", venv.parent / "requirements.txt", uv=uv)


def _fill_in_environment(production: Production, folder: Folder) -> dict[str, str]:
    """Delete the state of an earlier proof and start the servers.

    Returns the variables of deploy/environment.example, filled in with the servers' URLs and new secrets.
    """
    for state in ("postgres", "valkey", "mail", "state"):
        shutil.rmtree(production.folder / state, ignore_errors=True)
    (production.folder / "state").mkdir()
    children, example = production.children, units.read_environment_file(production.site / "deploy/environment.example")
    return {
        **{"PATH": PATH, "LANG": "C.UTF-8", "HOME": str(production.folder)},
        **example,
        "SECRET_KEY": secrets.token_urlsafe(64),
        "DATABASE_URL": site_url_of(start_postgres(children, folder, for_tests=True)),
        "REDIS_URL": start_valkey(children, folder),
        "EMAIL_URL": start_mail_sink(children, production.folder / "mail", log=str(production.log("mail"))),
        "ENCRYPTION_KEYS": _make_key("2026a"),
    }


def _read_owner_environment(production: Production) -> dict[str, str]:
    """Return the variables of deploy/environment-owner.example, with the URL of the database's owner."""
    example = units.read_environment_file(production.site / "deploy/environment-owner.example")
    return {**example, "MIGRATION_DATABASE_URL": owner_url_of(production.environ["DATABASE_URL"])}


def _make_key(key_id: str) -> str:
    return f"{key_id}:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}"


def _check_edges(visitor: Visitor) -> None:
    """Check what only production does: HTTPS redirects, allowed hosts, hashed static files."""
    wanted = {
        "plain http is sent to https": visitor.ask("/", **{"X-Forwarded-Proto": "http"}).status_code == 301,
        "a foreign host is refused": visitor.ask("/", Host="evil.example").status_code == 400,
        "a probe needs no allowed host": visitor.ask("/live/", Host="127.0.0.1").status_code == 200,
        "only a probe needs none": visitor.ask("/", Host="127.0.0.1").status_code == 400,
    }
    sheet = visitor.open(find(visitor.open("/"), r"/static/css/site\.[0-9a-f]{12}\.css"))
    wanted["a style sheet is kept for good"] = "immutable" in sheet.headers.get("Cache-Control", "")
    if failed := [fact for fact, is_true in wanted.items() if not is_true]:
        raise CannotStart(f"Not so in production: {'; '.join(failed)}.")


def _book(visitor: Visitor) -> None:
    """Book a visit through links and forms, starting at the list of services."""
    days = visitor.open(find(visitor.open("/book/"), rf"/book/{SERVICE}/"))
    times = visitor.open(find(days, rf"/book/{SERVICE}/\d{{4}}-\d\d-\d\d/"))
    form = find_form(times, "/hold/")
    details = visitor.send(times, form, to=form.button_actions[0])
    form = find_form(details, "idempotency_key")
    booked = visitor.send(details, form, name="Vera Proof", email=EMAIL, phone="603 555 0123")
    if not re.search(r"/visits/[A-Za-z0-9_-]{43}/$", booked.url) or "booked" not in booked.text:
        raise CannotStart(f"Booking led to {booked.url}, not to a booked visit:\n{booked.text}")


def _find_mail(folder: Path) -> Mail | None:
    return next((mail for mail in list_mail(folder / "mail") if EMAIL in mail.recipients), None)


def _open_link(mail: Mail, production: Production) -> None:
    """Open the link of the email in a browser without cookies."""
    if not (link := re.search(rf"https://{HOST}(/visits/[A-Za-z0-9_-]{{43}}/)", mail.text)):
        raise CannotStart(f"The mail has no link to the visit:\n{mail.text}")
    Visitor(production.port, host=HOST).open(link[1])


def _health(visitor: Visitor, status: int) -> requests.Response | None:
    page = visitor.ask("/health/")
    return page if page.status_code == status else None


def _check_lost_key(production: Production, name: str) -> None:
    """Check that a service started with another encryption key exits and names the missing one."""
    [argv] = production.read_unit(name).commands
    environ = {**production.environ, "ENCRYPTION_KEYS": _make_key("2026b")}
    code = production.exit_code_of(f"{name}-lost-key", argv, environ, seconds=START_S)
    output = production.log(f"{name}-lost-key").read_text()
    if code == 0 or "lacks the key '2026a'" not in output:
        raise CannotStart(
            f"{name} did not refuse a lost key (exit code {code}):\n{production.tail(f'{name}-lost-key')}"
        )
