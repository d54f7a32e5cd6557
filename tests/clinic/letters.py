"""A minimal message kind, for tests of the outbox itself."""

from django.conf import settings

from clinic.outbox.messages.kinds import Email, MessageKind, find_kind, register_kind
from clinic.outbox.messages.message_rules import rules_of, text_of
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


def register_letter(name="letter", **facts):
    """Register a kind called `name`; `facts` replace the minimal attributes of `MessageKind`."""
    plain = {
        "title": name,
        "render": lambda message, words, now: write_letter(message, now),
        "relevance": why_unwanted,
        "respects_quiet_hours": False,
    }
    register_kind(MessageKind(name=name, **plain | facts))


def register_letters():
    register_letter()
    register_letter("reminder letter", respects_quiet_hours=True)


def render_message(message, *, now):
    """Return the email of `message`, with the text of its template."""
    words = text_of(rules_of([message]).get(message.pk))
    return find_kind(message.kind).render(message, words, now)


def sweep(now=NOON):
    return send_due_messages(clock=lambda: now)


def fate(message):
    message.refresh_from_db()
    return message.state, message.reason


def written(caplog):
    """Return what the site's log would contain."""
    formatter = QuietFormatter(settings.LOGGING["formatters"]["line"]["format"])
    return "\n".join(formatter.format(record) for record in caplog.records)


def write_as(render):
    register_letter(render=lambda message, words, now: render(message, now))
