"""`make check`: everything that can be said without running the site. Each check runs, even after one has failed."""

import base64
import json
import os
import re
import secrets
import subprocess
import urllib.request

from clinic.local.folder import ROOT
from clinic.local.servers import python

AUDIT_DATABASE = "https://pypi.org/pypi/django/{version}/json"  # where pip-audit asks about each pinned version
# Nothing answers there; these checks ask no server. The keys are made for one run.
LOOK_LIKE_PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": secrets.token_urlsafe(64),
    "DATABASE_URL": "postgresql://clinic@127.0.0.1:9/clinic",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "ALLOWED_HOSTS": "clinic.example",
    "SITE_URL": "https://clinic.example",
    "EMAIL_URL": "smtp://127.0.0.1:9",
    "EMAIL_FROM": "Clinic <hello@clinic.example>",
    "ENCRYPTION_KEYS": "check:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "BEHIND_PROXY": "1",
}
IN_TEST = {**LOOK_LIKE_PRODUCTION, "ENVIRONMENT": "test"}


def check() -> int:
    """Run all checks. Returns 1 if one failed."""
    checks = {
        "ruff check": (("-m", "ruff", "check", "-q", "."), {}),
        "ruff format": (("-m", "ruff", "format", "-q", "--check", "."), {}),
        "migrations": (("-W", "ignore", "manage.py", "makemigrations", "--check", "--dry-run"), IN_TEST),
        "deploy": (("manage.py", "check", "--deploy", "--fail-level", "WARNING"), LOOK_LIKE_PRODUCTION),
        "architecture": (("-m", "pytest", "-q", "--no-header", "tests/test_architecture.py"), IN_TEST),
    }
    if _audit_can_run():
        checks["pip-audit"] = (
            ("-m", "pip_audit", "--disable-pip", "--require-hashes", "-r", "requirements-dev.txt"),
            {},
        )
    else:
        print("skipped  pip-audit: its database cannot be reached from here", flush=True)
    failed = [name for name, (words, environ) in checks.items() if not _passes(name, words, environ)]
    print(
        f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}"
        if failed
        else f"All {len(checks)} checks passed."
    )
    return 1 if failed else 0


def _passes(name: str, words: tuple[str, ...], environ: dict[str, str]) -> bool:
    done = subprocess.run(
        python(*words),
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    print(f"{'ok' if done.returncode == 0 else 'FAILED':8} {name}", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0


def _audit_can_run() -> bool:
    """Whether the database knows of vulnerabilities; a mirror may answer without them, and then nothing is audited."""
    pinned = re.search(r"^django==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)[1]
    try:
        with urllib.request.urlopen(AUDIT_DATABASE.format(version=pinned), timeout=5) as answer:
            return "vulnerabilities" in json.load(answer)
    except (OSError, ValueError):
        return False
