"""A patient about whom every room has rows, for tests of the timeline, export, merge and erasure."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.backends.db import SessionStore
from django.db import models

from assessments.models import Flag, FlagFollowUp, Questionnaire, Response, ResponseStatus, Score, StaffAlert
from booking.actions.attend import mark_arrived
from booking.models import Appointment, ReturnRequest, SlotOffer, WaitListEntry
from clinic.audit.access import record_access
from clinic.audit.fields import EncryptedJSONField
from clinic.audit.models import Action
from clinic.outbox.models import Channel, InboundText, State, Suppression, TextConsent
from clinic.practice.access.links import issue_link
from clinic.practice.models import ConfirmationCode, LinkPurpose, Patient, Proof
from clinic.practice.registry.holdings import holdings
from tests.factories import MessageFactory
from tests.world import DAY, HOUR, NINE_ON_TUESDAY, NOW, book

AFTER = NINE_ON_TUESDAY + DAY  # the visits of `make_record` are over, and its flag is handled


def make_record(patient, *, service, staff, starts_at=NINE_ON_TUESDAY) -> Appointment:
    """Give `patient` at least one row of each model that is about patients. Returns their visit, which took place."""
    visit = book(service, starts_at=starts_at, name=patient.name, email=patient.email, phone=patient.phone)
    assert visit.patient == patient
    visit.intake = make_response(patient, staff)
    visit.guardian_name, visit.other_phone, visit.visitor_time_zone = "Greta Guardian", "+16035550188", "Asia/Tokyo"
    visit.save()
    mark_arrived(appointment=visit, by=staff, now=starts_at)
    make_wait_list_entry(patient, visit)
    make_messages(patient)
    issue_link(
        patient=patient,
        purpose=LinkPurpose.MESSAGES,
        subject_id=patient.pk,
        proof=Proof.MAILED,
        expires_at=NOW + 90 * DAY,
        now=NOW,
    )
    ConfirmationCode.objects.create(patient=patient, created_at=NOW)
    ReturnRequest.objects.create(email=patient.email.lower(), created_at=NOW)
    record_access(actor=staff, action=Action.READ, subject=patient, patient_id=patient.pk, now=NOW)
    LogEntry.objects.create(
        user=staff,
        content_type=ContentType.objects.get_for_model(Patient),
        object_id=str(patient.pk),
        object_repr=patient.name,
        action_flag=CHANGE,
        change_message=f"Changed name to {patient.name}.",
    )
    session = SessionStore()
    session.update({"searches": {"1": patient.name.split()[0]}, "note": patient.email})
    session.create()
    return visit


def make_response(patient, staff) -> Response:
    questionnaire, _ = Questionnaire.objects.get_or_create(
        slug="intake",
        version=1,
        defaults={
            "title": "Intake",
            "definition": {
                "resourceType": "Questionnaire",
                "status": "active",
                "item": [
                    {
                        "linkId": "page",
                        "type": "group",
                        "text": "Pain",
                        "item": [{"linkId": "pain", "type": "text", "text": "Where does it hurt?"}],
                    }
                ],
            },
            "published_at": NOW,
            "created_at": NOW,
        },
    )
    response = Response.objects.create(
        questionnaire=questionnaire,
        patient=patient,
        answers={"pain": ["The left hip"]},
        saved_pages=["page"],
        status=ResponseStatus.COMPLETED,
        created_at=NOW,
        saved_at=NOW,
        completed_at=NOW,
    )
    flag = Flag.objects.create(
        response=response,
        rule_id="RF01",
        rule_version=1,
        level="E",
        current_level="E",
        action="now",
        snapshot={"pain": ["The left hip"]},
        raised_at=NOW,
        staff_acknowledged_at=NOW,
        staff_acknowledged_by=staff,
    )
    FlagFollowUp.objects.create(
        flag=flag,
        kind="followed-up",
        at=NOW,
        by=staff,
        reached="phone",
        outcome="emergency-care",
        settles=True,
        note="Will go with her sister",
        raised_at=NOW,
        level="E",
        rule_version=1,
        version=2,
    )
    Score.objects.create(response=response, measure="uwri", result={"value": 7}, scored_at=NOW)
    StaffAlert.objects.create(response=response, recipient=staff, level="E", planned_at=NOW)
    return response


def make_wait_list_entry(patient, visit) -> WaitListEntry:
    entry = WaitListEntry.objects.create(
        patient=patient,
        service=visit.service,
        mode=visit.mode,
        time_zone="Asia/Tokyo",
        first_on=NOW.date(),
        last_on=(AFTER + 30 * DAY).date(),
        created_at=NOW,
    )
    SlotOffer.objects.create(
        entry=entry,
        therapist=visit.therapist,
        starts_at=NINE_ON_TUESDAY + HOUR,
        freed_by=visit,
        freed_version=1,
        created_at=NOW,
        expires_at=NINE_ON_TUESDAY,
    )
    return entry


def make_messages(patient) -> None:
    MessageFactory(patient=patient, time_zone="Asia/Tokyo", told_before="digest", scope="evaluation")
    MessageFactory(patient=patient, state=State.FAILED, reason=f"no such user {patient.email}", settled_at=NOW)
    TextConsent.objects.create(patient=patient, phone=patient.phone, wording="Send me texts.", given_at=NOW)
    for sender in (patient, None):
        InboundText.objects.create(
            provider_id=f"SM{uuid.uuid4().hex}",
            phone=patient.phone,
            patient=sender,
            words=f"It is {patient.name}",
            received_at=NOW + timedelta(minutes=5),
        )
    for channel, address in ((Channel.EMAIL, patient.email.lower()), (Channel.SMS, patient.phone)):
        Suppression.objects.get_or_create(
            channel=channel, address=address, defaults={"why": Suppression.Why.UNSUBSCRIBED, "created_at": NOW}
        )


def text_columns(model: type[models.Model]) -> Iterator[models.Field]:
    """Yield the columns of `model` that can hold any text: no keys, coded values or generated columns."""
    free = (models.CharField, models.TextField, models.JSONField, ArrayField, EncryptedJSONField)
    for column in model._meta.concrete_fields:
        if isinstance(column, free) and not (column.choices or column.generated or column.primary_key):
            yield column


def text_for(column: models.Field, word: str) -> object:
    """Return a value of `column` that contains `word`."""
    if isinstance(column, (models.JSONField, ArrayField)):
        return [word]
    return {"page": [word]} if isinstance(column, EncryptedJSONField) and column.name != "rule_id" else word


def write_everywhere(patient, *, gone: str, kept: str) -> set[str]:
    """Write a word into each text column of the patient's rows that a canary fits. Returns the columns with `gone`.

    Columns that erasing keeps get `kept` instead. Columns with a checked format (addresses, phone numbers) keep their
    value, as do sessions, whose text is encoded.
    """
    written = set()
    for holding in holdings():
        rows = list(holding.find([patient]))
        for column in text_columns(holding.model):
            if (holding.model, column.name) in CHECKED or holding.model._meta.label_lower in NOT_WRITTEN:
                continue
            word = kept if column.name in holding.stays else gone
            for row in rows:
                setattr(row, column.name, text_for(column, f"{word}{row.pk}"[: column.max_length or None]))
                row.save(update_fields=[column.name])
            if rows and word == gone:
                written.add(f"{holding.model._meta.label_lower}.{column.name}")
    return written


NOT_WRITTEN = {"audit.accessevent", "sessions.session"}  # append-only; encoded
CHECKED = {
    (Patient, "email"),
    (Patient, "phone"),
    (Appointment, "other_phone"),
    (Suppression, "address"),
    (ReturnRequest, "email"),
    (InboundText, "phone"),
    (LogEntry, "object_id"),
    (Patient, "name"),
}
