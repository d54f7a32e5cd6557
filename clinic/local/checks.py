"""`make check`: everything that can be said without running the site. Each check runs, even after one has failed."""

import base64
import os
import secrets
import subprocess

from clinic.local.children import Children
from clinic.local.folder import ROOT, Folder, var_folder
from clinic.local.postgres import start_postgres
from clinic.local.servers import python

# Only Postgres is there: Django asks its version about generated columns. The keys are made for one run.
LOOK_LIKE_PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": secrets.token_urlsafe(64),
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "ALLOWED_HOSTS": "clinic.example",
    "SITE_URL": "https://clinic.example",
    "EMAIL_URL": "smtp://127.0.0.1:9",
    "EMAIL_FROM": "Clinic <hello@clinic.example>",
    "ENCRYPTION_KEYS": "check:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "BEHIND_PROXY": "1",
}
AUDIT = ("-m", "pip_audit", "-s", "osv", "--timeout", "5", "--disable-pip", "--require-hashes")
UNREACHABLE = ("ConnectionError", "ConnectTimeout", "ServiceError", "Connection refused", "Max retries", "ProxyError")


def check() -> int:
    """Run all checks. Returns 1 if one failed. Raises CannotStart where no Postgres can be started."""
    with Folder(var_folder() / "check").locked("make check") as folder, Children(lock_fd=folder.lock_fd) as children:
        url = os.environ.get("DATABASE_URL") or start_postgres(children, folder, for_tests=True)
        failed = [name for name, words, environ in _checks(url) if not _passes(name, words, environ)]
    if not _audit_passes():
        failed.append("pip-audit")
    print(f"{len(failed)} failed: {', '.join(failed)}" if failed else "All checks passed.")
    return 1 if failed else 0


def _checks(database_url: str) -> list[tuple[str, tuple[str, ...], dict[str, str]]]:
    production = {**LOOK_LIKE_PRODUCTION, "DATABASE_URL": database_url}
    test = {**production, "ENVIRONMENT": "test"}
    return [
        ("ruff check", ("-m", "ruff", "check", "-q", "."), {}),
        ("ruff format", ("-m", "ruff", "format", "-q", "--check", "."), {}),
        ("mypy", ("-m", "mypy", "--no-error-summary"), test),
        ("migrations", ("-W", "ignore", "manage.py", "makemigrations", "--check", "--dry-run"), test),
        ("deploy", ("manage.py", "check", "--deploy", "--fail-level", "WARNING"), production),
        ("architecture", ("-m", "pytest", "-q", "--no-header", "tests/test_architecture.py"), test),
    ]


def _passes(name: str, words: tuple[str, ...], environ: dict[str, str]) -> bool:
    done = _run(words, environ)
    print(f"{'ok' if done.returncode == 0 else 'FAILED':8} {name}", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0


def _audit_passes() -> bool:
    """Known vulnerabilities in what is pinned; where their database cannot be reached, that is said and nothing failed."""
    done = _run((*AUDIT, "-r", "requirements-dev.txt"), {})
    if done.returncode and any(word in done.stderr for word in UNREACHABLE):
        print("skipped  pip-audit: its database cannot be reached from here", flush=True)
        return True
    print(f"{'ok' if done.returncode == 0 else 'FAILED':8} pip-audit", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0


def _run(words: tuple[str, ...], environ: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run(
        python(*words),
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
