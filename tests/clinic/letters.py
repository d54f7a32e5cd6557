"""A message kind for tests, plain enough to look at what the outbox itself does."""

from clinic.outbox.kinds import Email, MessageKind, register_kind

UNWANTED = set()  # ids of messages that nobody wants any more


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
