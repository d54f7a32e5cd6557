"""What the project reads from its environment, and nothing else reads it.

Pure: takes a mapping, returns a frozen `Environment` or raises `EnvironmentInvalid`, which names every missing or
wrong variable at once. Production is the default, so that forgetting to say what a machine is can only fail loudly.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

LOCAL_SECRET_KEY = "local-only-" + "0" * 50
LOCAL_ENCRYPTION_KEY = "local:" + base64.urlsafe_b64encode(b"runclinic-local-encryption-key!!").decode()


class EnvironmentInvalid(Exception):
    """One or more variables are missing or malformed; the message has one line for each."""


@dataclass(frozen=True)
class Variable:
    """One row of the configuration table in the README."""

    name: str
    meaning: str
    example: str
    local_default: str | None  # None: needed everywhere; production always needs what is_required says
    is_required: bool = True


VARIABLES = (
    Variable("ENVIRONMENT", "production, local or test; production when unset", "production", "local", False),
    Variable("SECRET_KEY", "signs sessions and forms; 50 or more random characters", "…", LOCAL_SECRET_KEY),
    Variable("DATABASE_URL", "the Postgres database", "postgresql://clinic:…@db/clinic", None),
    Variable("REDIS_URL", "the Redis or Valkey that carries Celery's wake-ups", "redis://:…@redis:6379/0", None),
    Variable(
        "ALLOWED_HOSTS",
        "host names the site answers to, comma-separated",
        "clinic.example",
        "localhost,127.0.0.1,[::1]",
    ),
    Variable(
        "SITE_URL",
        "where links in messages point, without a final slash",
        "https://clinic.example",
        "http://127.0.0.1:8000",
    ),
    Variable(
        "EMAIL_URL",
        "the SMTP server (smtps:// for TLS at once, ?tls=1 for STARTTLS), or mailgun://key@domain, or postmark://token@api",
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
        "what proves that a bounce is the provider's: Mailgun's signing key, or user:password for Postmark",
        "…",
        "",
        False,
    ),
    Variable(
        "SMS_URL",
        "who carries text messages: twilio://account:token@number, or console: on one's own machine; empty for none",
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
    Variable("BEHIND_PROXY", "1 if a proxy ends TLS and sets X-Forwarded-Proto and X-Forwarded-For", "1", "0", False),
    Variable("MAILBOX_DIR", "local only: the folder whose messages /_mail/ shows", "", "", False),
)


@dataclass(frozen=True)
class EmailServer:
    host: str
    port: int
    username: str
    password: str
    use_tls: bool
    use_ssl: bool
    provider: str = "smtp"  # or "mailgun", "postmark": the host is then the sending domain, the username the key

    @property
    def mailer(self) -> dict[str, object]:
        """As Django's MAILERS has it."""
        if self.provider == "mailgun":
            options = {"api_key": self.username, "sender_domain": self.host}
            return {"BACKEND": "anymail.backends.mailgun.EmailBackend", "OPTIONS": options}
        if self.provider == "postmark":
            return {"BACKEND": "anymail.backends.postmark.EmailBackend", "OPTIONS": {"server_token": self.username}}
        options = {
            "host": self.host,
            "port": self.port,
            "username": self.username,
            "password": self.password,
            "use_tls": self.use_tls,
            "use_ssl": self.use_ssl,
            "timeout": 20,
        }
        return {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}


@dataclass(frozen=True)
class Texts:
    """Who carries text messages, and from which number (E.164)."""

    provider: str  # "twilio" or "console"
    account: str
    token: str
    sender: str
    api: str  # empty: the provider's own


@dataclass(frozen=True)
class Environment:
    """Everything the settings need, checked and parsed."""

    name: str  # production, local or test
    secret_key: str
    database: dict[str, object]  # NAME, USER, PASSWORD, HOST, PORT
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

    @property
    def is_production(self) -> bool:
        return self.name == "production"


def read_environment(environ: Mapping[str, str]) -> Environment:
    """Parse `environ`. Raises EnvironmentInvalid with a line for each fault."""
    name = environ.get("ENVIRONMENT", "production")
    if name not in ("production", "local", "test"):
        raise EnvironmentInvalid(f"ENVIRONMENT is {name!r}; it must be production, local or test.")
    values = _read_values(environ, is_production=name == "production")
    faults: list[str] = []

    def parse(variable, parser):
        try:
            return parser(values[variable])
        except ValueError as error:
            faults.append(f"{variable} {error}")

    environment = Environment(
        name=name,
        secret_key=parse("SECRET_KEY", _parse_secret),
        database=parse("DATABASE_URL", parse_database_url),
        redis_url=parse("REDIS_URL", _parse_redis_url),
        allowed_hosts=parse("ALLOWED_HOSTS", _parse_hosts),
        site_url=parse("SITE_URL", _parse_site_url),
        email=parse("EMAIL_URL", parse_email_url),
        email_from=values["EMAIL_FROM"],
        email_webhook_key=values["EMAIL_WEBHOOK_KEY"],
        texts=parse("SMS_URL", parse_sms_url),
        encryption_keys=parse("ENCRYPTION_KEYS", parse_encryption_keys),
        is_behind_proxy=values["BEHIND_PROXY"] in ("1", "true", "yes"),
        mailbox_dir=values["MAILBOX_DIR"],
    )
    if name == "production":
        faults += _local_leftovers(environment)
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


