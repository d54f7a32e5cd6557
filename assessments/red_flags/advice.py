"""What a patient was told to do because of their answers, for every page that must not let them forget it."""

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
    """The advice of `flags`, the worst that stand."""

    level: str
    deadline: str
    action: Action
    is_read: bool
    is_callback_requested: bool
    response_id: uuid.UUID
    flags: tuple[Flag, ...]

    @property
    def questions(self) -> frozenset[str]:
        """The linkIds of the answers that it goes by; these are sealed, while the advice itself is not."""
        return frozenset(name for flag in self.flags for name in flag.snapshot)

    @property
    def is_pressing(self) -> bool:
        """Whether a doctor is needed: an emergency or an urgent sign, not what only the therapist should know."""
        return self.level in ("E", "U")


def find_unread(response: Response) -> Advice | None:
    """The worst advice of `response` that the patient has not acknowledged."""
    return read_advice(response.flags.unseen_by_patient())


def find_standing(responses: Iterable[Response | uuid.UUID]) -> Advice | None:
    """The worst advice of `responses` that still stands: read or not, until staff have seen to it or the answer changed."""
    return read_advice(Flag.objects.advising().filter(response__in=responses))


def responses_begun(patient_id: uuid.UUID, *, at: datetime, intake_id: uuid.UUID | None) -> QuerySet:
    """The ids of what was answered for one visit: its intake, and what its booking at the instant `at` began beside it."""
    of_visit = Q(pk=intake_id) | Q(patient=patient_id, created_at=at)
    return Response.objects.filter(of_visit).values("pk")


def responses_of(patient: Patient) -> QuerySet:
    """The ids of everything that `patient` has answered, also under a row that is still provisional."""
    people = Patient.objects.same_person_as(patient)
    return Response.objects.filter(patient__in=people).values("pk")


def read_advice(flags: Iterable[Flag]) -> Advice | None:
    """The advice of the first of `flags`, worst first, with all others of its level."""
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
