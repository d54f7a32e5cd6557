"""/_mail/ on real messages, taken by the real sink over SMTP."""

import smtplib
import socket
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from django.urls import reverse

from clinic.local import mail_sink
from clinic.local.folder import ROOT
from clinic.local.mailbox import list_mail, read_mail
from clinic.practice.models import Clinic

pytestmark = [pytest.mark.urls("tests.local.urls")]

AT_NINE = datetime(2026, 1, 13, 15, 0, tzinfo=UTC)
AT_TEN = datetime(2026, 1, 13, 16, 0, tzinfo=UTC)
INVITATION = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"


def confirmation(subject="Your visit on Tue, Jan 13", html="<html><head></head><body><p>See you</p></body></html>"):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Lakes Clinic <hello@clinic.example>", "alice@example.org", subject
    mail.set_content("See you on Tuesday.\n\nYour visit: http://127.0.0.1:8000/visits/abc/\n<script>alert(1)</script>")
    mail.add_alternative(html, subtype="html")
    mail.add_alternative(INVITATION.decode(), subtype="calendar", params={"method": "REQUEST"})
    return mail


@pytest.fixture
def mailbox(tmp_path, settings):
    settings.MAILBOX_DIR = str(tmp_path)
    return tmp_path


@pytest.fixture
def clinic_row(db):
    return Clinic.objects.first()


def keep(mailbox, mail, *, now=AT_NINE):
    return mail_sink.keep_message(mailbox, mail.as_bytes(), recipients=["alice@example.org"], now=now).stem


def test_sink_keeps_what_smtp_brings(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        fd, port = listener.fileno(), listener.getsockname()[1]
        argv = [sys.executable, "-m", "clinic.local.mail_sink", str(fd), str(tmp_path / "mail")]
        sink = subprocess.Popen(argv, pass_fds=(fd,), cwd=ROOT)
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as smtp:
            smtp.send_message(confirmation(), to_addrs=["alice@example.org", "bob@example.org"])
    finally:
        sink.terminate()
    assert sink.wait(5) == 0
    [mail] = list_mail(tmp_path / "mail")
    assert mail.subject == "Your visit on Tue, Jan 13"
    assert mail.recipients == "alice@example.org, bob@example.org"
    assert [file.suffix for file in (tmp_path / "mail").iterdir()] == [".eml"]


def test_sink_drops_the_oldest_when_full(tmp_path, monkeypatch):
    monkeypatch.setattr(mail_sink, "KEPT", 2)
    for hour, subject in enumerate(("first", "second", "third")):
        keep(tmp_path, confirmation(subject), now=AT_NINE.replace(hour=hour))
    assert [mail.subject for mail in list_mail(tmp_path)] == ["third", "second"]


def test_list_shows_newest_first(client, mailbox, clinic_row):
    keep(mailbox, confirmation("Booked"), now=AT_NINE)
    keep(mailbox, confirmation("Tomorrow"), now=AT_TEN)
    page = client.get(reverse("mailbox:list")).content.decode()
    assert page.index("Tomorrow") < page.index("Booked")


def test_list_says_what_to_do_when_empty(client, mailbox, clinic_row):
    assert "No message yet" in client.get(reverse("mailbox:list")).content.decode()


def test_message_has_working_links_and_nothing_that_runs(client, mailbox, clinic_row):
    mail_id = keep(mailbox, confirmation())
    page = client.get(reverse("mailbox:message", args=[mail_id])).content.decode()
    assert '<a href="http://127.0.0.1:8000/visits/abc/"' in page
    assert "<script>alert" not in page
    assert f'src="{reverse("mailbox:html", args=[mail_id])}"' in page


def test_html_part_is_framed_without_scripts(client, mailbox, db):
    mail_id = keep(mailbox, confirmation(html="<html><head></head><body><script>alert(1)</script></body></html>"))
    response = client.get(reverse("mailbox:html", args=[mail_id]))
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "script" not in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert '<head><base target="_blank">' in response.content.decode()


def test_invitation_is_a_download(client, mailbox, db):
    mail_id = keep(mailbox, confirmation())
    response = client.get(reverse("mailbox:attachment", args=[mail_id, 0]))
    assert response["Content-Type"] == "text/calendar"
    assert response["Content-Disposition"] == 'attachment; filename="invitation.ics"'
    assert b"METHOD:REQUEST" in response.content


@pytest.mark.parametrize(
    "path",
    [
        "/_mail/20260113T150000000000-00000000/",
        "/_mail/20260113T150000000000-00000000/html/",
        "/_mail/..%2F..%2Fsecret-key/",
        "/_mail/%2e%2e/",
        "/_mail/secret%00/",
        "/_mail/a/attachments/0/",
    ],
)
def test_unknown_id_is_a_404(client, mailbox, clinic_row, path):
    (mailbox.parent / "secret-key.eml").write_text("Subject: secret\n\n")
    assert client.get(path).status_code == 404


def test_attachment_beyond_the_last_is_a_404(client, mailbox, clinic_row):
    mail_id = keep(mailbox, confirmation())
    assert client.get(reverse("mailbox:attachment", args=[mail_id, 7])).status_code == 404


def test_text_without_html_has_no_frame(client, mailbox, clinic_row):
    mail = EmailMessage()
    mail["Subject"] = "Plain"
    mail.set_content("Only text")
    mail_id = keep(mailbox, mail)
    assert "<iframe" not in client.get(reverse("mailbox:message", args=[mail_id])).content.decode()
    assert client.get(reverse("mailbox:html", args=[mail_id])).status_code == 404


def test_message_in_a_character_set_that_does_not_exist_is_still_shown(tmp_path):
    raw = b"Subject: Odd\r\nContent-Type: text/plain; charset=no-such-set\r\n\r\nHello"
    kept = mail_sink.keep_message(tmp_path, raw, recipients=["bob@example.org"], now=AT_NINE)
    assert read_mail(tmp_path, kept.stem).text.strip() == "Hello"
