"""Build the mail that is sent from a rendered `Email`, and read the errors of sending it."""

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
    """A mail with options for a provider's API: no tracking, and bounces carry the message's ID."""

    track_opens = track_clicks = False

    def __init__(self, *args: Any, metadata: dict[str, str], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.metadata = metadata


def build_mail(message: Message, email: Email, *, clinic: Clinic, now: datetime) -> ProviderMail:
    """Return the mail of `message` with the content of `email`; every copy of one message carries the same Message-ID.

    Raises ValueError for a missing address (Django would silently send nothing), an invalid one, or a calendar without a
    METHOD.
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
    """Return the address that every mail comes from.

    Calendars name it as ORGANIZER: Outlook and Gmail compare the two (RFC 6047).
    """
    return _ascii_address(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])


def _add_calendar(mail: EmailMultiAlternatives, calendar: bytes) -> None:
    """Add the one calendar part: the last alternative, on which Gmail, Outlook and Apple Mail act (RFC 6047, 2.4).

    A second copy as a file would be a second invitation in some of them. A provider's API does not take such an
    alternative: there it is an attachment.
    """
    kind = f"text/calendar; method={_calendar_method(calendar)}"
    if str(settings.MAILERS["default"]["BACKEND"]).startswith("anymail."):
        mail.attach("visit.ics", calendar, kind)
    else:
        mail.attach_alternative(calendar.decode(), kind)


def _ascii_address(address: str) -> str:
    """Return the address with its domain by IDNA 2008.

    Django and the mail libraries below it would use IDNA 2003, by which "faß.de" is another domain. Raises ValueError for an
    address that is not ASCII after that.
    """
    ascii_address = normalize_address(address)
    if not ascii_address.isascii():
        raise ValueError("no mail can go to this address")
    return ascii_address


def one_click_headers(url: str) -> dict[str, str]:
    """Return the headers by which a mail program offers to unsubscribe with one click (RFC 2369, RFC 8058)."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _calendar_method(calendar: bytes) -> str:
    found = _METHOD.search(calendar)
    if not found:
        raise ValueError("a calendar that is mailed needs a METHOD")
    return found[1].decode()


def is_refused_for_good(error: BaseException) -> bool:
    """Whether the failure is permanent: the server refused this mail with a 5xx, or it cannot be encoded.

    A 5xx to our greeting or password is a fault of our settings and is retried, as is a provider's 401 or 403.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError):
        return error.smtp_code >= 500
    if isinstance(error, AnymailError) and error.status_code:
        return 400 <= error.status_code < 500 and error.status_code not in (401, 403, 408, 429)
    return isinstance(error, AnymailRecipientsRefused | ValueError | smtplib.SMTPNotSupportedError)


def describe_error(error: BaseException) -> str:
    """Return the error's class and the server's code, if there is one; no address and no content of the mail."""
    codes: list[int | None] = [getattr(error, "smtp_code", None) or getattr(error, "status_code", None)]
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [*sorted({code for code, _ in error.recipients.values()})]
    return " ".join([type(error).__name__, *(str(code) for code in codes if code)])
