"""The words of our messages about a visit, as they come; a clinic can write its own in the admin.

Subject and opening only. Where, when and the links follow from templates/emails/booking_visit, the same in every message.
"""

from clinic.outbox.messages.kinds import Email, Reworded, Sample, Timing, Words
from clinic.outbox.messages.rendering import render_email
from clinic.outbox.text.gsm import length, to_gsm
from clinic.practice.models import Clinic
from clinic.practice.values.phone import format_phone

BOOKED, MOVED, CANCELLED = "booking_booked", "booking_moved", "booking_cancelled"
REMINDER_48H, REMINDER_2H = "booking_reminder_48h", "booking_reminder_2h"
CONFIRM_FAR = "booking_confirm_far"
INTAKE_3D, INTAKE_1D = "booking_intake_3d", "booking_intake_1d"
FOLLOW_UP = "booking_follow_up"
CLINIC_MOVED, CLINIC_DETAILS = "booking_clinic_moved", "booking_clinic_details"
OFFER = "booking_offer"
ON_WAIT_LIST, WAIT_STUCK = "booking_on_wait_list", "booking_wait_stuck"

FRAME = "booking_visit"
TEXTS = {
    # To patients without an e-mail address only.
    BOOKED: "{clinic}: you are booked {day_word}, {time}. To move or cancel, call {phone}. STOP ends texts.",
    CONFIRM_FAR: "{clinic}: will you be there {day_word}, {time}? Reply Y for yes, C if you can't. STOP ends texts. Call {phone}",
    REMINDER_48H: "{clinic}: your visit is {day_word}, {time}. Reply Y if you come, C if you can't. STOP ends texts. Call {phone}",
    REMINDER_2H: "{clinic}: your visit is {day_word}, {time}. Can't come? Reply C or call {phone}. STOP ends texts.",
    # When the clinic itself made the change.
    MOVED: "{clinic}: {news}. Reply Y if you come, C if not. STOP ends texts. Call {phone}",
    CLINIC_MOVED: "{clinic} moved to {new_address}. Your visit is still {day_word}, {time}. STOP ends texts. Call {phone}",
    CANCELLED: "{clinic}: we are sorry, we had to cancel your visit {day_word}, {time}. Call {phone} for a new time. STOP ends texts.",
}
ASKS_WHETHER_COMING = {REMINDER_48H, REMINDER_2H, CONFIRM_FAR}
TEXT_ASKS_WHETHER_COMING = ASKS_WHETHER_COMING | {MOVED}
DAY = 24 * 60  # minutes

PLACEHOLDERS = {
    "day_word": "today, tomorrow or on Tuesday 1 December, as the reader would say it when the message is sent",
    "day": "Tuesday 1 December, by the reader’s calendar",
    "time": "9:00 am EST, by the reader’s clock",
    "when": "Tuesday 1 December, 9:00 am EST, by the reader’s clock",
    "place": "the clinic’s address, or who calls whom",
    "therapist": "the therapist’s name",
    "reference": "RC-7K3M9Q",
    "clinic": "the clinic’s name",
    "phone": "the clinic’s telephone number",
}

# Of the kind that says what has changed.
CHANGE_PLACEHOLDERS = {
    "change": "Your visit is moved, or: Your visit is now with Nora Field, PT",
    "news": "the same for a text: we moved your visit to Tuesday 1 December, 9:00 am EST",
}

# Of the kind that says where the clinic is now.
ADDRESS_PLACEHOLDERS = {"new_address": "9 Lake Road, Laconia, or less where that is too long for a text"}
LONGEST_ADDRESS_IN_A_TEXT = 32  # what the other words leave of one text

_QUESTIONS = (
    "Your visit is {day_word} at {time}. A few questions before it are still open. Your answers help us to prepare; "
    "you can stop and go on later."
)

