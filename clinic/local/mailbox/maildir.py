"""Read the messages that the mail sink has kept in a Maildir."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from mailbox import Maildir
from pathlib import Path

SHOWN, KEPT = 200, 500  # messages in the list, and in the folder when a run starts


@dataclass(frozen=True)
class Attachment:
    """A part that is neither the text nor the HTML body, such as an invitation."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    id: str
    received_at: datetime
    subject: str
    sender: str
    recipients: str
    headers: list[tuple[str, str]]
    text: str
    html: str
    attachments: list[Attachment]


def list_mail(folder: Path) -> list[Mail]:
    """Return the newest SHOWN messages, newest first."""
    box = Maildir(folder)
    return [mail for mail_id in _newest_first(box)[:SHOWN] if (mail := _read(box, mail_id))]


def delete_old_mail(folder: Path) -> None:
    """Delete all but the newest KEPT messages."""
    box = Maildir(folder)
    for mail_id in _newest_first(box)[KEPT:]:
        box.discard(mail_id)


def read_mail(folder: Path, mail_id: str) -> Mail | None:
    """Return the message with this id, or None."""
    return _read(Maildir(folder), mail_id)


def _newest_first(box: Maildir) -> list[str]:
    return sorted(box.keys(), key=_received_at, reverse=True)


def _read(box: Maildir, mail_id: str) -> Mail | None:
    try:
        message = message_from_bytes(box.get_bytes(mail_id), policy=policy.default)
    except KeyError:
        return None
    parts = [part for part in message.walk() if not part.is_multipart()]
    bodies = [part for part in parts if part.get_content_maintype() == "text" and not _is_attachment(part)]
    return Mail(
        id=mail_id,
        received_at=_received_at(mail_id),
        subject=str(message["Subject"] or "(no subject)"),
        sender=str(message["From"] or ""),
        recipients=str(message["X-RcptTo"] or ""),
        headers=[(name, str(value)) for name, value in message.items()],
        text="\n".join(_read_text(part) for part in bodies if part.get_content_subtype() == "plain"),
        html="\n".join(_read_text(part) for part in bodies if part.get_content_subtype() == "html"),
        attachments=[_read_attachment(part) for part in parts if _is_attachment(part)],
    )


def _is_attachment(part: EmailMessage) -> bool:
    return part.is_attachment() or part.get_content_type() not in ("text/plain", "text/html")


def _read_attachment(part: EmailMessage) -> Attachment:
    kind = part.get_content_type()
    plain_name = "invitation.ics" if kind == "text/calendar" else "attachment"
    return Attachment(part.get_filename() or plain_name, kind, _read_bytes(part))


def _read_text(part: EmailMessage) -> str:
    try:
        return part.get_content()
    except (LookupError, ValueError):  # an unknown character set
        return _read_bytes(part).decode(errors="replace")


def _read_bytes(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _received_at(mail_id: str) -> datetime:
    """Return the instant in a Maildir file name, such as `1767222000.M90210P7Q1.localhost`."""
    seconds, microseconds = re.findall(r"\d+", mail_id)[:2]
    return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(microseconds))
