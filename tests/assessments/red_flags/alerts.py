"""Sending due alerts about flags."""

from clinic.outbox.sending.claims import claim_due_messages
from clinic.outbox.sending.hand_over import send_claimed

URGENT = {"rf.move": ["walk-groin"]}
EMERGENCY = {"rf.leg": ["saddle"]}


def send_due(now):
    for message in claim_due_messages(now=now, limit=50):
        send_claimed(message, now=now)
