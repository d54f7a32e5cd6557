"""`make check`: everything that can be checked without running the site. Each check runs, even after one has failed."""

import base64
import contextlib
import os
import secrets
import subprocess
from collections.abc import Iterator

from clinic.local.processes.children import Children
from clinic.local.processes.folder import ROOT, Folder, var_folder
from clinic.local.processes.refusal import CannotStart
from clinic.local.servers.postgres import start_postgres
from clinic.local.servers.start import python

PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": secrets.token_urlsafe(64),
    "DATABASE_URL": "postgresql://127.0.0.1:9/unused",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "ALLOWED_HOSTS": "clinic.example",
    "SITE_URL": "https://clinic.example",
    "EMAIL_URL": "smtp://127.0.0.1:9",
    "EMAIL_FROM": "Clinic <hello@clinic.example>",
    "ENCRYPTION_KEYS": "check:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "BEHIND_PROXY": "1",
}
TEST = {**PRODUCTION, "ENVIRONMENT": "test"}

CHECKS: dict[str, tuple[str, dict[str, str]]] = {
    "ruff-check": ("-m ruff check -q .", {}),
    "ruff-format": ("-m ruff format -q --check .", {}),
    "mypy": ("-m mypy --no-error-summary", TEST),
    "architecture": ("-m pytest -q --no-header tests/test_architecture.py", TEST),
    "migrations": ("-W ignore manage.py makemigrations --check --dry-run", TEST),
    "deploy": ("manage.py check --deploy --fail-level WARNING", PRODUCTION),
    "pip-audit": ("-m pip_audit -s osv --timeout 5 --disable-pip --require-hashes -r requirements-dev.txt", {}),
}
NEED_POSTGRES = {"migrations", "deploy"}  # Django checks the Postgres version for generated columns
UNREACHABLE = ("ConnectionError", "ConnectTimeout", "ServiceError", "Connection refused", "Max retries", "ProxyError")


def check(*names: str) -> int:
    """Run the checks called `names`, by default all. Returns 1 if one failed.

    Raises CannotStart for an unknown name, or if Postgres is needed and cannot be started.
    """
    if unknown := set(names) - CHECKS.keys():
        raise CannotStart(f"No check is called {', '.join(sorted(unknown))}. There are {', '.join(CHECKS)}.")
    chosen = names or tuple(CHECKS)
    with contextlib.nullcontext() if NEED_POSTGRES.isdisjoint(chosen) else _postgres() as url:
        database = {"DATABASE_URL": url} if url else {}
        failed = [name for name in chosen if not _passes(name, database)]
    print(f"{len(failed)} failed: {', '.join(failed)}" if failed else "All checks passed.")
    return 1 if failed else 0


@contextlib.contextmanager
def _postgres() -> Iterator[str]:
    """Yield $DATABASE_URL, or the URL of a Postgres that runs until the context ends."""
    with Folder(var_folder() / "check").locked("make check") as folder, Children(lock_fd=folder.lock_fd) as children:
        yield os.environ.get("DATABASE_URL") or start_postgres(children, folder, for_tests=True)


def _passes(name: str, database: dict[str, str]) -> bool:
    """Run a check, print the outcome, and return whether it passed. Prints the output of a failed check.

    An unreachable vulnerability database is not a failure.
    """
    command, environ = CHECKS[name]
    done = subprocess.run(
        python(*command.split()),
        cwd=ROOT,
        env={**os.environ, **environ, **(database if environ else {})},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if name == "pip-audit" and done.returncode and any(sign in done.stderr for sign in UNREACHABLE):
        print("skipped  pip-audit: its database cannot be reached from here", flush=True)
        return True
    print(f"{'FAILED' if done.returncode else 'ok':8} {name}", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0
