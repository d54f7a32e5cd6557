"""The data of Today for a member of staff who may see all of it."""

from types import SimpleNamespace
from typing import Any

from clinic.practice.models import Clinic, User
from clinic.practice.registry.today import sections

ROWS = ("cannot_come", "to_call", "unmarked")


def read_today(*, now) -> SimpleNamespace:
    """Return the data of all sections, as of `now`, with the visits of the rows in ROWS."""
    clinic, reader = Clinic.objects.current(), User(is_superuser=True)
    found: dict[str, Any] = {"flagged": [], "failed_messages": [], "overdue_messages": [], "nothing_sent_since": None}
    for section in sections():
        found |= section.read(now=now, clinic=clinic, by=reader, therapist=None) or {}
    return SimpleNamespace(**found | {name: [row.appointment for row in found[name]] for name in ROWS})
