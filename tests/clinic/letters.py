"""A plain message kind, for tests of the outbox itself."""

from django.conf import settings

from clinic.outbox.messages.kinds import Email, MessageKind, register_kind
from clinic.outbox.sending.hand_over import send_due_messages
from clinic.web.logs import QuietFormatter
from tests.world import NOON

UNWANTED = set()  # ids of messages that are no longer relevant


def write_letter(message, now):
    return Email(
        to=message.patient.email,
        subject="Your visit",
        text=f"Message {message.pk}.\n",
        html=f"<p>Message {message.pk}.</p>",
    )


def why_unwanted(message, now):
    return "the visit was cancelled" if message.pk in UNWANTED else None


def register_letters():
    register_kind(MessageKind("letter", write_letter, why_unwanted, respects_quiet_hours=False))
    register_kind(MessageKind("reminder letter", write_letter, why_unwanted, respects_quiet_hours=True))


def sweep(now=NOON):
    return send_due_messages(clock=lambda: now)


def fate(message):
    message.refresh_from_db()
    return message.state, message.reason


def written(caplog):
    """What the site's own log would hold."""
    formatter = QuietFormatter(settings.LOGGING["formatters"]["line"]["format"])
    return "\n".join(formatter.format(record) for record in caplog.records)


def write_as(render):
    register_kind(MessageKind("letter", render, why_unwanted, respects_quiet_hours=False))
