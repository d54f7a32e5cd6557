"""What this room holds of a patient: responses, and the flags, scores and alerts that follow from them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models.functions import Coalesce
from django.urls import reverse

from assessments.fhir_json.communications import write_communication
from assessments.models import Flag, FlagFollowUp, FollowUpKind, Level, Response, Score, StaffAlert
from clinic.practice.models import Patient, User
from clinic.practice.registry.holdings import (
    ErasureRefused,
    Holding,
    Line,
    NotNeeded,
    as_json,
    by_column,
    export_columns,
    move_rows,
    register_holding,
)

SEES_ANSWERS, SEES_FLAGS = "assessments.view_response", "assessments.view_flag"
WITH_RESPONSE = NotNeeded("belongs to its response, which moves")


class OpenFlag(ErasureRefused):
    """The patient has an emergency or urgent flag that staff have not handled."""


def register_holdings() -> None:
    """Register the holdings of this room."""
    for holding in (RESPONSES, FLAGS, FOLLOW_UPS, SCORES, ALERTS):
        register_holding(holding)


# Responses

_responses = by_column(Response)


def _read_responses(patients: Sequence[Patient], *, by: User, most: int | None, now: datetime) -> Iterable[Line]:
    rows = _responses(patients).select_related("questionnaire").defer("answers", "questionnaire__definition")
    for row in rows.annotate(last=Coalesce("completed_at", "created_at")).order_by("-last", "pk")[:most]:
        url, title = reverse("admin:assessments_response_change", args=[row.pk]), row.questionnaire.title
        yield Line(row.created_at, f"Questions sent: {title}", url)
        if row.completed_at is not None:
            yield Line(row.completed_at, f"Questions answered: {title}", url)


def _export_responses(patients: Sequence[Patient], by: User, now: datetime) -> list[dict[str, Any]]:
    """Return the responses with the text of each answered question."""
    return [
        {
            "id": str(row.pk),
            "questionnaire": row.questionnaire.canonical,
            "version": row.questionnaire.version,
            "title": row.questionnaire.title,
            "status": row.status,
            "sent_at": as_json(row.created_at),
            "saved_at": as_json(row.saved_at),
            "completed_at": as_json(row.completed_at),
            "answers": [
                {"link_id": link_id, "question": _question_text(row, link_id), "answer": values}
                for link_id, values in row.answers.items()
            ],
        }
        for row in _responses(patients).select_related("questionnaire").order_by("pk")
    ]


def _question_text(response: Response, link_id: str) -> str:
    item = response.questionnaire.parsed.items.get(link_id)
    return item.text if item else ""


def _erase_responses(patients: Sequence[Patient], now: datetime) -> None:
    for row in Response.objects.filter(patient__in=patients).defer("answers"):
        row.answers, row.saved_pages = {}, []
        row.save(update_fields=["answers", "saved_pages"])


RESPONSES = Holding(
    model=Response,
    permission=SEES_ANSWERS,
    find=_responses,
    timeline=_read_responses,
    export=_export_responses,
    repoint=move_rows(Response),
    erase=_erase_responses,
    goes="All answers.",
)


# Flags

_flags = by_column(Flag, "response__patient")


def _read_flags(patients: Sequence[Patient], *, by: User, most: int | None, now: datetime) -> Iterable[Line]:
    rows = _flags(patients).annotate(last=Coalesce("staff_acknowledged_at", "raised_at")).order_by("-last", "pk")
    for row in rows.defer("rule_id", "snapshot")[:most]:
        url = reverse("admin:assessments_flag_change", args=[row.pk])
        yield Line(row.raised_at, f"Flag raised: {row.get_level_display()}", url)
        if row.staff_acknowledged_at is not None:
            yield Line(row.staff_acknowledged_at, f"Flag handled: {row.get_level_display()}", url)


def _erase_flags(patients: Sequence[Patient], now: datetime) -> None:
    """Overwrite the rule and its answers. `rule_key` too: with the secret key, it reveals the rule."""
    for row in _flags(patients).defer("rule_id", "snapshot"):
        row.rule_id, row.snapshot, row.rule_key = "", {}, f"erased-{row.pk}"
        row.save(update_fields=["rule_id", "snapshot", "rule_key"])


def _refuse_with_open_flag(patient: Patient, now: datetime) -> None:
    waiting = Flag.objects.open().filter(response__patient=patient, level__in=(Level.EMERGENCY, Level.URGENT))
    if waiting.exists():
        raise OpenFlag("An urgent flag has not been handled yet. Handle it first.")


FLAGS = Holding(
    model=Flag,
    permission=SEES_FLAGS,
    find=_flags,
    timeline=_read_flags,
    export=export_columns(_flags, leave_out=("rule_key", "staff_acknowledged_by")),
    repoint=WITH_RESPONSE,
    erase=_erase_flags,
    goes="Which rule raised it, and the answers behind it.",
    stays={"action": "how soon it had to be handled"},
    refuse_erasure=_refuse_with_open_flag,
)


# Follow-ups of flags

_follow_ups = by_column(FlagFollowUp, "flag__response__patient")


def _read_follow_ups(patients: Sequence[Patient], *, by: User, most: int | None, now: datetime) -> Iterable[Line]:
    """Say that a flag was followed up. What was done is on its page."""
    for row in _follow_ups(patients).defer("note").order_by("-at", "-version", "pk")[:most]:
        kind = FollowUpKind(row.kind)
        if kind != FollowUpKind.ACKNOWLEDGED:  # is a line of its flag
            url = reverse("admin:assessments_flag_follow_up", args=[row.flag_id])
            yield Line(row.at, f"Flag {kind.label}: {row.get_level_display()}", url)


def _export_follow_ups(patients: Sequence[Patient], by: User, now: datetime) -> list[dict[str, Any]]:
    """Return the follow-ups, each that was a contact with a FHIR Communication."""
    return [
        {
            "id": str(row.pk),
            "flag": str(row.flag_id),
            "kind": row.kind,
            "at": as_json(row.at),
            "outcome": row.outcome,
            "finding": row.finding,
            "settles": row.settles,
            "note": row.note,
            "raised_at": as_json(row.raised_at),
            "level": row.level,
            "rule_version": row.rule_version,
            "communication": write_communication(
                id=str(row.pk),
                patient=str(row.flag.response.patient_id),
                flag=str(row.flag_id),
                reached=row.reached,
                at=row.at,
                note=row.note or "",
            ),
        }
        for row in _follow_ups(patients).select_related("flag__response").order_by("pk")
    ]


def _erase_follow_ups(patients: Sequence[Patient], now: datetime) -> None:
    for row in _follow_ups(patients).exclude(note=None):
        row.note = None
        row.save(update_fields=["note"])


FOLLOW_UPS = Holding(
    model=FlagFollowUp,
    permission=SEES_FLAGS,
    find=_follow_ups,
    timeline=_read_follow_ups,
    export=_export_follow_ups,
    repoint=WITH_RESPONSE,
    erase=_erase_follow_ups,
    goes="Notes.",
    stays={
        "reached": "how the patient was reached",
        "outcome": "what was done",
        "finding": "whether a doctor confirmed the concern",
    },
)


# Scores and alerts

_scores = by_column(Score, "response__patient")
_alerts = by_column(StaffAlert, "response__patient")


def _delete_scores(patients: Sequence[Patient], now: datetime) -> None:
    _scores(patients).delete()


SCORES = Holding(
    model=Score,
    permission=SEES_ANSWERS,
    find=_scores,
    timeline=NotNeeded("shown with the answers"),
    export=export_columns(_scores),
    repoint=WITH_RESPONSE,
    erase=_delete_scores,
    goes="All scores.",
)

ALERTS = Holding(
    model=StaffAlert,
    label="alerts to staff",
    permission=SEES_FLAGS,
    find=_alerts,
    timeline=NotNeeded("the flag is in the timeline; the alert is a message to staff"),
    export=NotNeeded("messages to staff, which have no patient data"),
    repoint=WITH_RESPONSE,
    erase=NotNeeded("has a level, a time and a member of staff"),
)
