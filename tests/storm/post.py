"""A mail server that fails on purpose. The Message-ID alone decides how it fails, so the rows can be checked."""

import asyncio
import email
import email.policy
import hashlib
import time
from collections import Counter
from dataclasses import dataclass

from tests.post_office import PostOffice

HANGS_S = 4.5  # longer than a worker's timeout, PATIENCE_S


@dataclass(frozen=True)
class Copy:
    """One email that the server accepted."""

    message_id: str
    subject: str
    began_at: float  # real timestamp of the start of the SMTP conversation
    taken_at: float
    was_dropped: bool  # accepted, but the connection was cut before the reply


def weather_of(message_id: str) -> str:
    """Return how the server treats this message.

    3 % are refused for good, 10 % are refused once, 5 % are accepted but the connection is cut before the reply, and
    2 % get no reply for HANGS_S. The rest is fine.
    """
    number = int(hashlib.sha256(message_id.encode()).hexdigest()[:8], 16) % 100
    for limit, weather in ((3, "refused"), (13, "not now"), (18, "dropped"), (20, "hanging")):
        if number < limit:
            return weather
    return "fine"


class StormyPostOffice(PostOffice):
    """Fails on the first attempt of a message only, except for messages that it refuses for good."""

    def __init__(self):
        super().__init__()
        self.copies: list[Copy] = []
        self.tries = Counter()
        self.moods = Counter()

    async def handle_MAIL(self, server, session, envelope, address, options):
        session.began_at = time.time()
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        message_id = mail["Message-ID"]
        weather = weather_of(message_id)
        self.tries[message_id] += 1
        if weather == "refused":
            self.moods[weather] += 1
            return "550 never"
        if self.tries[message_id] > 1:
            weather = "fine"
        if weather != "fine":
            self.moods[weather] += 1
        if weather == "not now":
            return "451 not now"
        if weather == "hanging":
            await asyncio.sleep(HANGS_S)
            return "451 too late"
        self.copies.append(Copy(message_id, mail["Subject"], session.began_at, time.time(), weather == "dropped"))
        if weather == "dropped":
            server.transport.abort()
            return "421 gone"
        return "250 OK"
