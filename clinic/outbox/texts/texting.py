"""Text messages: consent, caps and hours (47 CFR 64.1200(a)(9)(iv))."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F

from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.outbox.messages.kinds import MessageKind, find_kind
from clinic.outbox.messages.planning import draft_message, plan_messages, useful_until
from clinic.outbox.models import Channel, Message, State, TextConsent
from clinic.outbox.text.gsm import TextTooLong, fit_text, to_gsm
from clinic.outbox.text.quiet_hours import QuietHours, planned_around_quiet_hours
from clinic.outbox.texts.providers import has_texts, text_provider
from clinic.practice.models import Clinic, Patient
from clinic.practice.people.first_names import name_in_messages
from clinic.practice.values.phone import texting_number
from clinic.practice.values.zones import known_zone

FROM, UNTIL = time(9), time(20)  # texts are sent between these local times of the reader
MOST_A_DAY, MOST_A_WEEK = 1, 3
ENOUGH_TODAY = f"the patient got {MOST_A_DAY} text today"
ENOUGH_THIS_WEEK = f"the patient got {MOST_A_WEEK} texts in a week"
REPLY_WINDOW = timedelta(hours=1)  # before the last text; a reply may refer to any text sent since
UNSURE = "unknown whether it was sent"
BEYOND_THE_CAPS = "and one more if the clinic cancels or moves a visit"
_TERMS = (
    f"At most {MOST_A_DAY} reminder a day and {MOST_A_WEEK} a week, {BEYOND_THE_CAPS}. Message and data rates may apply. "
    "I can reply STOP to end them or HELP for help, and need not agree to be treated."
)
CONSENT_WORDS = "Send me texts about my visits, to the number ending in {ending}. " + _TERMS
FORM_CONSENT_TEXT = "Send me texts about my visits, to the number above. " + _TERMS  # for forms that ask for a number


def consent_text(patient: Patient) -> str:
    """Return the consent wording for `patient`. It is stored verbatim."""
    return CONSENT_WORDS.format(ending=patient.phone[-2:])


def consent_of(patient: Patient) -> TextConsent | None:
    """Return the consent in force for the current number of `patient`; None if there is none."""
    return TextConsent.objects.filter(patient=patient, phone=patient.phone, withdrawn_at=None).first()


@transaction.atomic
def give_consent(*, patient: Patient, wording: str, instead_of_email: bool, now: datetime) -> TextConsent:
    """Record that `patient` agreed to texts, in the given `wording`. It replaces an earlier consent.

    Plans texts beside the emails that are not yet due. Raises ValueError if the number of `patient` cannot receive
    texts (`texting_number`).
    """
    if not texting_number(patient.phone):
        raise ValueError("no text can go to this number")
    Patient.objects.select_for_update().get(pk=patient.pk)
    TextConsent.objects.filter(patient=patient, withdrawn_at=None).update(withdrawn_at=now)
    consent = TextConsent.objects.create(
        patient=patient, phone=patient.phone, wording=wording, instead_of_email=instead_of_email, given_at=now
    )
    record_access(actor=None, action=Action.CREATE, subject=consent, patient_id=patient.pk, now=now)
    plan_texts_beside_mails(patient, now)
    return consent


def plan_texts_beside_mails(patient: Patient, now: datetime) -> None:
    """Plan texts beside the emails that are not yet due, if `patient` has agreed to texts. Idempotent."""
    ahead = Message.objects.filter(patient=patient, channel=Channel.EMAIL, state=State.WAITING, due_at__gt=now)
    plan_messages(texts_beside(ahead.select_related("patient"), now=now))


def withdraw_consent(*, phone: str, now: datetime) -> int:
    """End every consent to texts to `phone`. Returns how many."""
    with transaction.atomic():
        consents = list(TextConsent.objects.filter(phone=phone, withdrawn_at=None).select_for_update())
        for consent in consents:
            consent.withdrawn_at = now
            consent.save(update_fields=["withdrawn_at"])
            record_access(actor=None, action=Action.UPDATE, subject=consent, patient_id=consent.patient_id, now=now)
    return len(consents)


@transaction.atomic
def restore_consent(*, phone: str, now: datetime) -> int:
    """Handle START: renew the last consent of each patient whose number is still `phone` and who has none in force.

    The wording is the same, after "START: ". Returns how many were renewed.
    """
    patients = Patient.objects.filter(phone=phone, text_consents__phone=phone).distinct()
    lapsed = [patient for patient in patients if consent_of(patient) is None]
    for patient in lapsed:
        last = TextConsent.objects.filter(patient=patient, phone=phone).latest("given_at")
        wording = f"START: {last.wording.removeprefix('START: ')}"
        give_consent(patient=patient, wording=wording, instead_of_email=last.instead_of_email, now=now)
    return len(lapsed)


def settle_consents(provisional: Patient, known: Patient, now: datetime) -> None:
    """Before a merge, end the consents of `provisional` that `known` must not inherit.

    Those are all if `known` has a consent in force, else those for a number other than that of `known`.
    """
    consents = TextConsent.objects.filter(patient=provisional, withdrawn_at=None)
    if consent_of(known) is not None:
        consents.update(withdrawn_at=now)
    else:
        consents.exclude(phone=known.phone).update(withdrawn_at=now)


def texts_beside(messages: Iterable[Message], *, now: datetime, with_news: bool = False) -> list[Message]:
    """Return drafts of the texts that accompany emails, for patients who agreed to texts and kinds that have a text.

    News has a text only if the clinic made the change (`with_news`), because patients know their own changes. Kinds
    with `is_texted_without_mail` have a text only for patients without an email address.
    """
    if not has_texts():
        return []
    kinds = {message.kind: find_kind(message.kind) for message in messages if message.patient}
    named = {name for name, kind in kinds.items() if kind.text_message and (with_news or not kind.is_news)}
    with_text = [
        message
        for message in messages
        if message.patient
        and message.kind in named
        and not (kinds[message.kind].is_texted_without_mail and message.patient.email)
    ]
    agreed = {patient for patient in {_reader(message) for message in with_text} if consent_of(patient)}
    if not agreed:
        return []
    clinic = Clinic.objects.current()
    return [_text_beside(message, clinic, now) for message in with_text if message.patient in agreed]


def _reader(message: Message) -> Patient:
    """Return the patient who receives a text. Raises ValueError for a message to staff, because staff get no texts."""
    if message.patient is None:
        raise ValueError("texts go to patients only")
    return message.patient


def _text_beside(message: Message, clinic: Clinic, now: datetime) -> Message:
    """Return the draft of a text that is due with its email `message`.

    If that is in the hours without texts and it would be too late after them, the text is due before them, unless that
    time has passed.
    """
    by = useful_until(due_at=message.due_at, not_after=message.not_after)
    earlier = planned_around_quiet_hours(message.due_at, text_hours(message, clinic), by=by)
    return draft_message(
        kind=message.kind,
        subject_id=message.subject_id,
        version=message.version,
        patient=message.patient,
        scope=message.scope,
        time_zone=message.time_zone,
        due_at=earlier if earlier > now else message.due_at,
        not_after=message.not_after,
        channel=Channel.SMS,
        now=now,
    )


def why_not_texted(message: Message, kind: MessageKind, *, clinic: Clinic, now: datetime) -> str | None:
    """Return why this text must not be sent: switched off, no consent, or over the cap. None if it may.

    News is exempt from the caps if the consent says so, because a wasted trip is worse than a second text. It counts
    toward the caps of later texts.
    """
    if not has_texts():
        return "texts are not switched on"
    patient = _reader(message)
    consent = consent_of(patient)
    if consent is None:
        return "the patient has not agreed to texts"
    if kind.is_news and BEYOND_THE_CAPS in consent.wording:
        return None
    zone = reader_zone(message, clinic)
    midnight = datetime.combine(now.astimezone(zone).date(), time(), zone).astimezone(UTC)
    sent = Message.objects.filter(patient__phone=patient.phone, channel=Channel.SMS, state=State.SENT)
    if sent.filter(settled_at__gte=midnight).count() >= MOST_A_DAY:
        return ENOUGH_TODAY
    if sent.filter(settled_at__gt=now - timedelta(days=7)).count() >= MOST_A_WEEK:
        return ENOUGH_THIS_WEEK
    return None


def texts_just_sent(*, phone: str) -> list[Message]:
    """Return the last text sent to `phone`, and those sent within REPLY_WINDOW before it.

    A number can get a new owner. So a text counts only if it was sent under a consent for this number that is still in
    force.
    """
    went_there = Message.objects.filter(
        channel=Channel.SMS,
        state=State.SENT,
        patient__phone=phone,
        patient__text_consents__phone=phone,
        patient__text_consents__withdrawn_at=None,
        settled_at__gte=F("patient__text_consents__given_at"),
    ).order_by("-settled_at")
    last_at = went_there.values_list("settled_at", flat=True).first()
    return list(went_there.filter(settled_at__gte=last_at - REPLY_WINDOW)) if last_at else []


def text_hours(message: Message, clinic: Clinic) -> QuietHours:
    """Return the hours in which no text is sent: UNTIL in the evening to FROM in the morning."""
    return QuietHours(UNTIL, FROM, reader_zone(message, clinic))


def send_text(message: Message, template: str, *, now: datetime) -> None:
    """Send `message` through the provider, rendered from `template`.

    Raises TextTooLong, and the errors of `TextProvider.send`.
    """
    number = texting_number(_reader(message).phone)
    text_provider().send(to=number, text=write_text(message, template, now=now), message_id=message.pk)


def write_text(message: Message, template: str, *, now: datetime) -> str:
    """Return `template`, filled in for `message`. Raises TextTooLong.

    It begins with the patient's first name if they asked for that, the GSM alphabet can spell it, and there is room.
    """
    values = find_kind(message.kind).text_values(message, now)
    name = to_gsm(name_in_messages(message.patient))
    if name and "?" not in name:
        with suppress(TextTooLong):
            return fit_text(f"{name}: {template}", values)
    return fit_text(template, values)


def fail_unsure_texts(*, now: datetime) -> int:
    """Fail texts whose worker died while sending, and return how many.

    They are not retried: a text has no Message-ID, so a second copy would not be recognized as a duplicate.
    """
    unsure = Message.objects.filter(channel=Channel.SMS, state=State.SENDING, lease_until__lte=now, attempts__gt=0)
    return unsure.update(state=State.FAILED, reason=UNSURE, settled_at=now, lease_until=None, lease_token=None)


def reader_zone(message: Message, clinic: Clinic) -> ZoneInfo:
    """Return the zone of the quiet hours for `message`: its own, else the clinic's."""
    return known_zone(message.time_zone) or clinic.zone
