"""Read the configuration from environment variables. No other module reads them.

Pure. `EnvironmentInvalid` names every missing or every malformed variable at once. Production is the default, so that a
forgotten ENVIRONMENT fails loudly. An unknown value of a flag is rejected, not treated as "no". Error messages do not
repeat values that may be secret.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from clinic.service_urls import (
    Database,
    EmailServer,
    Texts,
    parse_database_url,
    parse_email_url,
    parse_flag,
    parse_redis_url,
    parse_sms_url,
)

LOCAL_SECRET_KEY = "local-only-" + "0" * 50
LOCAL_ENCRYPTION_KEY = "local:" + base64.urlsafe_b64encode(b"runclinic-local-encryption-key!!").decode()
KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,60}")


class EnvironmentInvalid(Exception):
    """Variables are missing, malformed or unsafe in production. The message has one line for each problem."""


@dataclass(frozen=True)
class Variable:
    """One row of the configuration table in the README."""

    name: str
    meaning: str
    example: str
    local_default: str | None  # outside production; None: required there too, except EMAIL_URL
    is_required: bool = True


VARIABLES = (
    Variable("ENVIRONMENT", "production, local or test; production when unset", "production", "local", False),
    Variable("SECRET_KEY", "signs sessions and forms; 50 or more random characters", "…", LOCAL_SECRET_KEY),
    Variable("DATABASE_URL", "the Postgres database", "postgresql://clinic:…@db/clinic", None),
    Variable(
        "MIGRATION_DATABASE_URL",
        "the same database as the role that owns its tables, for migrate and grant_access; when unset, the site's role owns them and could change the audit log",
        "postgresql://clinic-owner:…@db/clinic",
        "",
        False,
    ),
    Variable("REDIS_URL", "the Redis or Valkey that carries Celery's wake-ups", "redis://:…@redis:6379/0", None),
    Variable(
        "ALLOWED_HOSTS",
        "host names the site answers to, comma-separated",
        "clinic.example",
        "localhost,127.0.0.1,[::1]",
    ),
    Variable(
        "SITE_URL",
        "the base of links in messages, without a final slash",
        "https://clinic.example",
        "http://127.0.0.1:8000",
    ),
    Variable(
        "EMAIL_URL",
        "the SMTP server (smtps:// for TLS at once, ?tls=1 for STARTTLS, ?tls=0 to send a password unencrypted), or mailgun://key@domain, or postmark://token@api",
        "smtp://user:…@mail:587?tls=1",
        None,
    ),
    Variable(
        "EMAIL_FROM",
        "the From address of every message",
        "Lakes Clinic <hello@clinic.example>",
        "Runclinic <hello@clinic.invalid>",
    ),
    Variable(
        "EMAIL_WEBHOOK_KEY",
        "authenticates the provider's bounce webhook: Mailgun's signing key, or user:password for Postmark",
        "…",
        "",
        False,
    ),
    Variable(
        "SMS_URL",
        "the text message provider: twilio://account:token@number, or console: for local use; empty for none",
        "twilio://AC…:…@16035550100",
        "",
        False,
    ),
    Variable(
        "ENCRYPTION_KEYS",
        "keys for patients' answers, id:base64 of 32 bytes, newest first, comma-separated",
        "2026a:…",
        LOCAL_ENCRYPTION_KEY,
    ),
    Variable(
        "BEHIND_PROXY",
        "1 (true, yes, on) if a proxy ends TLS and sets X-Forwarded-Proto and X-Forwarded-For, else 0",
        "1",
        "0",
        False,
    ),
    Variable(
        "STATE_DIRECTORY",
        "a folder that the web process may write, for the clinic's name and phone while the database is away; set by systemd, var/state in the site's folder when unset",
        "/var/lib/runclinic",
        "",
        False,
    ),
    Variable("MAILBOX_DIR", "local only: the Maildir whose messages /_mail/ shows", "", "", False),
)


@dataclass(frozen=True)
class Environment:
    """The values that the settings need, checked and parsed."""

    name: str  # production, local or test
    secret_key: str
    database: Database
    owner_database: Database | None  # None: the role of `database` owns the tables
    redis_url: str
    allowed_hosts: tuple[str, ...]
    site_url: str
    email: EmailServer
    email_from: str
    email_webhook_key: str
    texts: Texts | None  # None: no text messages
    encryption_keys: dict[str, bytes]  # newest first
    is_behind_proxy: bool
    mailbox_dir: str
    state_directory: str  # empty: the default of the settings

    @property
    def is_production(self) -> bool:
        return self.name == "production"


def read_environment(environ: Mapping[str, str]) -> Environment:
    """Parse `environ`. Raises EnvironmentInvalid with one line per problem."""
    name = environ.get("ENVIRONMENT", "production")
    if name not in ("production", "local", "test"):
        raise EnvironmentInvalid(f"ENVIRONMENT is {name!r}; it must be production, local or test.")
    values = _read_values(environ, is_production=name == "production")
    faults: list[str] = []

    def parse(variable: str, parser: Callable[[str], Any]) -> Any:
        try:
            return parser(values[variable])
        except ValueError as error:
            faults.append(f"{variable} {error}")

    environment = Environment(
        name=name,
        secret_key=parse("SECRET_KEY", _parse_secret),
        database=parse("DATABASE_URL", parse_database_url),
        owner_database=parse("MIGRATION_DATABASE_URL", lambda text: parse_database_url(text) if text else None),
        redis_url=parse("REDIS_URL", parse_redis_url),
        allowed_hosts=parse("ALLOWED_HOSTS", _parse_hosts),
        site_url=parse("SITE_URL", _parse_site_url),
        email=parse("EMAIL_URL", parse_email_url),
        email_from=values["EMAIL_FROM"],
        email_webhook_key=values["EMAIL_WEBHOOK_KEY"],
        texts=parse("SMS_URL", parse_sms_url),
        encryption_keys=parse("ENCRYPTION_KEYS", parse_encryption_keys),
        is_behind_proxy=parse("BEHIND_PROXY", lambda text: parse_flag(text or "0")),
        mailbox_dir=values["MAILBOX_DIR"],
        state_directory=values["STATE_DIRECTORY"],
    )
    if name == "production":
        faults += _unsafe_in_production(environment)
    if faults:
        raise EnvironmentInvalid("\n".join(faults))
    return environment


def _read_values(environ: Mapping[str, str], *, is_production: bool) -> dict[str, str]:
    values, missing = {}, []
    for variable in VARIABLES:
        value = environ.get(variable.name, "")
        if not value and not is_production and variable.local_default is not None:
            value = variable.local_default
        if not value and not is_production and variable.name == "EMAIL_URL":
            value = "smtp://127.0.0.1:1025"
        if not value and variable.is_required:
            missing.append(f"{variable.name} is not set: {variable.meaning}, for example {variable.example}")
        values[variable.name] = value
    if missing:
        raise EnvironmentInvalid("\n".join(missing))
    return values


def _unsafe_in_production(environment: Environment) -> list[str]:
    faults = []
    if environment.secret_key == LOCAL_SECRET_KEY:
        faults.append("SECRET_KEY is the local one, which is public.")
    if environment.encryption_keys and "local" in environment.encryption_keys:
        faults.append("ENCRYPTION_KEYS has the local key, which is public.")
    if environment.mailbox_dir:
        faults.append("MAILBOX_DIR is for local use; in production it would show patients' mail.")
    if environment.texts and (environment.texts.provider == "console" or environment.texts.api):
        faults.append("SMS_URL names a provider for local use; no text would be sent.")
    if environment.email and environment.email.exposes_password:
        faults.append(
            "EMAIL_URL would send its password unencrypted: add ?tls=1 or use smtps://, or add ?tls=0 to send it anyway."
        )
    if environment.site_url and not environment.site_url.startswith("https://"):
        faults.append("SITE_URL must start with https:// in production.")
    return faults


def _parse_secret(text: str) -> str:
    if len(text) < 50:
        raise ValueError("has fewer than 50 characters.")
    return text


def _parse_hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(host.strip() for host in text.split(",") if host.strip())
    if "*" in hosts:
        raise ValueError("must name the hosts; * would allow forged links.")
    return hosts


def _parse_site_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or text.endswith("/"):
        raise ValueError("must look like https://clinic.example, without a final slash.")
    return text


def parse_encryption_keys(text: str) -> dict[str, bytes]:
    """Parse `id:base64,id:base64`, newest first, each key 32 bytes long.

    An id has letters, digits, dots, dashes and underscores (KEY_ID). Raises ValueError for a malformed or repeated key.
    """
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        key_id, _, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not KEY_ID.fullmatch(key_id) or len(key) != 32:
            raise ValueError("must be id:base64 of 32 bytes, several separated by commas.")
        if key_id in keys:
            raise ValueError(f"has two keys of the id {key_id}; each needs its own.")
        keys[key_id] = key
    return keys
