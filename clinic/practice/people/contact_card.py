"""The clinic's name and phone, cached outside the database for the pages that are shown during an outage.

They are kept in memory, and in a small file (in settings.STATE_DIRECTORY) for processes that start during an outage.
The file holds nothing about patients or staff.
"""

import json
import logging
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from clinic.practice.models import Clinic

logger = logging.getLogger(__name__)

FILE_NAME = "clinic.json"


@dataclass(frozen=True)
class ContactCard:
    """The clinic's contact details for visitors. An empty string means unknown."""

    name: str = ""
    phone: str = ""  # E.164
    country: str = "US"
    emergency_number: str = "911"


_current: ContactCard | None = None
_is_warned = False


def remember_contact(clinic: Clinic) -> Clinic:
    """Keep the contact details of a saved `clinic`. Writes the file only if they changed. Returns `clinic`."""
    global _current
    card = ContactCard(clinic.name, clinic.phone, clinic.country, clinic.emergency_number)
    if not clinic._state.adding and card != _current:
        _current = card
        _write(card)
    return clinic


def last_contact() -> ContactCard:
    """Return the card last kept by this process, else the one in the file, else an empty one. No query."""
    global _current
    _current = _current or _read()
    return _current or ContactCard()


def _file() -> Path | None:
    return Path(settings.STATE_DIRECTORY) / FILE_NAME if settings.STATE_DIRECTORY else None


def _read() -> ContactCard | None:
    path = _file()
    try:
        return ContactCard(**json.loads(path.read_text())) if path else None
    except (OSError, ValueError, TypeError):  # not written yet, or damaged
        return None


def _write(card: ContactCard) -> None:
    """Replace the file atomically. The site works without it, so an unwritable folder is only logged, once."""
    global _is_warned
    if (path := _file()) is None or _read() == card:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False) as file:
            json.dump(asdict(card), file)
        os.replace(file.name, path)
    except OSError as fault:
        if not _is_warned:
            logger.warning("STATE_DIRECTORY: %s; after a restart without the database no page has the phone", fault)
        _is_warned = True
