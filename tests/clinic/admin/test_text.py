"""Text for staff: names of message kinds, reasons for skipped messages, and error pages that say what to do."""

import re
from datetime import timedelta
from smtplib import SMTPAuthenticationError, SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.test import RequestFactory
from django.urls import reverse

from clinic import views
from clinic.outbox.messages.kinds import all_kinds, kind_title
from clinic.outbox.messages.mail import describe_error
from clinic.outbox.models import State
from clinic.outbox.text.reason_text import explain_reason
from clinic.outbox.texts.providers import TextRefused, TextUnsure
from clinic.practice.models import User
from tests.factories import ClinicFactory, MessageFactory, PatientFactory
from tests.world import NOON

CODE_NAME = re.compile(r"[a-z]+_[a-z]+|[A-Z]\w+(Error|Exception|Refused|Unsure|Disconnected)\b")


@pytest.fixture
def at_noon():
    with time_machine.travel(NOON + timedelta(minutes=5)):
        yield


FAULTS = [
    ValueError("x"),
    KeyError("x"),
    LookupError("x"),
    ConnectionRefusedError(),
    TimeoutError(),
    SMTPServerDisconnected("x"),
    SMTPAuthenticationError(535, b"x"),
    SMTPRecipientsRefused({"a@b.example": (550, b"x")}),
    SMTPRecipientsRefused({"a@b.example": (451, b"x")}),
    TextRefused(21610),
    TextUnsure(),
]


def test_every_message_kind_has_a_readable_name():
    titles = {kind.name: kind_title(kind.name) for kind in all_kinds()}
    assert len(titles) > 15
    assert [title for title in titles.values() if CODE_NAME.search(title)] == []
    assert [kind.name for kind in all_kinds() if not kind.title] == []
    assert len(set(titles.values())) == len(titles)
    assert (kind_title("booking_booked"), kind_title("long_gone")) == ("Booking confirmation", "Long gone")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: describe_error(fault))
def test_reason_is_a_sentence_when_it_was_an_exception(fault):
    words = explain_reason(describe_error(fault))
    assert not CODE_NAME.search(words), words
    assert words.endswith(".")
    assert re.search(r"tell|call|check|ask|add|keeps trying", words, re.IGNORECASE), words


def test_reason_is_a_sentence_when_it_is_one_of_our_own():
    assert explain_reason("") == ""
    assert explain_reason("the visit was moved") == "The visit was moved."
    assert "30003" in explain_reason("not delivered 30003")
    temporary, permanent = (explain_reason(f"SMTPRecipientsRefused {code}") for code in (451, 550))
    assert "keeps trying" in temporary and "451" in temporary and "keeps trying" not in permanent


@pytest.fixture
def olga(client, db, at_noon):
    ClinicFactory()
    user = User.objects.create_superuser("olga@clinic.example", name="Olga Owner", roles=["owner"])
    client.force_login(user)
    return user


def test_message_list_shows_readable_names_and_reasons(client, olga):
    message = MessageFactory(
        patient=PatientFactory(), kind="booking_booked", state=State.FAILED, reason="ValueError", settled_at=NOON
    )
    MessageFactory(patient=PatientFactory(), kind="booking_reminder_48h", due_at=NOON - timedelta(hours=2))
    for address in ("/admin/", "/admin/outbox/message/", f"/admin/outbox/message/{message.pk}/change/"):
        page = client.get(address).content.decode()
        assert "Booking confirmation" in page
        assert explain_reason("ValueError").split(".")[0] in page
        text = re.sub(r"<[^>]*>", " ", page)
        assert not re.search(r"ValueError|booking_|booking booked|lease", text), address


def test_refusal_names_the_missing_permission_and_who_can_grant_it(client, olga):
    fay = User.objects.create_user("fay@clinic.example", name="Fay", roles=["editor"])
    client.force_login(fay)
    answer = client.get(reverse("admin:booking_appointment_changelist"))
    page = answer.content.decode()
    assert answer.status_code == 403
    assert ("<strong>view " in page and "visit" in page) or "appointments" in page
    assert "Olga Owner" in page
    assert "Go to Today" in page and "css/admin.css" in page
    fay.user_permissions.add(Permission.objects.get(codename="view_patient"))
    patient = PatientFactory()
    refused = client.post(reverse("admin:practice_patient_end_links", args=[patient.pk]))
    assert (refused.status_code, "<strong>change patients" in refused.content.decode()) == (403, True)


def test_owner_is_not_told_to_ask_herself(client, olga):
    answer = client.get(reverse("admin:audit_accessevent_add"))
    assert answer.status_code == 403
    assert "Olga Owner" not in answer.content.decode().partition("content-main")[2]
    User.objects.create_user("paul@clinic.example", name="Paul Partner", roles=["owner"])
    fay = User.objects.create_user("fay@clinic.example", name="Fay", roles=["editor"])
    client.force_login(fay)
    page = client.get(reverse("admin:audit_accessevent_add")).content.decode()
    assert "Olga Owner" in page and "Paul Partner" in page


def test_staff_page_is_shown_when_an_admin_url_is_unknown(client, olga):
    answer = client.get("/admin/nowhere/")
    assert (answer.status_code, "css/admin.css" in answer.content.decode()) == (404, True)
    assert "Book a visit" not in answer.content.decode()
    client.logout()
    assert "css/admin.css" not in client.get("/learn/nowhere/").content.decode()


def test_error_page_of_the_admin_needs_no_database():
    # Without the db fixture, pytest refuses a query.
    answer = views.server_error(RequestFactory().get("/admin/booking/appointment/"))
    assert (answer.status_code, "css/admin.css" in answer.content.decode()) == (500, True)
    assert "Go to Today" in answer.content.decode()
    assert "css/admin.css" not in views.server_error(RequestFactory().get("/book/")).content.decode()