# title, timing, minutes, subject, opening
_DEFAULTS = {
    BOOKED: (
        "Booking confirmation",
        Timing.AT_ONCE,
        0,
        "You are booked: {day}, {time}",
        "You are booked. If your plans change, the link below lets you move or cancel.",
    ),
    MOVED: (
        "Visit moved",
        Timing.AT_ONCE,
        0,
        "{change}: {day}, {time}",
        "Your visit has changed. If your plans change too, the link below lets you move or cancel. Links in earlier "
        "messages have ended.",
    ),
    CANCELLED: (
        "Visit cancelled",
        Timing.AT_ONCE,
        0,
        "Cancelled: your visit on {day}, {time}",
        "This visit is cancelled. You do not need to do anything.",
    ),
    CLINIC_MOVED: (
        "The clinic has a new address",
        Timing.AT_ONCE,
        0,
        "The clinic has moved: your visit on {day}, {time}",
        "The clinic has moved. Your visit stays on {day}, {time}. It is now at {place}. Please go to the new address. "
        "The calendar entry in this message replaces the one you have.",
    ),
    CLINIC_DETAILS: (
        "The clinic has a new name or phone number",
        Timing.AT_ONCE,
        0,
        "New clinic details for your visit on {day}, {time}",
        "Your visit stays on {day}, {time}. Our name is {clinic}, and you can call {phone}. One of the two is new. "
        "The calendar entry in this message replaces the one you have.",
    ),
    CONFIRM_FAR: (
        "Still coming? (booked three weeks ahead or more)",
        Timing.BEFORE,
        7 * DAY,
        "Will you be there {day_word}?",
        "You booked this visit a while ago. It is {day_word} at {time}. Please tell us whether you will be there.",
    ),
    REMINDER_48H: (
        "First reminder",
        Timing.BEFORE,
        2 * DAY,
        "Your visit {day_word}, {time}",
        "Your visit is {day_word} at {time}. Please tell us by the link below whether you will be there.",
    ),
    REMINDER_2H: (
        "Last reminder",
        Timing.BEFORE,
        120,
        "Your visit {day_word}, {time}",
        "Your visit is {day_word} at {time}.",
    ),
    INTAKE_3D: (
        "First reminder of open questions",
        Timing.BEFORE,
        3 * DAY,
        "A few questions before your visit {day_word}",
        _QUESTIONS,
    ),
    INTAKE_1D: (
        "Last reminder of open questions",
        Timing.BEFORE,
        DAY,
        "A few questions before your visit {day_word}",
        _QUESTIONS,
    ),
    FOLLOW_UP: (
        "Follow-up after the visit",
        Timing.AFTER,
        DAY,
        "Thank you for your visit at {clinic}",
        "Thank you for coming. If a question has come up since, reply to this message or call us. "
        "You can book another visit below whenever it suits you.",
    ),
}


OWN_PLACEHOLDERS = {MOVED: CHANGE_PLACEHOLDERS, CLINIC_MOVED: ADDRESS_PLACEHOLDERS}


def short_address(clinic: Clinic) -> str:
    """The clinic's address as far as it fits into a text: never cut, as half of an address leads elsewhere."""
    parts = [to_gsm(part) for part in (clinic.street, clinic.city) if part.strip()]
    for address in (", ".join(parts), parts[0] if clinic.street.strip() else ""):
        if address and length(address) <= LONGEST_ADDRESS_IN_A_TEXT:
            return address
    return "a new address"


def reworded(kind: str) -> Reworded | None:
    """What staff may change of `kind`; None if it has no words here."""
    if kind not in _DEFAULTS:
        return None
    title, timing, minutes, subject, text = _DEFAULTS[kind]
    return Reworded(
        title=title,
        timing=timing,
        minutes=minutes,
        words=Words(subject, text),
        placeholders=PLACEHOLDERS | OWN_PLACEHOLDERS.get(kind, {}),
        text_message=TEXTS.get(kind, ""),
        samples=sample_values,
        preview=lambda words, sample: _preview(kind, words, sample),
    )


