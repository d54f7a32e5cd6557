"""Explain to staff why a message waits, was skipped or failed, and what to do. Pure.

A reason is either one of our phrases ("quiet hours", or "not delivered" with the provider's code) or the output of
`mail.describe_error`: the error's class name, and the codes of the server or provider.
"""

import re
from datetime import timedelta

from clinic.outbox.text.time_limits import GIVE_UP_AFTER

_ERROR = re.compile(
    r"([A-Za-z_]*(?:Error|Exception|Refused|Unsure|Away|TooLong|Denied|Disconnected|Unknown|Timeout|gaierror|herror|timeout))((?: \d+)*)"
)
TRIED_FOR = f"{GIVE_UP_AFTER // timedelta(hours=1)} hours"
TELL = "If it happens again, tell your site administrator."
AWAY = f"The mail server did not answer. The site keeps trying for {TRIED_FOR}. {TELL}"
NOT_MADE = "The message could not be created. Call the patient, and tell your site administrator."
PHRASES = {
    "unknown whether it was sent": "It is unknown whether the text message went. Call the patient if it matters.",
    "tried for too long": f"The site tried for {TRIED_FOR}. Check that mail works, then send it again.",
    "no such mailbox": "The mailbox does not exist. Ask the patient for the address, correct it, then send it again.",
    "mailbox unknown": "The mailbox does not exist. Ask the patient for the address, correct it, then send it again.",
    "the address does not take our mail": "The address does not take our mail. Ask the patient for another one.",
    "the address said our mail was spam": "The patient called our mail spam. Call them before you write again.",
    "too late": "It was too late for this message to be of use.",
    "quiet hours": "It waits for the end of the quiet hours.",
    "the patient has no e-mail address": "The patient has no email address.",
    "the reader gets an e-mail instead": "The reader gets an email instead.",
    "cancelled by staff": "Staff canceled it.",
    "switched off by a rule": "Its message template is switched off.",
    "its flags are acknowledged": "The flags are marked as handled.",
    "waits for its text": "It waits until the text message that replaces it was sent.",
}
ERRORS = {
    "SMTPAuthenticationError": "The mail server refused the site's password. Tell your site administrator.",
    "SMTPSenderRefused": "The mail server does not let the clinic's address send. Tell your site administrator.",
    "SMTPDataError": "The mail server refused this message{code}. " + TELL,
    "SMTPNotSupportedError": "The mail server cannot write to this address. Check its spelling, then send it again.",
    "TextProviderAway": "The text message provider did not answer. The site keeps trying. " + TELL,
    "TextUnsure": PHRASES["unknown whether it was sent"],
    "TextTooLong": "The text is too long for one text message. Shorten it under Message templates.",
    "ValueError": "The message could not be created, most often because the patient has no email address. Add one on the "
    "patient's page, then send it again.",
}
NO_ANSWER = {
    *("SMTPServerDisconnected", "SMTPConnectError", "SMTPHeloError", "SMTPException", "SMTPResponseException"),
    *("OSError", "TimeoutError", "BrokenPipeError", "gaierror", "herror", "timeout"),
}


def explain_reason(reason: str) -> str:
    """Return `reason` as a sentence for staff, without code names; empty for an empty reason."""
    if found := _ERROR.fullmatch(reason.strip()):
        return _explain_error(found[1], [int(code) for code in found[2].split()])
    if undelivered := re.fullmatch(r"not delivered ?(\d*)", reason):
        code = f" (code {undelivered[1]})" if undelivered[1] else ""
        return f"The text message was not delivered{code}. Check the number, or call the patient."
    if reason in PHRASES or not reason:
        return PHRASES.get(reason, "")
    sentence = (reason[0].upper() + reason[1:]).replace("cancelled", "canceled")  # stored in either spelling
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _explain_error(name: str, codes: list[int]) -> str:
    code = f" (code {', '.join(map(str, codes))})" if codes else ""
    if name == "SMTPRecipientsRefused" or name == "AnymailRecipientsRefused":
        if codes and max(codes) < 500:
            return f"The patient's mail server put the message off{code}. The site keeps trying for {TRIED_FOR}."
        return (
            f"The patient's mail server does not take this address{code}. Ask for the address, correct it, send again."
        )
    if name == "TextRefused":
        return f"The text message provider refused the number{code}. Check it, or call the patient."
    if name.startswith("Anymail"):
        return f"The mail provider refused the message{code}. Tell your site administrator."
    if name in ERRORS:
        return ERRORS[name].format(code=code)
    is_network = name in NO_ANSWER or name.startswith(("SSL", "Connection"))
    return AWAY if is_network else NOT_MADE
