"""`make run`: servers first, then tables and the demo, then mail sink, web, worker and beat; the end of one ends all."""

import http.client
import os
import time

from clinic.local.children import Children, StopAsked, die_with_parent
from clinic.local.folder import ROOT, Folder, var_folder
from clinic.local.ports import listen, parse_port
from clinic.local.refusal import CannotStart
from clinic.local.servers import python, start_servers

MAIL, SITE = 1, 2  # phases of stopping; the servers are phase 0 and go last
# Running as root is what a container does; the worker's broker takes JSON only, so the warning has no point.
CELERY = ("-W", "ignore:You're running the worker", "-m", "celery", "--quiet", "-A", "clinic")


def run():
    """Run the site until Ctrl-C. Raises CannotStart if something is in the way or a process ends by itself."""
    started = time.monotonic()
    if "MAKELEVEL" in os.environ:
        die_with_parent(15, os.getppid())  # make killed by SIGKILL would otherwise leave us running unseen
    port = parse_port(os.environ.get("PORT") or "8000")
    with Folder(var_folder()).locked("make run") as folder, Children(lock_fd=folder.lock_fd) as children:
        try:
            _start_everything(children, folder, port)
            _say_where_to_look(folder, port, seconds=time.monotonic() - started)
            while True:
                children.wait()
        except StopAsked:
            print("\nStopping…", flush=True)
        except CannotStart:
            folder.write_state(what="make run")  # nobody should use what is about to stop
            raise


def _start_everything(children: Children, folder: Folder, port: int):
    site = f"http://127.0.0.1:{port}"
    with listen(port) as listener:
        environ = {"SITE_URL": site, **start_servers(children, folder, environment="local")}
        start = _Start(children, environ)
        _start_mail_sink(start, folder)
        if children.run("prepare", python("-m", "clinic.local.prepare"), env=environ, cwd=ROOT):
            raise CannotStart("The tables or the demo could not be made; the lines above say why.")
        start(
            "web", "-m", "gunicorn", "clinic.wsgi", *_gunicorn_options(listener.fileno()), pass_fds=(listener.fileno(),)
        )
    children.wait_until(lambda: _answers(port), what="The web server", seconds=60)
    folder.write_state(what="make run", site=site, environ=_own_environ(environ))
    start("worker", *CELERY, "worker", "--concurrency=2", "--loglevel=warning", "--without-mingle", "--without-gossip")
    start("beat", *CELERY, "beat", "--loglevel=warning", f"--schedule={folder.path / 'celerybeat'}", "--pidfile=")


class _Start:
    """`start(name, *words)`: a Python process of the site, with the site's environment."""

    def __init__(self, children: Children, environ: dict[str, str]):
        self.children, self.environ = children, environ

    def __call__(self, name: str, *words, phase: int = SITE, **options):
        return self.children.start(name, python(*words), phase=phase, env=self.environ, cwd=ROOT, **options)


def _start_mail_sink(start: _Start, folder: Folder):
    """Unless EMAIL_URL names a server: a sink of ours, and the page that shows what it took."""
    if start.environ.get("EMAIL_URL"):
        return
    mailbox = folder.path / "mail"
    with listen(0) as listener:
        start(
            "mail",
            "-m",
            "clinic.local.mail_sink",
            str(listener.fileno()),
            mailbox,
            phase=MAIL,
            pass_fds=(listener.fileno(),),
        )
        start.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{listener.getsockname()[1]}"
    start.environ["MAILBOX_DIR"] = str(mailbox)


def _gunicorn_options(fd: int) -> list[str]:
    threads = ("--worker-class=gthread", "--workers=1", "--threads=8")
    return [f"--bind=fd://{fd}", *threads, "--graceful-timeout=2", "--log-level=warning", "--no-control-socket"]


def _answers(port: int) -> bool:
    """Whether the front page comes. Asking for it also makes the first visitor's page a warm one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _own_environ(environ: dict[str, str]) -> dict[str, str]:
    """What another command needs on top of its own environment to work on this run's servers."""
    return {name: value for name, value in environ.items() if os.environ.get(name) != value}


def _say_where_to_look(folder: Folder, port: int, *, seconds: float):
    site = f"http://127.0.0.1:{port}"
    lines = [
        f"Runclinic is up ({seconds:.1f} s).",
        f"  Site     {site}/",
        f"  Admin    {site}/admin/",
        f"  Mailbox  {site}/_mail/",
        "Ctrl-C stops everything.",
    ]
    print("\n".join(lines), flush=True)
