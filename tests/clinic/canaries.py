"""A clinic in which every field of a patient has a recognizable value, and the roles that may see each field."""

from datetime import date, timedelta

from assessments.models import Flag, FlagFollowUp, Response, Score
from booking.models import Appointment
from clinic.outbox.models import InboundText, TextConsent
from clinic.practice.models import Patient, User
from education.models import Article
from tests.clinic.admin_house import furnish
from tests.factories import MessageFactory
from tests.world import NOON

# Written by hand and not derived from clinic/staff/roles.py. An x is also checked: the role sees the field somewhere.
SEEN_BY = """
field                  owner  therapist  front-desk  editor  auditor
name                   x      x          x           .       .
email                  x      x          x           .       .
phone                  x      x          x           .       .
birth date             x      x          x           .       .
time zone              x      x          x           .       .
guardian               x      x          x           .       .
phone of a booking     x      x          x           .       .
visit                  x      x          x           .       .
wait list              x      x          x           .       .
failed message         x      x          x           .       .
received text          x      x          x           .       .
consent to texts       x      x          x           .       .
blocked address        x      x          x           .       .
intake progress        x      x          x           .       .
answer                 .      x          .           .       .
score                  .      x          .           .       .
open flag              .      x          .           .       .
concern of a flag      .      x          .           .       .
evidence of a flag     .      x          .           .       .
note on a flag         .      x          .           .       .
alert about a flag     .      x          .           .       .
check of a not sure    .      x          .           .       .
source article         .      x          .           .       .
"""

# How each field is recognized on a page: any one of these strings.
CANARIES = {
    "name": ("Fiona Flagcanary",),
    "email": ("fiona@mailcanary.example",),
    "phone": ("555-0144", "+16035550144"),
    "birth date": ("Jun 5, 1987", "June 5, 1987", "06/05/1987", "6/5/1987", "1987-06-05"),
    "time zone": ('value="Pacific/Auckland" selected', "Auckland time"),
    "guardian": ("Greta Guardiancanary",),
    "phone of a booking": ("555-0166", "+16035550166"),
    "visit": ("RC-CANARY",),
    "wait list": ("Wanda Waitcanary",),
    "failed message": ("Mona Messagecanary",),
    "received text": ("wordscanary",),
    "consent to texts": ("555-0155", "+16035550155"),
    "blocked address": ("suzycanary@example.com",),
    "intake progress": ("intake done",),
    "answer": ("answercanary",),
    "score": ("7.13",),
    "open flag": ("row-flag",),
    "concern of a flag": ("cauda equina",),
    "evidence of a flag": ("evidencecanary",),
    "note on a flag": ("notecanary",),
    "alert about a flag": ("To the clinic: a warning sign", "staff_flag"),
    "check of a not sure": ("Second check of an intake", "intake_second_look"),
    "source article": ("Titlecanary",),
}


def seen_by() -> dict[str, dict[str, bool]]:
    """Return for each field whether each role may see it."""
    head, *lines = [line.rsplit(maxsplit=5) for line in SEEN_BY.strip().splitlines()]
    return {field: {role: cell == "x" for role, cell in zip(head[1:], cells, strict=True)} for field, *cells in lines}


def plant() -> dict[str, str]:
    """Furnish the clinic as of NOON, with a canary in each field. Return the URL arguments by model."""
    rows = furnish()
    fiona = Patient.objects.get(name="Fiona Flagcanary")
    Patient.objects.filter(pk=fiona.pk).update(
        email="fiona@mailcanary.example",
        phone="+16035550144",
        birth_on=date(1987, 6, 5),
        time_zone="Pacific/Auckland",
    )
    intake = Response.objects.get(patient=fiona)
    Response.objects.filter(pk=intake.pk).update(status="completed", saved_at=NOON, completed_at=NOON)
    Score.objects.create(
        response=intake, measure="my-activities", result={"value": "7.13", "answered": 3, "of": 3}, scored_at=NOON
    )
    flag = Flag.objects.get()
    flag.snapshot = {"rf.leg": ["evidencecanary"]}
    flag.save(update_fields=["snapshot"])
    FlagFollowUp.objects.create(
        flag=flag,
        kind="followed-up",
        at=NOON,
        by=User.objects.get(is_superuser=True),
        reached="not-reached",
        note="notecanary",
        raised_at=flag.waiting_since,
        level=flag.level,
        rule_version=flag.rule_version,
        version=2,
    )
    Article.objects.update(title="Titlecanary")
    Appointment.objects.filter(pk=rows["booking.appointment"]).update(
        patient=fiona,
        reference="RC-CANARY",
        intake=intake,
        guardian_name="Greta Guardiancanary",
        other_phone="+16035550166",
        source_article=Article.objects.get(),
    )
    TextConsent.objects.update(phone="+16035550155")
    InboundText.objects.update(phone="+16035550144", patient=fiona)
    for kind in ("staff_flag", "intake_second_look"):
        MessageFactory(kind=kind, patient=None, state="failed", reason="no such mailbox", settled_at=NOON)
        MessageFactory(kind=kind, patient=None, due_at=NOON - timedelta(hours=2))
    return rows | {"practice.patient": str(fiona.pk)}