def _local_leftovers(environment: Environment) -> list[str]:
    faults = []
    if environment.secret_key == LOCAL_SECRET_KEY:
        faults.append("SECRET_KEY is the local one, which anybody can read.")
    if environment.encryption_keys and "local" in environment.encryption_keys:
        faults.append("ENCRYPTION_KEYS holds the local key, which anybody can read.")
    if environment.mailbox_dir:
        faults.append("MAILBOX_DIR is for local use; in production it would show patients' mail.")
    if environment.texts and (environment.texts.provider == "console" or environment.texts.api):
        faults.append("SMS_URL names a provider for local use; texts would reach nobody.")
    if environment.site_url and not environment.site_url.startswith("https://"):
        faults.append("SITE_URL must start with https:// in production.")
    return faults


def _parse_secret(text: str) -> str:
    if len(text) < 50:
        raise ValueError("has fewer than 50 characters.")
    return text


def parse_database_url(text: str) -> dict[str, object]:
    """`postgresql://user:password@host:port/name?host=/socket/folder` as Django's database settings."""
    parts = urlsplit(text)
    if parts.scheme not in ("postgres", "postgresql") or len(parts.path) < 2:
        raise ValueError("must look like postgresql://user:password@host:5432/name.")
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", None) or parts.hostname or ""
    return {
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "OPTIONS": query,
    }


def _parse_redis_url(text: str) -> str:
    if urlsplit(text).scheme not in ("redis", "rediss", "unix", "redis+socket"):
        raise ValueError("must look like redis://:password@host:6379/0.")
    return text


def _parse_hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(host.strip() for host in text.split(",") if host.strip())
    if "*" in hosts:
        raise ValueError("must name the hosts; * would let anybody forge links.")
    return hosts


def _parse_site_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or text.endswith("/"):
        raise ValueError("must look like https://clinic.example, without a final slash.")
    return text


def parse_email_url(text: str) -> EmailServer:
    """`smtp://user:password@host:port?tls=1`, `smtps://…`, `mailgun://key@domain` or `postmark://token@api`."""
    parts = urlsplit(text)
    if parts.scheme not in ("smtp", "smtps", "mailgun", "postmark") or not parts.hostname:
        raise ValueError("must look like smtp://user:password@host:587?tls=1.")
    if parts.scheme in ("mailgun", "postmark"):
        if not parts.username:
            raise ValueError(f"must look like {parts.scheme}://key@domain.")
        return EmailServer(parts.hostname, 443, unquote(parts.username), "", False, True, provider=parts.scheme)
    use_ssl = parts.scheme == "smtps"
    return EmailServer(
        host=parts.hostname,
        port=parts.port or (465 if use_ssl else 25),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_tls=dict(parse_qsl(parts.query)).get("tls") == "1",
        use_ssl=use_ssl,
    )


def parse_sms_url(text: str) -> Texts | None:
    """`twilio://account:token@16035550100`, `console:`, or nothing for no text messages."""
    if not text:
        return None
    parts = urlsplit(text)
    if parts.scheme == "console":
        return Texts("console", "", "", "", "")
    number = (parts.hostname or "").removeprefix("+")
    if parts.scheme != "twilio" or not parts.username or not parts.password or not number.isdigit():
        raise ValueError("must look like twilio://account:token@16035550100.")
    api = dict(parse_qsl(parts.query)).get("api", "")
    return Texts("twilio", unquote(parts.username), unquote(parts.password), f"+{number}", api)


def parse_encryption_keys(text: str) -> dict[str, bytes]:
    """`id:base64,id:base64`, newest first, each 32 bytes."""
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        key_id, _, encoded = part.strip().partition(":")
        try:
            key = base64.urlsafe_b64decode(encoded)
        except binascii.Error:
            key = b""
        if not key_id or len(key) != 32:
            raise ValueError("must be id:base64 of 32 bytes, several separated by commas.")
        keys[key_id] = key
    return keys
