"""Email through a provider's HTTP API (django-anymail), against a local server that answers as Mailgun does."""

import base64
import json
import re
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import pytest

from clinic.env import parse_email_url
from clinic.outbox.messages.kinds import Email
from tests.clinic.letters import fate, sweep, write_as, written
from tests.factories import MessageFactory
from tests.world import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("letter_kinds")]


class Mailgun:
    """A fake Mailgun server. `bodies`: the form data it received. `status`: the status it answers with."""

    def __init__(self):
        self.bodies, self.status = [], 200
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # http.server requires this name
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                expected = "Basic " + base64.b64encode(b"api:key-1").decode()
                is_ours = self.path == "/v3/mg.clinic.example/messages" and self.headers["Authorization"] == expected
                status = outside.status if is_ours else 401
                if status == 200:
                    outside.bodies.append(body)
                content = json.dumps({"id": "<1@mg>", "message": "Queued. Thank you."}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def mailgun(settings):
    provider = Mailgun()
    mailer = parse_email_url("mailgun://key-1@mg.clinic.example").mailer
    mailer["OPTIONS"]["api_url"] = f"http://127.0.0.1:{provider.server.server_port}/v3"
    settings.MAILERS = {"default": mailer}
    yield provider
    provider.server.shutdown()
    provider.server.server_close()


def test_email_reaches_the_provider_with_its_message_id_and_without_tracking(mailgun):
    message = MessageFactory()
    assert sweep() == 1
    form = dict(parse_qsl(mailgun.bodies[0]))
    assert form["h:Message-Id"] == message.message_id
    assert form["text"] == f"Message {message.pk}.\n"
    assert form["o:tracking-opens"] == form["o:tracking-clicks"] == "no"
    assert form["v:message"] == str(message.pk)  # the provider returns it with a bounce
    assert fate(message)[0] == "sent"


def test_email_with_a_calendar_reaches_the_provider_with_one_attachment(mailgun):
    ics = b"BEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\nEND:VCALENDAR\r\n"
    write_as(lambda message, now: Email(to="a@example.com", subject="Visit", text="-", html="<p>-</p>", calendar=ics))
    message = MessageFactory()
    assert sweep() == 1
    assert fate(message)[0] == "sent"
    (body,) = mailgun.bodies
    assert body.count("METHOD:CANCEL") == 1
    assert 'filename="visit.ics"' in body
    assert re.search('Content-Type: text/calendar;[^\\n]*method="?CANCEL', body), body[-600:]


@pytest.mark.parametrize(
    ("status", "state"), [(400, "failed"), (401, "waiting"), (429, "waiting"), (500, "waiting"), (503, "waiting")]
)
def test_email_is_retried_unless_the_provider_rejected_it(mailgun, status, state, caplog):
    message = MessageFactory()
    mailgun.status = status
    sweep()
    assert fate(message)[0] == state
    assert str(status) in message.reason
    assert message.patient.email not in written(caplog)
    if state == "waiting":
        mailgun.status = 200
        assert sweep(now=NOON + timedelta(minutes=5)) == 1


def test_email_waits_when_no_provider_answers(mailgun):
    message = MessageFactory()
    mailgun.server.shutdown()
    mailgun.server.server_close()
    sweep()
    assert fate(message)[0] == "waiting"
