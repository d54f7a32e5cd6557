"""Build the email to send from a rendered `Email`, and classify the errors of sending it."""

import re
import smtplib
from datetime import datetime
from email.utils import format_datetime, formataddr, parseaddr
from typing import Any

from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from clinic.outbox.messages.kinds import Email
from clinic.outbox.models import Message
from clinic.practice.models import Clinic
from clinic.practice.values.mail_addresses import normalize_address

_METHOD = re.compile(rb"^METHOD:([A-Z]+)\r?$", re.MULTILINE)


class ProviderMail(EmailMultiAlternatives):
    """An email with options for a provider's API: no tracking, and bounces contain the message's ID."""

    track_opens = track_clicks = False

    def __init__(self, *args: Any, metadata: dict[str, str], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.metadata = metadata


def build_mail(message: Message, email: Email, *, clinic: Clinic, now: datetime) -> ProviderMail:
    """Return the email to send for `message`, with the content of `email`.

    Every attempt to send `message` has the same Message-ID. Raises ValueError for a missing address (Django would
    silently send nothing), an address that is not ASCII after IDNA encoding, or a calendar without a METHOD.
    """
    if not email.to:
        raise ValueError("a mail needs an address")
    mail = ProviderMail(
        subject=" ".join(email.subject.split()),  # a line break would end the header
        body=email.text,
        from_email=formataddr((" ".join(clinic.name.split()), sender_address())),
        to=[_ascii_address(email.to)],
        reply_to=[_ascii_address(clinic.email)] if clinic.email else None,
        headers={
            "Message-ID": message.message_id,
            "Date": format_datetime(now),
            "Auto-Submitted": "auto-generated",  # suppresses vacation replies (RFC 3834)
        },
        metadata={"message": str(message.pk)},
    )
    if email.unsubscribe_url:
        mail.extra_headers |= one_click_headers(email.unsubscribe_url)
    if email.html:
        mail.attach_alternative(email.html, "text/html")
    if email.calendar is not None:
        _add_calendar(mail, email.calendar)
    return mail


def sender_address() -> str:
    """Return the From address of every email.

    Calendars use it as ORGANIZER too, because Outlook and Gmail compare the two (RFC 6047).
    """
    return _ascii_address(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])


def _add_calendar(mail: EmailMultiAlternatives, calendar: bytes) -> None:
    """Add the calendar as the last alternative, which Gmail, Outlook and Apple Mail act on (RFC 6047, 2.4).

    It is the only calendar part: some clients would show an attached copy as a second invitation. Provider APIs do not
    support such an alternative, so for them the calendar is an attachment instead.
    """
    kind = f"text/calendar; method={_calendar_method(calendar)}"
    if str(settings.MAILERS["default"]["BACKEND"]).startswith("anymail."):
        mail.attach("visit.ics", calendar, kind)
    else:
        mail.attach_alternative(calendar.decode(), kind)


def _ascii_address(address: str) -> str:
    """Return `address` with its domain encoded by IDNA 2008.

    Django and its mail libraries use IDNA 2003, which turns "faß.de" into another domain. Raises ValueError if the
    encoded address is not ASCII.
    """
    ascii_address = normalize_address(address)
    if not ascii_address.isascii():
        raise ValueError("no mail can go to this address")
    return ascii_address


def one_click_headers(url: str) -> dict[str, str]:
    """Return the headers with which mail clients offer one-click unsubscribe (RFC 2369, RFC 8058)."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _calendar_method(calendar: bytes) -> str:
    found = _METHOD.search(calendar)
    if not found:
        raise ValueError("a calendar that is mailed needs a METHOD")
    return found[1].decode()


def is_refused_for_good(error: BaseException) -> bool:
    """Whether `error` is permanent, so that a retry is pointless.

    Permanent are a server's 5xx for this email, a provider's 4xx, recipients that a provider refused, and an email that
    cannot be built or encoded. Not permanent are a 5xx in reply to our greeting or login, and a provider's 401 and 403,
    which are configuration errors, and a provider's 408 and 429, which are temporary.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError):
        return error.smtp_code >= 500
    if isinstance(error, AnymailError) and error.status_code:
        return 400 <= error.status_code < 500 and error.status_code not in (401, 403, 408, 429)
    return isinstance(error, AnymailRecipientsRefused | ValueError | smtplib.SMTPNotSupportedError)


def describe_error(error: BaseException) -> str:
    """Return the error's class name and the server's codes, if any. Contains no address and no content of the email."""
    codes: list[int | None] = [getattr(error, "smtp_code", None) or getattr(error, "status_code", None)]
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [*sorted({code for code, _ in error.recipients.values()})]
    return " ".join([type(error).__name__, *(str(code) for code in codes if code)])
