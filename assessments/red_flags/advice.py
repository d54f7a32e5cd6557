"""The current advice that follows from a patient's answers, for every page that shows it."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from assessments.models import Flag, Response
from assessments.red_flag_rules.evaluation import Action
from assessments.red_flag_rules.format import DEADLINES
from assessments.red_flags.definitions import read_rules
from clinic.practice.models import Patient


@dataclass(frozen=True)
class Advice:
    """The advice that follows from `flags`, the current flags of the worst level."""

    level: str
    deadline: str
    action: Action
    is_read: bool
    is_callback_requested: bool
    response_id: uuid.UUID
    flags: tuple[Flag, ...]

    @property
    def questions(self) -> frozenset[str]:
        """The linkIds of the answers that raised `flags`. Reading them decrypts the snapshots of the flags."""
        return frozenset(name for flag in self.flags for name in flag.snapshot)

    @property
    def is_pressing(self) -> bool:
        """Whether a doctor is needed: the level is emergency or urgent, not "tell the therapist"."""
        return self.level in ("E", "U")


def find_unread(response: Response) -> Advice | None:
    """Return the worst advice of `response` that the patient has not acknowledged, or None."""
    return read_advice(response.flags.unseen_by_patient())


def find_current_advice(responses: Iterable[Response | uuid.UUID]) -> Advice | None:
    """Return the worst current advice of `responses`, emergency or urgent, read or not; None if there is none.

    Advice is current until staff have handled its flag or the answer changes. An emergency's also stays until the
    patient has read it or was reached (see `FlagQuerySet.advising`).
    """
    return read_advice(Flag.objects.advising().filter(response__in=responses))


def responses_begun(patient_id: uuid.UUID, *, at: datetime, intake_id: uuid.UUID | None) -> QuerySet:
    """Return the ids of the responses that belong to one visit.

    These are its intake `intake_id`, and all responses of the patient that were created `at` the time of booking.
    """
    of_visit = Q(pk=intake_id) | Q(patient=patient_id, created_at=at)
    return Response.objects.filter(of_visit).values("pk")


def responses_of(patient: Patient) -> QuerySet:
    """Return the ids of all responses of `patient`, including those of provisional rows of the same person."""
    people = Patient.objects.same_person_as(patient)
    return Response.objects.filter(patient__in=people).values("pk")


def read_advice(flags: Iterable[Flag]) -> Advice | None:
    """Return the advice for the worst level in `flags`, with the soonest deadline at that level; None without flags.

    `flags` are sorted by current level, worst first.
    """
    flags = list(flags)
    if not flags:
        return None
    worst = [flag for flag in flags if flag.current_level == flags[0].current_level]
    soonest = min((flag.action for flag in worst), key=DEADLINES.index)
    return Advice(
        level=flags[0].current_level,
        deadline=soonest,
        action=read_rules().actions[soonest],
        is_read=all(flag.patient_acknowledged_at for flag in worst),
        is_callback_requested=any(flag.callback_requested_at for flag in worst),
        response_id=flags[0].response_id,
        flags=tuple(worst),
    )
