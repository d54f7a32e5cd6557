"""Postgres, Valkey and a mail sink for the site. Only those that the environment does not name are started."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from clinic.local.mailbox.maildir import delete_old_mail
from clinic.local.processes.children import Children, Phase
from clinic.local.processes.folder import Folder
from clinic.local.processes.ports import free_port, is_listening
from clinic.local.processes.refusal import CannotStart
from clinic.local.servers.postgres import site_url_of, start_postgres
from clinic.local.servers.valkey import start_valkey


def require_not_production(environ: Mapping[str, str]) -> None:
    """Raise CannotStart in production, since nothing in this package may touch a real clinic's data."""
    if environ.get("ENVIRONMENT") == "production":
        raise CannotStart(
            "ENVIRONMENT is production. This is for a developer's machine; deploy/README.md says how to run for real."
        )


def start_servers(children: Children, folder: Folder, *, environment: str) -> dict[str, str]:
    """Start the servers that `os.environ` does not name. Returns the complete environment for the site's processes.

    `environment` is "local" or "test". A local site does not own its tables; tests do, since they make databases.
    Raises CannotStart.
    """
    require_not_production(os.environ)
    environ = {"ENVIRONMENT": environment, "SECRET_KEY": folder.secret_key(), **os.environ}
    if not environ.get("DATABASE_URL"):
        owner = start_postgres(children, folder, for_tests=environment == "test")
        environ["DATABASE_URL"] = owner
        if environment != "test":
            environ |= {"DATABASE_URL": site_url_of(owner), "MIGRATION_DATABASE_URL": owner}
    if not environ.get("REDIS_URL"):
        environ["REDIS_URL"] = start_valkey(children, folder)
    return environ


def start_mail_sink(children: Children, folder: Path, *, log: str = "") -> str:
    """Start an SMTP server that relays nothing and stores each message in the Maildir `folder`. Returns its URL.

    Deletes the oldest messages in `folder` first, and waits until the server listens. Raises CannotStart.
    """
    delete_old_mail(folder)
    port = free_port()
    keep = ("-c", "aiosmtpd.handlers.Mailbox", folder)
    argv = python("-m", "aiosmtpd", "--nosetuid", "--smtputf8", "--listen", f"127.0.0.1:{port}", *keep)
    children.start("mail", argv, phase=Phase.MAIL, log=log)
    children.wait_until(lambda: is_listening(port), what="The mail sink", seconds=30)
    return f"smtp://127.0.0.1:{port}"


def python(*arguments: str | Path) -> list[str]:
    """Return the command line to run a module or script with the Python of this process."""
    return [sys.executable, *(os.fspath(part) for part in arguments)]
