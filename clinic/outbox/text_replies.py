"""What people text back: STOP, START, HELP, and Y or C to a reminder."""

from datetime import datetime

from clinic.practice.models import Clinic
from clinic.practice.phone import format_phone

from .gsm import to_gsm
from .kinds import read_reply
from .texts import restore_consent, withdraw_consent

# The words that carriers hold everybody to.
STOP = {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
START = {"start", "unstop"}
HELP = {"help", "info"}
YES, CANNOT = {"y", "yes"}, {"c", "no", "n"}


def answer_text(*, phone: str, text: str, now: datetime) -> str:
    """Act on `text` from `phone` (E.164) and return what to say to it; empty for nothing.

    Saying the same again changes nothing. A word we do not know gets the telephone number.
    """
    word = text.strip().strip(".!").lower()
    clinic = Clinic.objects.current()
    call = f"call {format_phone(clinic.phone, clinic.country)}" if clinic.phone else "reply to our e-mail"
    if word in STOP:
        withdraw_consent(phone=phone, now=now)
        return ""  # the carrier itself says that they have stopped
    if word in START:
        restore_consent(phone=phone, now=now)
        return ""
    said = ""
    if word in YES | CANNOT:
        said = read_reply(phone, "yes" if word in YES else "cannot", now)
    elif word in HELP:
        said = f"Texts about your visits, one a day at most. For help {call}. Reply STOP to end them."
    return to_gsm(said or f"Nobody reads texts here. Please {call}. In an emergency call {clinic.emergency_number}.")
