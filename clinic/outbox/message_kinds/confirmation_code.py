"""The email with a code that patients enter to confirm their identity before stored answers are shown."""

from datetime import datetime, timedelta

from django.db import transaction

from clinic.outbox.messages.kinds import Email, MessageKind, TemplateText
from clinic.outbox.messages.planning import plan_message
from clinic.outbox.messages.rendering import render_email
from clinic.outbox.models import Message
from clinic.practice.access.confirmation import CODE_LASTS, digits_of
from clinic.practice.models import Clinic, ConfirmationCode, Patient

CONFIRMATION_CODE = "confirmation_code"


@transaction.atomic
def send_code(*, patient: Patient, now: datetime) -> ConfirmationCode:
    """Plan an email to `patient` with a new code, and return the code. Earlier codes stop working.

    Rate limiting is up to the caller.
    """
    code = ConfirmationCode.objects.create(patient=patient, created_at=now)
    plan_message(
        kind=CONFIRMATION_CODE,
        subject_id=code.pk,
        version=1,
        patient=patient,
        due_at=now,
        not_after=now + CODE_LASTS,
        now=now,
    )
    return code


def _render(message: Message, template: TemplateText | None, now: datetime) -> Email:
    code = ConfirmationCode.objects.select_related("patient").get(pk=message.subject_id)
    context = {"digits": digits_of(code), "minutes": CODE_LASTS // timedelta(minutes=1)}
    clinic, patient = Clinic.objects.current(), code.patient
    return render_email(CONFIRMATION_CODE, to=patient.email, context=context, clinic=clinic, patient=patient)


def _why_unwanted(message: Message, now: datetime) -> str | None:
    code = ConfirmationCode.objects.get(pk=message.subject_id)
    if code.used_at is not None:
        return "the code was used"
    newer = ConfirmationCode.objects.filter(patient=code.patient_id, created_at__gt=code.created_at)
    return "a newer code was sent" if newer.exists() else None


KIND = MessageKind(
    name=CONFIRMATION_CODE,
    title="Confirmation code",
    render=_render,
    relevance=_why_unwanted,
    respects_quiet_hours=False,
)
