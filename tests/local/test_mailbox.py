"""The mail sink, which receives messages over SMTP, and the pages under /_mail/ that show them."""

import smtplib
from email.message import EmailMessage
from mailbox import Maildir
from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from clinic.local.mailbox import maildir
from clinic.local.mailbox.maildir import delete_old_mail, list_mail, read_mail
from clinic.practice.models import Clinic
from tests.local.processes import Command, needs_proc

pytestmark = [pytest.mark.urls("tests.local.urls")]

INVITATION = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
SINK = """
import os
from pathlib import Path
from clinic.local.processes.children import Children, StopRequested
from clinic.local.processes.folder import Folder
from clinic.local.servers.start import start_mail_sink

with Folder(Path(os.environ["RUNCLINIC_VAR"])).locked("test") as folder, Children(lock_fd=folder.lock_fd) as children:
    url = start_mail_sink(children, folder.path / "mailbox")
    print(url, flush=True)
    try:
        children.wait()
    except StopRequested:
        pass
"""


def confirmation(subject="Your visit", html="<html><head></head><body><p>See you</p></body></html>"):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Lakes Clinic <hello@clinic.example>", "alice@example.org", subject
    mail.set_content("See you on Tuesday.\n\nYour visit: http://127.0.0.1:8000/visits/abc/\n<script>alert(1)</script>")
    mail.add_alternative(html, subtype="html")
    mail.add_alternative(INVITATION.decode(), subtype="calendar", params={"method": "REQUEST"})
    return mail


@pytest.fixture
def mailbox(tmp_path, settings):
    settings.MAILBOX_DIR = str(tmp_path / "mailbox")
    return tmp_path / "mailbox"


@pytest.fixture
def clinic_row(db):
    return Clinic.objects.first()


def keep(folder, mail):
    return Maildir(folder).add(mail)


@needs_proc
def test_sink_keeps_messages_received_over_smtp(tmp_path):
    with Command(tmp_path, "-c", SINK) as command:
        url = urlsplit(command.process.stdout.readline().strip())
        with smtplib.SMTP(url.hostname, url.port, timeout=10) as smtp:
            smtp.send_message(confirmation(), to_addrs=["alice@example.org", "bob@example.org"])
        command.stop()
    [mail] = list_mail(tmp_path / "mailbox")
    assert mail.subject == "Your visit"
    assert mail.recipients == "alice@example.org, bob@example.org"


def test_list_shows_newest_first(client, mailbox, clinic_row):
    keep(mailbox, confirmation("Booked"))
    keep(mailbox, confirmation("Tomorrow"))
    page = client.get(reverse("mailbox:list")).content.decode()
    assert page.index("Tomorrow") < page.index("Booked")


def test_newest_messages_are_kept_when_a_run_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(maildir, "KEPT", 2)
    for subject in ("First", "Second", "Third"):
        keep(tmp_path / "mailbox", confirmation(subject))
    delete_old_mail(tmp_path / "mailbox")
    assert [mail.subject for mail in list_mail(tmp_path / "mailbox")] == ["Third", "Second"]


def test_list_deletes_nothing(client, mailbox, clinic_row, monkeypatch):
    monkeypatch.setattr(maildir, "KEPT", 1)
    kept = {keep(mailbox, confirmation()), keep(mailbox, confirmation())}
    client.get(reverse("mailbox:list"))
    assert set(Maildir(mailbox).keys()) == kept


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
        "/_mail/1767222000.M90210P7Q1.localhost/",
        "/_mail/1767222000.M90210P7Q1.localhost/html/",
        "/_mail/..%2F..%2Fsecret-key/",
        "/_mail/%2e%2e/",
        "/_mail/secret%00/",
        "/_mail/a/attachments/0/",
    ],
)
def test_unknown_id_is_a_404(client, mailbox, clinic_row, path):
    (mailbox.parent / "secret-key").write_text("Subject: secret\n\n")
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


def test_message_in_an_unknown_character_set_is_still_shown(tmp_path):
    raw = b"Subject: Odd\r\nContent-Type: text/plain; charset=no-such-set\r\n\r\nHello"
    folder = tmp_path / "mailbox"
    assert read_mail(folder, keep(folder, raw)).text.strip() == "Hello"
