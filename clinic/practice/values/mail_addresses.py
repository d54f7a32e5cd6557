"""Convert email addresses between the typed form and the stored form, whose domain is ASCII (IDNA 2008). Pure."""

import re

import idna

from clinic.practice.values.names import INVISIBLE, INVISIBLE_ENDS

LONGEST, LONGEST_LOCAL, LONGEST_LABEL = 254, 64, 63  # RFC 5321 §4.5.3.1, RFC 1035 §2.3.4
_LOCAL = re.compile(r"[-!#$%&'*+/=?^_`{}|~0-9A-Za-z]+(\.[-!#$%&'*+/=?^_`{}|~0-9A-Za-z]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
LONGEST_TYPED = 1000  # characters; a longer text is rejected without parsing
_TOO_LONG = f"This address is too long: mail servers take {LONGEST} characters at most."
_COMMON = "Enter an email address like name@example.com."


class AddressInvalid(ValueError):
    """The address is invalid. The message says why, for the reader, and does not repeat the address."""


def clean_address(text: str) -> str:
    """Return the address in `text` with its domain in lowercase ASCII: "alice@faß.de" becomes "alice@xn--fa-hia.de".

    Python's codec and Django's mail code use IDNA 2003, which turns "faß.de" into another domain. Both leave an ASCII
    domain unchanged. The part before the @ keeps its letter case. Raises AddressInvalid.
    """
    if len(text) > LONGEST_TYPED:
        raise AddressInvalid(_TOO_LONG)
    address = INVISIBLE_ENDS.sub("", text)
    if INVISIBLE.search(address):
        raise AddressInvalid("There is an invisible character in this address. Type it again instead of pasting it.")
    local, at, domain = address.rpartition("@")
    if not (at and local and domain) or re.search(r"\s", address):
        raise AddressInvalid(_COMMON)
    _check_local(local)
    address = f"{local}@{_ascii_domain(domain.translate(_DOTS))}"
    if len(address) > LONGEST:
        raise AddressInvalid(_TOO_LONG)
    return address


def normalize_address(text: str) -> str:
    """Return `clean_address(text)`, or `text` without surrounding whitespace if it is not an address."""
    try:
        return clean_address(text)
    except AddressInvalid:
        return text.strip()


def readable_address(address: str) -> str:
    """Return `address` with its domain decoded to Unicode. An ASCII or malformed domain is unchanged."""
    local, at, domain = address.rpartition("@")
    if "xn--" not in domain:
        return address
    try:
        return f"{local}{at}{idna.decode(domain)}"
    except idna.IDNAError:
        return address


def _check_local(local: str) -> None:
    if not local.isascii():
        raise AddressInvalid(
            "The part before the @ can have only letters a to z (no accents), digits, and symbols such as . _ + -"
        )
    if len(local) > LONGEST_LOCAL:
        raise AddressInvalid(
            f"The part before the @ is too long: mail servers take {LONGEST_LOCAL} characters at most."
        )
    if not _LOCAL.fullmatch(local):
        raise AddressInvalid(_COMMON)


def _ascii_domain(domain: str) -> str:
    labels = domain.lower().split(".")
    if domain.isascii() and any(len(label) > LONGEST_LABEL for label in labels):
        raise AddressInvalid(
            f"The part after the @ has a word of more than {LONGEST_LABEL} characters. Please check it."
        )
    if not domain.isascii() or any(label.startswith("xn--") for label in labels):
        labels = _encode(domain).split(".")
    is_plain = len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)
    if not is_plain or labels[-1].isdigit() or len(labels[-1]) < 2:
        raise AddressInvalid(_COMMON)
    return ".".join(labels)


def _encode(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True, transitional=False).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        raise AddressInvalid("The part after the @ is not a name that mail can go to. Please check it.") from None
