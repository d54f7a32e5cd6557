"""A real SMTP server in a thread, which keeps what it takes and can be told to misbehave."""

import asyncio
import email
import email.policy
import threading

from aiosmtpd.controller import Controller


class PostOffice:
    """Takes mail on a free local port. `answer_recipient` and `answer_data` map an address or a mail to an answer or None."""

    def __init__(self):
        self.mails = []
        self.answer_recipient = lambda address: None
        self.answer_data = lambda mail: None
        self.is_hanging = False  # having taken a mail, never say so
        self.took_one = threading.Event()

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.answer_recipient(address)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        answer = self.answer_data(mail)
        if answer is None:
            self.mails.append(mail)
            self.took_one.set()
        while self.is_hanging:
            await asyncio.sleep(0.02)
        return answer or "250 OK"

    def message_ids(self):
        return [mail["Message-ID"] for mail in self.mails]


def open_post_office():
    """A PostOffice and the running Controller in front of it; the caller stops it."""
    office = PostOffice()
    controller = Controller(office, hostname="127.0.0.1", port=0)
    controller.start()
    office.port = controller.server.sockets[0].getsockname()[1]
    return office, controller
