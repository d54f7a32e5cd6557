"""Parse the URLs of the servers that the site uses: database, broker, email, text messages.

Pure. Unknown parameters are rejected, so that a typo cannot silently turn encryption off. Error messages never repeat a
part of a URL that may be a password.
"""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypedDict
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")

# Query parameters of DATABASE_URL: libpq's, without those that the settings or other parts of the URL set.
LIBPQ_PARAMETERS = (
    *("host", "port", "hostaddr", "application_name", "connect_timeout", "tcp_user_timeout", "passfile"),
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
    *("sslmode", "sslnegotiation", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir", "sslcertmode"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "channel_binding", "require_auth", "gssencmode"),
    *("target_session_attrs", "load_balance_hosts"),
)
REDIS_TLS_PARAMETERS = ("ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


@dataclass(frozen=True)
class EmailServer:
    host: str
    port: int
    username: str
    password: str
    use_tls: bool
    use_ssl: bool
    provider: str = "smtp"  # or "mailgun", "postmark": username is the API key, host Mailgun's sending domain
    may_be_unencrypted: bool = False  # if the operator chose ?tls=0

    @property
    def exposes_password(self) -> bool:
        """Whether the password would leave this machine unencrypted although the operator did not choose that."""
        is_encrypted = self.use_tls or self.use_ssl or _is_loopback(self.host)
        return bool(self.password) and not is_encrypted and not self.may_be_unencrypted

    @property
    def mailer(self) -> dict[str, object]:
        """An entry for Django's MAILERS."""
        options: dict[str, object]
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
    """The text message provider, and the sender's number (E.164)."""

    provider: str  # "twilio" or "console"
    account: str
    token: str
    sender: str
    api: str  # empty: the provider's own


def parse_flag(text: str) -> bool:
    """Parse 1/0, true/false, yes/no or on/off, in any letter case. Raises ValueError for anything else."""
    word = text.strip().lower()
    if word not in YES + NO:
        raise ValueError("must be 1 or 0 (or true/false, yes/no, on/off).")
    return word in YES


def _split_url(text: str, schemes: Collection[str], *, example: str) -> SplitResult:
    """Split a URL. Raises ValueError for a scheme not in `schemes`, a bad port, or an unescaped character.

    The message does not quote the URL.
    """
    fault = f"must look like {example} (in a user name or password write / ? # @ : as %2F %3F %23 %40 %3A)."
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises ValueError for a bad port
    except ValueError:
        raise ValueError(fault) from None
    if parts.scheme not in schemes or parts.fragment:
        raise ValueError(fault)
    return parts


def _read_query(parts: SplitResult, known: Collection[str]) -> dict[str, str]:
    """Parse the query of a URL. Raises ValueError for a parameter that is unknown, empty or given twice."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        named = name if name.isidentifier() else "one that is not a name"  # may be part of a password
        if name not in known:
            raise ValueError(f"has an unknown parameter after its ?: {named}. Known: {', '.join(known) or 'none'}.")
        if name in found or not value:
            raise ValueError(f"has an empty or repeated parameter after its ?: {named}.")
        found[name] = value
    return found


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Database(TypedDict):
    """Connection settings of the database, as in Django's DATABASES."""

    NAME: str
    USER: str
    PASSWORD: str
    HOST: str
    PORT: str
    OPTIONS: dict[str, str]


def parse_database_url(text: str) -> Database:
    """Parse `postgresql://user:password@host:port/name?host=/socket/folder` into Django's database settings.

    Raises ValueError.
    """
    example = "postgresql://user:password@host:5432/name"
    parts = _split_url(text, ("postgres", "postgresql"), example=example)
    if len(parts.path) < 2:
        raise ValueError(f"must look like {example}.")
    query = _read_query(parts, LIBPQ_PARAMETERS)
    host = query.pop("host", None) or parts.hostname or ""
    return {
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": query.pop("port", "") or str(parts.port or ""),
        "OPTIONS": query,
    }


def parse_redis_url(text: str) -> str:
    """Return the URL for Celery. Raises ValueError if it is malformed.

    Over rediss:// the server's certificate is verified unless the URL disables that.
    """
    example = "redis://:password@host:6379/0"
    parts = _split_url(text, ("redis", "rediss", "redis+socket"), example=example)
    if parts.scheme == "redis+socket":
        _read_query(parts, ("virtual_host",))
        return text
    if not parts.hostname or not re.fullmatch(r"/?\d*", parts.path):
        raise ValueError(f"must look like {example}.")
    query = _read_query(parts, REDIS_TLS_PARAMETERS if parts.scheme == "rediss" else ())
    wanted = query.setdefault("ssl_cert_reqs", "required").removeprefix("CERT_").lower()
    if wanted not in ("required", "optional", "none"):
        raise ValueError("has a bad parameter after its ?: ssl_cert_reqs must be required, optional or none.")
    return parts._replace(query=urlencode(query)).geturl() if parts.scheme == "rediss" else text


def parse_email_url(text: str) -> EmailServer:
    """Parse `smtp://user:password@host:port?tls=1`, `smtps://…`, `mailgun://key@domain` or `postmark://token@api`.

    Raises ValueError.
    """
    example = "smtp://user:password@host:587?tls=1"
    parts = _split_url(text, ("smtp", "smtps", "mailgun", "postmark"), example=example)
    if not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"must look like {example}.")
    query = _read_query(parts, ("tls",) if parts.scheme == "smtp" else ())
    if parts.scheme in ("mailgun", "postmark"):
        if not parts.username:
            raise ValueError(f"must look like {parts.scheme}://key@domain.")
        return EmailServer(parts.hostname, 443, unquote(parts.username), "", False, True, provider=parts.scheme)
    try:
        use_tls = parse_flag(query["tls"]) if query else False
    except ValueError as fault:
        raise ValueError(f"has a bad parameter after its ?: tls {fault}") from None
    use_ssl = parts.scheme == "smtps"
    return EmailServer(
        host=parts.hostname,
        port=parts.port or (465 if use_ssl else 25),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_tls=use_tls,
        use_ssl=use_ssl,
        may_be_unencrypted=bool(query) and not use_tls,
    )


def parse_sms_url(text: str) -> Texts | None:
    """Parse `twilio://account:token@16035550100`, `console:`, or an empty string for no text messages.

    Raises ValueError.
    """
    if not text:
        return None
    example = "twilio://account:token@16035550100"
    parts = _split_url(text, ("twilio", "console"), example=example)
    query = _read_query(parts, ("api",) if parts.scheme == "twilio" else ())
    if parts.scheme == "console":
        return Texts("console", "", "", "", "")
    number = (parts.hostname or "").removeprefix("+")
    if not parts.username or not parts.password or not number.isdigit() or parts.path not in ("", "/"):
        raise ValueError(f"must look like {example}.")
    api = query.get("api", "")
    return Texts("twilio", unquote(parts.username), unquote(parts.password), f"+{number}", api)
