"""The sections of Today about the set-up of the clinic and the cleanup of expired data."""

from datetime import datetime
from typing import Any

from django.urls import reverse

from clinic.practice.cleanup_runs import cleanup_overdue_since
from clinic.practice.models import Clinic, Therapist, User
from clinic.practice.registry.today import Group, Place, Section, register_section


def register_sections() -> None:
    """Register the sections of this room."""
    register_section(SET_UP)
    register_section(EXPIRED_DATA)


def read_set_up(
    *, now: datetime, clinic: Clinic, by: User, therapist: Therapist | None = None
) -> dict[str, Any] | None:
    """Read what patients miss as long as it is not filled in. At most one query."""
    own, people = reverse("admin:practice_clinic_changelist"), reverse("admin:practice_therapist_changelist")
    missing = [
        ("Enter the clinic’s phone number: patients who are late or worried need it", own, not clinic.phone),
        ("Enter the clinic’s email address: replies to messages go there", own, not clinic.email),
        ("Enter the street and the town, so that patients find you", own, not (clinic.street and clinic.city)),
        ("Add a therapist who sees patients: no one can be booked", people, not Therapist.objects.active().exists()),
    ]
    items = [(text, address) for text, address, is_missing in missing if is_missing]
    return {"open_title": "Set-up", "open_items": items} if items else None


def read_expired_data(
    *, now: datetime, clinic: Clinic, by: User, therapist: Therapist | None = None
) -> dict[str, Any] | None:
    """Read when the last cleanup ran, if that is too long ago."""
    since = cleanup_overdue_since(now=now)
    return {"no_cleanup_since": since} if since else None


SET_UP = Section(
    permissions=("practice.change_clinic",),
    read=read_set_up,
    places=(Place("admin/_today_open.html", Group.OPEN, 122),),
)
EXPIRED_DATA = Section(
    permissions=("practice.view_cleanuprun",),
    read=read_expired_data,
    places=(Place("admin/_today_cleanup.html", Group.OPEN, 130),),
)
