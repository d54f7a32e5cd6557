"""Read the messages that the mail sink has kept, one file each."""

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

SHOWN = 200  # messages in the list


@dataclass(frozen=True)
class Attachment:
    """A part that is neither the text nor the HTML body, such as an invitation."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    id: str
    received_at: datetime | None
    subject: str
    sender: str
    recipients: str
    headers: list[tuple[str, str]]
    text: str
    html: str
    attachments: list[Attachment]


def list_mail(folder: Path) -> list[Mail]:
    """The newest messages, newest first."""
    names = sorted((path.stem for path in folder.glob("*.eml")), reverse=True)
    return [mail for name in names[:SHOWN] if (mail := read_mail(folder, name))]


def read_mail(folder: Path, mail_id: str) -> Mail | None:
    """The message of that id, or None. The id must be a bare name; the URL's converter lets nothing else through."""
    try:
        message = message_from_bytes((folder / f"{mail_id}.eml").read_bytes(), policy=policy.default)
    except OSError:
        return None
    texts, htmls, attachments = _sort_parts(message)
    return Mail(
        id=mail_id,
        received_at=_received_at(mail_id),
        subject=str(message["Subject"] or "(no subject)"),
        sender=str(message["From"] or ""),
        recipients=str(message["X-Envelope-To"] or ""),
        headers=[(name, str(value)) for name, value in message.items()],
        text="\n".join(texts),
        html="\n".join(htmls),
        attachments=attachments,
    )


def _sort_parts(message: EmailMessage) -> tuple[list[str], list[str], list[Attachment]]:
    texts: list[str] = []
    htmls: list[str] = []
    attachments: list[Attachment] = []
    for part in message.walk():
        kind = part.get_content_type()
        if part.is_multipart():
            continue
        if part.is_attachment() or kind not in ("text/plain", "text/html"):
            attachments.append(Attachment(part.get_filename() or _plain_name(kind), kind, _decoded_bytes(part)))
        else:
            (texts if kind == "text/plain" else htmls).append(_decoded(part))
    return texts, htmls, attachments


def _plain_name(kind: str) -> str:
    return "invitation.ics" if kind == "text/calendar" else "attachment"


def _decoded(part: EmailMessage) -> str:
    try:
        return part.get_content()
    except (LookupError, ValueError):  # a character set that does not exist
        return _decoded_bytes(part).decode(errors="replace")


def _decoded_bytes(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _received_at(mail_id: str) -> datetime | None:
    with contextlib.suppress(ValueError):
        return datetime.strptime(mail_id.partition("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    return None
