"""The data of Today for a member of staff who may see all of it."""

from types import SimpleNamespace
from typing import Any

from clinic.outbox.today import TEXTS
from clinic.practice.models import Clinic, User
from clinic.practice.registry.today import sections


def read_today(*, now) -> SimpleNamespace:
    """Return the data of all sections but the texts, which are noted as read, as of `now`."""
    clinic, reader = Clinic.objects.current(), User(is_superuser=True)
    found: dict[str, Any] = {"flagged": [], "failed_messages": [], "overdue_messages": []}
    for section in sections():
        if section != TEXTS:
            found |= section.read(now=now, clinic=clinic, by=reader) or {}
    return SimpleNamespace(**found)
