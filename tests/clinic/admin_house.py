"""Fill each admin list with a row, for tests that visit all admin pages. Patients' names are canaries."""

import json
import uuid
from datetime import timedelta

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from assessments.models import Flag, Questionnaire, Response, RuleSignOff
from assessments.red_flags.definitions import FOLDER, digest_rules
from booking.calendar_feed.feeds import create_feed
from booking.models import Appointment, HoursOverride, OpeningHours, SlotOffer, WaitListEntry
from clinic.audit.access import record_access
from clinic.audit.sign_ins import record_sign_in
from clinic.outbox.models import Channel, InboundText, MessageRule, Suppression, TextConsent
from clinic.practice.models import CleanupRun, Patient, User
from education.models import Picture
from tests.factories import (
    ArticleFactory,
    ClinicFactory,
    MessageFactory,
    PatientFactory,
    ServiceFactory,
    TherapistFactory,
)
from tests.world import NOON

# Text in the rows, and the view permissions that show it. `view_patient` shows every name.
CANARIES = {
    "Vera Visitcanary": {"booking.appointment"},
    "Wanda Waitcanary": {"booking.waitlistentry"},
    "Fiona Flagcanary": {"assessments.response", "assessments.flag"},
    "Mona Messagecanary": {"outbox.message"},
    "Cora Consentcanary": {"outbox.textconsent"},
    "Irma Inboundcanary": {"outbox.inboundtext"},
    "wordscanary": {"outbox.inboundtext"},
    "suzycanary@example.com": {"outbox.suppression"},
    "Paul Patientcanary": set(),
    "answercanary": {"assessments.response"},
}
IRMAS_PHONE = "+16035550177"


def furnish() -> dict[str, str]:
    """Create the clinic as of NOON. Return the URL arguments by model: the pk of one row of each."""
    ClinicFactory()
    people = {name.split()[0]: PatientFactory(name=name) for name in CANARIES if " " in name}
    Patient.objects.filter(pk=people["Irma"].pk).update(phone=IRMAS_PHONE)
    owner = User.objects.create_superuser("olga@clinic.example", name="Olga Owner")
    rows = [owner, people["Paul"], *_open_hours(owner), *_library(owner)]
    rows += _visits(people, rows[2], rows[3])
    rows += _intake(people["Fiona"], rows[2])
    rows += _messages(people)
    rows.append(record_access(actor=owner, action="R", subject=people["Paul"], patient_id=people["Paul"].pk, now=NOON))
    rows.append(record_sign_in(user=owner, kind="signed-in", request=None, now=NOON))
    rows.append(CleanupRun.objects.create(started_at=NOON, ended_at=NOON))
    kind = ContentType.objects.get_for_model(Patient)
    for patient in people.values():
        LogEntry.objects.create(
            user=owner, content_type=kind, object_id=patient.pk, object_repr=str(patient), action_flag=CHANGE
        )
    return {"practice.clinic": "1"} | {row._meta.label_lower: str(row.pk) for row in rows}


def _open_hours(owner):
    tess = TherapistFactory(user=owner)
    service = ServiceFactory(therapists=[tess])
    hours = OpeningHours.objects.create(therapist=tess, weekday=1, opens="08:00", closes="17:00")
    closure = HoursOverride.objects.create(starts_at=NOON + timedelta(days=9), ends_at=NOON + timedelta(days=10))
    create_feed(therapist=tess, by=owner, now=NOON)
    return tess, service, hours, closure, tess.calendar_feeds.get()


def _library(owner):
    article = ArticleFactory(status="draft", published_at=None)
    picture = Picture.objects.create(name="abcdefgh-600x400", description="A hip", uploaded_at=NOON, uploaded_by=owner)
    return article.topic, article, picture


def _visits(people, tess, service):
    def visit(patient, starts_at, **fields):
        ends_at = starts_at + timedelta(minutes=45)
        return Appointment.objects.create(
            **{
                "reference": f"RC-{uuid.uuid4().hex[:6].upper()}",
                "therapist": tess,
                "patient": patient,
                "service": service,
                "mode": "in_person",
                "starts_at": starts_at,
                "ends_at": ends_at,
                "blocked": (starts_at, ends_at),
                "status": "booked",
                "idempotency_key": uuid.uuid4(),
                "price_cents": service.price_cents,
                "created_at": NOON - timedelta(days=9),
                **fields,
            }
        )

    visits = [visit(people["Vera"], NOON + after) for after in (timedelta(hours=1), timedelta(days=-1), _CHRISTMAS)]
    entry = WaitListEntry.objects.create(
        patient=people["Wanda"],
        service=service,
        first_on=NOON.date(),
        last_on=NOON.date() + timedelta(days=9),
        created_at=NOON,
    )
    SlotOffer.objects.create(
        entry=entry,
        therapist=tess,
        starts_at=NOON + timedelta(days=2),
        freed_by=visits[0],
        freed_version=1,
        created_at=NOON,
        expires_at=NOON + timedelta(days=1),
        taken_at=NOON,
    )
    return visits[0], entry


_CHRISTMAS = timedelta(days=24)  # from NOON


def _intake(patient, tess):
    definition = json.loads((FOLDER / "hip_running_intake_v2.json").read_text())
    asked = Questionnaire.objects.create(
        slug="hip-running-intake", version=2, title="Hip intake", definition=definition, created_at=NOON
    )
    answers = {"psy.hope": ["answercanary"], "on.event": ["answercanary"]}
    intake = Response.objects.create(questionnaire=asked, patient=patient, answers=answers, created_at=NOON)
    flag = Flag.objects.create(
        response=intake,
        rule_id="RF01",
        rule_version=1,
        level="E",
        current_level="E",
        action="now",
        snapshot={"rf.leg": ["answercanary"]},
        raised_at=NOON - timedelta(hours=1),
    )
    signed = RuleSignOff.objects.create(version=1, digest=digest_rules(), signed_by=tess, signed_at=NOON)
    return asked, intake, flag, signed


def _messages(people):
    failed = MessageFactory(patient=people["Mona"], state="failed", reason="no such mailbox", settled_at=NOON)
    MessageFactory(patient=people["Mona"], due_at=NOON - timedelta(hours=2))
    rule = MessageRule.objects.create(kind="booking_reminder_48h", subject="See you soon", text="Bring shoes.")
    consent = TextConsent.objects.create(patient=people["Cora"], phone="+16035550123", wording="Yes", given_at=NOON)
    stop = Suppression.objects.create(
        channel=Channel.EMAIL, address="suzycanary@example.com", why="bounced", created_at=NOON
    )
    said = InboundText.objects.create(
        provider_id="SM1", phone=IRMAS_PHONE, patient=people["Irma"], words="wordscanary", received_at=NOON
    )
    return failed, rule, consent, stop, said
