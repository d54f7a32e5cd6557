"""What this room holds of a patient: the row itself, its links and codes; also the logs and sessions of staff."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet
from django.urls import reverse

from clinic.audit.models import AccessEvent
from clinic.practice.access.links import revoke_all_links
from clinic.practice.models import ConfirmationCode, Patient, PatientLink, User
from clinic.practice.models.patients import ERASED_DOMAIN
from clinic.practice.people.merging import has_same_mailbox
from clinic.practice.registry.holdings import (
    Holding,
    Line,
    NotNeeded,
    as_json,
    by_column,
    export_columns,
    move_rows,
    register_holding,
)

ERASED_NAME = "Erased patient"
SEES_PATIENTS = "practice.view_patient"
SHOWN_OPEN = NotNeeded("the patient's page lists what is open")
NOT_THEIRS = NotNeeded("nothing that the patient gave or was given")


def register_holdings() -> None:
    """Register the holdings of this room. The patient is first, so that it is moved and erased last."""
    for holding in (PATIENT, LINKS, CODES, AUDIT, LOG, SESSIONS):
        register_holding(holding)


def _self(patients: Sequence[Patient]) -> QuerySet[Patient]:
    return Patient.objects.filter(pk__in=[patient.pk for patient in patients])


def _read_added(patients: Sequence[Patient], *, by: User, most: int | None, now: datetime) -> Iterable[Line]:
    patient, *merged = patients
    url = reverse("admin:practice_patient_change", args=[patient.pk])
    yield Line(patient.created_at, "Added as a patient", url)
    for row in (one for one in merged if not one.is_provisional):
        yield Line(row.created_at, "Added as a patient: another record, which was merged into this one")


def _keep_merged(source: Patient, target: Patient, now: datetime) -> list[str]:
    """Point the rows that were merged into `source` directly at `target`."""
    Patient.objects.filter(merged_into=source).exclude(pk=target.pk).update(merged_into=target)
    return []


def _erase_patients(patients: Sequence[Patient], now: datetime) -> None:
    for patient in patients:
        _self([patient]).update(
            name=ERASED_NAME,
            email=f"{patient.pk}{ERASED_DOMAIN}",
            phone="",
            birth_on=None,
            time_zone="",
            first_name_since=None,
            erased_at=now,
        )


PATIENT = Holding(
    model=Patient,
    label="contact details",
    permission=SEES_PATIENTS,
    find=_self,
    timeline=_read_added,
    export=export_columns(_self, leave_out=("merged_into",)),
    repoint=_keep_merged,
    erase=_erase_patients,
    goes="Name, email, phone, date of birth and time zone.",
)


def _repoint_links(source: Patient, target: Patient, now: datetime) -> list[str]:
    """Move the links. Those from another mailbox than the kept one are revoked: see `merge_patients`."""
    if not has_same_mailbox(source, target):
        revoke_all_links(source, now=now)
    links = PatientLink.objects.filter(patient=source)
    links.filter(subject_id=source.pk).update(subject_id=target.pk)
    links.update(patient=target)
    return []


def _delete_links(patients: Sequence[Patient], now: datetime) -> None:
    PatientLink.objects.filter(patient__in=patients).delete()


LINKS = Holding(
    model=PatientLink,
    label="links",
    permission=SEES_PATIENTS,
    find=by_column(PatientLink),
    timeline=SHOWN_OPEN,
    export=export_columns(by_column(PatientLink), leave_out=("id", "token_hash", "patient")),
    repoint=_repoint_links,
    erase=_delete_links,
    goes="All links. They stop working.",
)


def _delete_codes(patients: Sequence[Patient], now: datetime) -> None:
    ConfirmationCode.objects.filter(patient__in=patients).delete()


CODES = Holding(
    model=ConfirmationCode,
    label="codes",
    permission=SEES_PATIENTS,
    find=by_column(ConfirmationCode),
    timeline=NotNeeded("deleted after a day; the email with the code is in the timeline"),
    export=NotNeeded("deleted after a day; the email with the code is exported"),
    repoint=move_rows(ConfirmationCode),
    erase=_delete_codes,
    goes="All codes.",
)


def _find_accesses(patients: Sequence[Patient]) -> QuerySet[AccessEvent]:
    return AccessEvent.objects.filter(patient_ids__overlap=[patient.pk for patient in patients])


def _export_accesses(patients: Sequence[Patient], by: User, now: datetime) -> list[dict]:
    events = _find_accesses(patients).select_related("actor").order_by("pk")
    return [
        {
            "at": as_json(event.at),
            "action": event.get_action_display(),
            "record": event.object_type,
            "by": str(event.actor or event.get_who_display() or "a patient, or the site itself"),
        }
        for event in events
    ]


AUDIT = Holding(
    model=AccessEvent,
    permission="audit.view_accessevent",
    find=_find_accesses,
    timeline=NotNeeded("the audit log has its own pages"),
    export=_export_accesses,
    repoint=NotNeeded("append-only; entries stay under the ID of the merged row, and both are read"),
    erase=NotNeeded("append-only; entries have IDs, and no names or contents"),
    stays={
        "object_type": "which record was opened or changed",
        "object_id": "its ID",
        "page": "on which page",
        "roles": "the roles of the member of staff",
        "network": "the network of the visitor",
        "patient_ids": "the IDs of the patients",
    },
)


def _find_edits(patients: Sequence[Patient]) -> QuerySet[LogEntry]:
    """Return the entries about these patients, and those whose text has the name or address of one as whole words."""
    about = Q(object_id__in=[str(patient.pk) for patient in patients])
    for patient in patients:
        for text in filter(None, (patient.name, patient.email)):
            words = rf"(^|\W){re.escape(text)}(\W|$)"
            about |= Q(object_repr__iregex=words) | Q(change_message__iregex=words)
    return LogEntry.objects.filter(about)


def _erase_edits(patients: Sequence[Patient], now: datetime) -> None:
    entries = list(_find_edits(patients).select_related("content_type"))
    for entry in entries:
        kind = entry.content_type.name if entry.content_type else "record"
        entry.object_repr, entry.change_message = f"{kind} {entry.object_id}"[:200], ""
    LogEntry.objects.bulk_update(entries, ["object_repr", "change_message"], batch_size=500)


LOG = Holding(
    model=LogEntry,
    label="log of edits",
    permission=SEES_PATIENTS,
    find=_find_edits,
    timeline=NotNeeded("the audit log has the same changes"),
    export=NOT_THEIRS,
    repoint=NotNeeded("a log of edits in the admin, by the ID that the row had then"),
    erase=_erase_edits,
    goes="Names in the log of edits.",
    stays={"object_id": "the IDs of edited records"},
)


def _no_sessions(patients: Sequence[Patient]) -> QuerySet[Session]:
    return Session.objects.none()


def _erase_in_sessions(patients: Sequence[Patient], now: datetime) -> None:
    """Delete the searches and messages of staff from all sessions, and other values that name the patient.

    A name of one word is not looked for: "Jan" is in the names of too many values.
    """
    names = [one.name for one in patients if " " in one.name]
    texts = [
        text.casefold() for text in (*names, *(one.email for one in patients), *(one.phone for one in patients)) if text
    ]
    store = SessionStore()
    for session in Session.objects.select_for_update().order_by("pk").iterator():
        data = store.decode(session.session_data)
        kept = {name: value for name, value in data.items() if not _may_name(name, value, texts)}
        if kept != data:
            Session.objects.filter(pk=session.pk).update(session_data=store.encode(kept))


def _may_name(name: str, value: object, texts: list[str]) -> bool:
    if name in ("searches", "_messages"):  # a search may have a part of a name only
        return True
    if name.startswith("_auth"):  # without these, the session would be signed out
        return False
    written = json.dumps(value, ensure_ascii=False, default=str).casefold()
    return any(text in written for text in texts)


SESSIONS = Holding(
    model=Session,
    label="sessions",
    permission=SEES_PATIENTS,
    find=_no_sessions,
    timeline=NOT_THEIRS,
    export=NOT_THEIRS,
    repoint=NotNeeded("searches and messages of staff, which end with their session"),
    erase=_erase_in_sessions,
    goes="Recent searches of all staff.",
)