def buttons(
    kind: str, *, visit_url: str, intake_url: str, booking_url: str, is_standing: bool, is_confirmed: bool
) -> dict:
    """The one button and the links of a message of `kind`, for its template."""
    none = {"coming_url": "", "not_coming_url": "", "intake_url": intake_url, "see_url": ""}
    if kind == FOLLOW_UP:
        return {**none, "intake_url": "", "button_url": booking_url, "button_text": "Book another visit"}
    if kind in (INTAKE_3D, INTAKE_1D) and intake_url:
        button = {"button_url": intake_url, "button_text": "Answer the questions"}
        return {**none, **button, "intake_url": "", "see_url": visit_url}
    if kind in ASKS_WHETHER_COMING and is_standing and not is_confirmed:
        button = {"button_url": f"{visit_url}coming/", "button_text": "I’ll be there"}
        return {**none, **button, "not_coming_url": f"{visit_url}not-coming/", "see_url": visit_url}
    words = "See or change your visit" if is_standing else "See your visit"
    return {**none, "button_url": visit_url, "button_text": words}


def _preview(kind: str, words: Words, sample: Sample) -> Email:
    links = buttons(
        kind,
        visit_url="https://clinic.example/visits/…/",
        intake_url="https://clinic.example/intake/…/" if kind != CANCELLED else "",
        booking_url="https://clinic.example/book/",
        is_standing=kind != CANCELLED,
        is_confirmed=False,
    )
    clinic = sample_clinic(sample)
    context = {**sample_values(sample), **links, "when_beside": "", "bring": clinic.what_to_bring}
    return render_email(kind, to="alice@example.com", context=context, clinic=clinic, words=words, frame=FRAME)


def sample_values(sample: Sample) -> dict:
    """What the placeholders hold in a preview."""
    return _samples(sample_clinic(sample))[sample]


def sample_clinic(sample: Sample) -> Clinic:
    """Our own clinic, or one whose every line is as long and as hostile as can be."""
    return Clinic.objects.current() if sample == Sample.EVERYDAY else _worst_clinic()


def _worst_clinic() -> Clinic:
    name = ("Wałbrzych & “Söhne” <b>Läufer</b> {day}\r\nBcc: spy@example.com " + "W" * 100)[:100]
    return Clinic(name=name, street="W" * 120, city="W" * 80, phone="+4915112345678901"[:16], what_to_bring="&<>" * 80)


def _samples(clinic: Clinic) -> dict[Sample, dict]:
    return {
        Sample.EVERYDAY: {
            "day_word": "tomorrow",
            "day": "Tuesday 1 December",
            "time": "9:00 am EST",
            "when": "Tuesday 1 December, 9:00 am EST",
            "place": ", ".join(part for part in (clinic.name, clinic.street, clinic.city) if part),
            "therapist": "Nora Field, PT",
            "change": "Your visit is moved",
            "news": "we moved your visit to Tuesday 1 December, 9:00 am EST",
            "new_address": short_address(clinic),
            "reference": "RC-7K3M9Q",
            "clinic": clinic,
            "phone": format_phone(clinic.phone, clinic.country),
        },
        Sample.WORST: {
            "day_word": "on Wednesday 30 September",
            "day": "Wednesday 30 September",
            "time": "12:45 pm UTC+12:45",
            "when": "Wednesday 30 September, 12:45 pm UTC+12:45",
            "place": ", ".join((clinic.name, clinic.street, clinic.city, "W" * 80, "W" * 16)),
            "therapist": "W" * 120,
            "change": f"Your visit is moved, now with {'W' * 120}",
            "news": f"you are now with {'W' * 12} on Wednesday 30 September, 12:45 pm UTC+12:45",
            "new_address": "W" * LONGEST_ADDRESS_IN_A_TEXT,
            "reference": "RC-WWWWWW",
            "clinic": clinic,
            "phone": format_phone(clinic.phone, clinic.country),
        },
    }
