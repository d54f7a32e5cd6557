"""`make run`: servers and mail sink, migrations and demo, then web, worker and beat. If one ends, all are stopped."""

import functools
import http.client
import os
import signal
import time

from clinic.demo import login
from clinic.env import EnvironmentInvalid, read_environment
from clinic.local.processes.children import Children, Phase, StopRequested, die_with_parent
from clinic.local.processes.folder import ROOT, Folder, var_folder
from clinic.local.processes.ports import listen, parse_port
from clinic.local.processes.refusal import CannotStart
from clinic.local.servers.start import python, start_mail_sink, start_servers

CELERY = ("-m", "celery", "--quiet", "-A", "clinic")
# Containers run as root. Celery warns about that because of pickle, which this project does not accept.
WORKER = ("-W", "ignore:You're running the worker", *CELERY, "worker", "--without-mingle", "--without-gossip")


def run() -> None:
    """Run the site until Ctrl-C. Raises CannotStart if it cannot start or a process ends by itself."""
    started = time.monotonic()
    if "MAKELEVEL" in os.environ:
        die_with_parent(signal.SIGTERM, os.getppid())  # else a killed make would leave this running
    port = parse_port(os.environ.get("PORT") or "8000")
    with Folder(var_folder()).locked("make run") as folder, Children(lock_fd=folder.lock_fd) as children:
        try:
            environ = _start_everything(children, folder, port)
            print(_where_to_look(environ, seconds=time.monotonic() - started), flush=True)
            while True:
                children.wait()
        except StopRequested:
            print("\nStopping…", flush=True)
        finally:
            folder.write_state(what="make run")  # other commands must not use servers that are stopping


def _start_everything(children: Children, folder: Folder, port: int) -> dict[str, str]:
    """Start the servers and the site's processes. Returns the environment of those processes."""
    site = f"http://127.0.0.1:{port}"
    with listen(port) as listener:
        environ = {"SITE_URL": site, **start_servers(children, folder, environment="local")}
        environ.setdefault("STATE_DIRECTORY", str(folder.path / "web"))
        if not environ.get("EMAIL_URL"):
            mailbox = folder.path / "mailbox"
            environ |= {"EMAIL_URL": start_mail_sink(children, mailbox), "MAILBOX_DIR": str(mailbox)}
        _require_sound(environ)
        if children.run("prepare", python("-m", "clinic.local.prepare"), env=environ, cwd=ROOT):
            raise CannotStart("The tables or the demo could not be made; the lines above say why.")
        start = functools.partial(_start_python, children, environ)
        fd = listener.fileno()
        start("web", "-m", "gunicorn", "clinic.wsgi", *_gunicorn_options(fd), pass_fds=(fd,))
    children.wait_until(lambda: _answers(port), what="The web server", seconds=60)
    folder.write_state(what="make run", site=site, environ=_beyond_own_environment(environ))
    start("worker", *WORKER, "--concurrency=2", "--loglevel=warning")
    start("beat", *CELERY, "beat", "--loglevel=warning", f"--schedule={folder.path / 'celerybeat'}", "--pidfile=")
    return environ


def _start_python(
    children: Children,
    environ: dict[str, str],
    name: str,
    *arguments: str,
    pass_fds: tuple[int, ...] = (),
) -> None:
    children.start(name, python(*arguments), phase=Phase.SITE, env=environ, cwd=ROOT, pass_fds=pass_fds)


def _require_sound(environ: dict[str, str]) -> None:
    try:
        read_environment(environ)
    except EnvironmentInvalid as error:
        raise CannotStart(str(error)) from None


def _gunicorn_options(fd: int) -> list[str]:
    threads = ("--worker-class=gthread", "--workers=1", "--threads=8")
    return [f"--bind=fd://{fd}", *threads, "--graceful-timeout=2", "--log-level=warning", "--no-control-socket"]


def _answers(port: int) -> bool:
    """Whether the home page responds without a server error. The request also warms the caches."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _beyond_own_environment(environ: dict[str, str]) -> dict[str, str]:
    """Return what another command must add to its own environment to use this run's servers."""
    return {name: value for name, value in environ.items() if os.environ.get(name) != value}


def _where_to_look(environ: dict[str, str], *, seconds: float) -> str:
    site = environ["SITE_URL"]
    lines = [
        f"Runclinic is up ({seconds:.1f} s).",
        f"  Site     {site}/",
        f"  Admin    {site}/admin/   {login.EMAIL}   {login.PASSWORD}",
        f"           the same password for the front desk, {login.FRONT_DESK_EMAIL}",
        f"  Mailbox  {site}/_mail/" if environ.get("MAILBOX_DIR") else "  Mail     goes to the server of EMAIL_URL",
        "Ctrl-C stops everything.",
    ]
    return "\n".join(lines)
