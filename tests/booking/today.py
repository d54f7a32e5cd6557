"""The data of Today for a member of staff who may see all of it, and flags for it."""

from types import SimpleNamespace
from typing import Any

from assessments.models import Flag, Questionnaire, Response
from clinic.practice.models import Clinic, User
from clinic.practice.registry.today import sections
from tests.world import NOW

ROWS = ("cannot_come", "to_call", "unmarked")


def read_today(*, now) -> SimpleNamespace:
    """Return the data of all sections, as of `now`, with the visits of the rows in ROWS."""
    clinic, reader = Clinic.objects.current(), User(is_superuser=True)
    found: dict[str, Any] = {"flagged": [], "failed_messages": [], "overdue_messages": [], "nothing_sent_since": None}
    for section in sections():
        found |= section.read(now=now, clinic=clinic, by=reader, therapist=None) or {}
    return SimpleNamespace(**found | {name: [row.appointment for row in found[name]] for name in ROWS})


def make_flag(visit, now, rule="RF01", level="E", response=None, action="now"):
    questionnaire, _ = Questionnaire.objects.get_or_create(
        slug="intake", version=1, title="Intake", definition={}, defaults={"published_at": NOW, "created_at": NOW}
    )
    response = response or Response.objects.create(questionnaire=questionnaire, patient=visit.patient, created_at=now)
    return Flag.objects.create(
        response=response,
        rule_id=rule,
        rule_version=1,
        level=level,
        current_level=level,
        action=action,
        raised_at=now,
    )
