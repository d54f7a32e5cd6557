"""A real SMTP server in a thread. It stores accepted emails and can be told to fail."""

import asyncio
import email
import email.policy
import threading

from aiosmtpd.smtp import SMTP


class PostOffice:
    """An SMTP server on a free local port.

    `answer_recipient` and `answer_data` return an SMTP reply for an address or an email, or None to accept it.
    """

    def __init__(self):
        self.mails = []
        self.answer_recipient = lambda address: None
        self.answer_data = lambda mail: None
        self.drops = lambda mail: False  # emails after which to hang up without a reply
        self.is_hanging = False  # store emails without replying
        self.took_one = threading.Event()

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.answer_recipient(address)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        if self.drops(mail):
            server.transport.abort()
            return "421 gone"
        answer = self.answer_data(mail)
        if answer is None:
            self.mails.append(mail)
            self.took_one.set()
        while self.is_hanging:
            await asyncio.sleep(0.02)
        return answer or "250 OK"

    def message_ids(self):
        return [mail["Message-ID"] for mail in self.mails]

    def open(self):
        """Listen on `port`, in a new thread, until `close`."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        greet = self._loop.create_server(lambda: SMTP(self, hostname="post.example"), "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(greet, self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self):
        self.is_hanging = False
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
