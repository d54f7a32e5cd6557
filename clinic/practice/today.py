"""The section of Today about the cleanup of expired data."""

from datetime import datetime
from typing import Any

from clinic.practice.cleanup_runs import cleanup_overdue_since
from clinic.practice.models import Clinic, User
from clinic.practice.registry.today import Place, Section, register_section


def register_sections() -> None:
    """Register the section of this room."""
    register_section(EXPIRED_DATA)


def read_expired_data(*, now: datetime, clinic: Clinic, by: User) -> dict[str, Any] | None:
    """Read when the last cleanup ran, if that is too long ago."""
    since = cleanup_overdue_since(now=now)
    return {"no_cleanup_since": since} if since else None


EXPIRED_DATA = Section(
    permissions=("practice.view_cleanuprun",),
    read=read_expired_data,
    places=(Place("admin/_today_cleanup.html", 130, in_columns=True),),
)
