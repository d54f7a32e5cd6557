"""The sections of Today about flags, calls that patients asked for, and the rules to be signed off."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.urls import reverse

from assessments.models import Flag, FlagFollowUp, Level, Reached
from assessments.red_flags.alerts import where_alerts_go
from assessments.red_flags.definitions import read_rules
from assessments.red_flags.sign_off import find_sign_off
from clinic.practice.models import Clinic, Therapist, User
from clinic.practice.registry.rights import may_see
from clinic.practice.registry.today import Group, Place, Section, register_section


def register_sections() -> None:
    """Register the sections of this room."""
    register_section(ALERTS_LOST)
    register_section(FETCH_A_THERAPIST)
    register_section(FLAGS)
    register_section(SIGN_OFF)


@dataclass(frozen=True)
class FlaggedIntake:
    """The open flags of one intake, worst first. `is_late`: at least one is overdue for review."""

    flags: list[Flag]
    is_late: bool

    @property
    def worst(self) -> Flag:
        return self.flags[0]

    @property
    def counts(self) -> list[tuple[Flag, int]]:
        """For each level of the current flags, worst first: its first flag, and the number of its flags."""
        levels = groupby(self.current, attrgetter("level"))
        return [(group[0], len(group)) for _, rows in levels if (group := list(rows))]

    @property
    def current(self) -> list[Flag]:
        """The flags that the answers still raise."""
        return [flag for flag in self.flags if flag.current_level]

    @property
    def withdrawn(self) -> int:
        """The number of flags that a changed answer no longer raises."""
        return len(self.flags) - len(self.current)

    @property
    def first_raised_at(self) -> datetime:
        return min(flag.raised_at for flag in self.flags)

    @property
    def is_emergency(self) -> bool:
        return any(flag.is_open_emergency for flag in self.flags)

    @property
    def wants_call(self) -> bool:
        """Whether the patient asked for a call and has not been reached since."""
        asked_at = self.asked_at
        entries = (one for flag in self.flags for one in flag.follow_ups.all())
        return asked_at is not None and not any(
            one.reached in Reached.by_any_means() and one.at >= asked_at for one in entries
        )

    @property
    def asked_at(self) -> datetime | None:
        """When the patient last asked for a call; None if they did not."""
        return max((flag.callback_requested_at for flag in self.flags if flag.callback_requested_at), default=None)

    @property
    def is_unread(self) -> bool:
        """Whether the patient has yet to acknowledge the advice of some current flag."""
        return not all(flag.patient_acknowledged_at for flag in self.current)

    @property
    def last_follow_up(self) -> FlagFollowUp | None:
        """The newest follow-up of the flags since they were raised; None while staff have not seen any of them."""
        entries = [one for flag in self.flags for one in flag.follow_ups.all() if one.raised_at == flag.waiting_since]
        return max(entries, key=attrgetter("at", "version"), default=None)


def read_flagged(
    *, now: datetime, clinic: Clinic, by: User, therapist: Therapist | None = None
) -> dict[str, Any] | None:
    """Read the intakes with open flags, sorted by their worst flag: level, deadline, longest open."""
    intakes: dict = {}
    for flag in Flag.objects.open().select_related("response__patient").prefetch_related("follow_ups"):
        intakes.setdefault(flag.response_id, []).append(flag)
    flagged = [FlaggedIntake(flags, any(flag.is_overdue(now) for flag in flags)) for flags in intakes.values()]
    if not flagged:
        return None
    return {
        "flagged": flagged,
        "call_backs": [one for one in flagged if one.wants_call],
        "comes_first": any(one.is_late or one.is_emergency for one in flagged),
    }


def read_fetch_a_therapist(
    *, now: datetime, clinic: Clinic, by: User, therapist: Therapist | None = None
) -> dict[str, Any] | None:
    """Read whether an emergency flag is open, for staff who may not see flags. It does not say whose it is."""
    if may_see(by, FLAGS.permissions) or not Flag.objects.open().with_current_level(Level.EMERGENCY).exists():
        return None
    return {"comes_first": True}


def read_sign_off(
    *, now: datetime, clinic: Clinic, by: User, therapist: Therapist | None = None
) -> dict[str, Any] | None:
    """Read whether a therapist still has to sign off the rules in force."""
    if find_sign_off() is not None:
        return None
    text = f"Read and sign off the warning signs, version {read_rules().version}: no therapist of yours has yet"
    return {"open_title": "Sign-off", "open_items": [(text, reverse("admin:assessments_rulesignoff_changelist"))]}


def read_alerts_lost(
    *, now: datetime, clinic: Clinic, by: User, therapist: Therapist | None = None
) -> dict[str, Any] | None:
    """Read where alerts go while no member of staff may view flags, and so none is alerted."""
    goes_to = where_alerts_go()
    return None if goes_to == "staff" else {"goes_to": goes_to}


# All who work with patients see this one: without it, no one would learn that flags reach no one.
ALERTS_LOST = Section(
    permissions=("practice.view_patient",),
    read=read_alerts_lost,
    places=(Place("assessments/_admin_alerts_lost.html", Group.SAFETY, 10),),
)
FETCH_A_THERAPIST = Section(
    permissions=("practice.view_patient",),
    read=read_fetch_a_therapist,
    places=(Place("assessments/_admin_fetch_a_therapist.html", Group.SAFETY, 15),),
)
FLAGS = Section(
    permissions=("assessments.view_flag", "assessments.view_response"),
    read=read_flagged,
    places=(
        Place("admin/_today_flags.html", Group.SAFETY, 20),
        Place("admin/_today_call_backs.html", Group.CALLS, 35, needs="call_backs"),
    ),
)
SIGN_OFF = Section(
    permissions=("assessments.sign_off_rules",),
    read=read_sign_off,
    places=(Place("admin/_today_open.html", Group.OPEN, 126),),
)
