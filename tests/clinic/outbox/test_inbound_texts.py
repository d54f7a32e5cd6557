"""Inbound texts: stored encrypted, alerted by email until they are read, shown to staff with the permission."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.audit.models import AccessEvent, Action
from clinic.outbox.messages.alerts import staff_who_may
from clinic.outbox.models import InboundText, Message
from clinic.outbox.texts.inbound import (
    AGAIN_AFTER,
    ONE_SITTING,
    STAFF_TEXT,
    keep_text,
    mark_text_read,
    read_unread_texts,
)
from clinic.practice.models import Clinic, Patient, User
from tests.clinic.letters import sweep
from tests.factories import ClinicFactory, PatientFactory, UserFactory
from tests.world import NOON

pytestmark = pytest.mark.django_db
WORDS = "numb all over, cannot pee"
ALICES, UNKNOWN = "+16035550199", "+16035550000"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def alice():
    ClinicFactory()
    return PatientFactory(name="Alice Runner", phone=ALICES)


def staff(*permissions, name="Tess Walker"):
    user = UserFactory(name=name)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="outbox"))
    return User.objects.get(pk=user.pk)  # which permissions they have is cached


@pytest.fixture
def tess():
    return staff("view_inboundtext", "change_inboundtext")


def keep(words=WORDS, phone=ALICES, now=NOON, provider_id=None):
    keep_text(phone=phone, content=words, provider_id=provider_id or f"SM {phone} {now}", now=now)
    return InboundText.objects.latest("received_at")


# Storing


def test_text_content_is_encrypted_recorded_and_linked_to_its_patient(alice):
    text = keep()
    assert (text.words, text.patient, text.phone, text.received_at) == (WORDS, alice, ALICES, NOON)
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM outbox_inboundtext")
        assert b"numb" not in bytes(cursor.fetchone()[0])
    event = AccessEvent.objects.get(object_id=str(text.pk))
    assert (event.action, event.actor, event.patient_ids) == (Action.CREATE, None, [alice.pk])


def test_text_from_an_unknown_or_shared_number_is_stored_without_a_patient(alice):
    assert keep(phone=UNKNOWN).patient is None
    PatientFactory(name="Bob Moore", phone=ALICES)
    assert keep(now=NOON + MINUTE).patient is None


def test_database_refuses_a_read_text_without_a_reader(alice):
    text = keep()
    with pytest.raises(IntegrityError, match="inbound_text_read_has_a_time_and_a_user"):
        InboundText.objects.filter(pk=text.pk).update(read_at=NOON)


@pytest.mark.django_db(transaction=True)
def test_a_text_is_stored_once_and_a_number_answered_once_when_webhooks_arrive_together():
    def deliver(number):
        try:
            return keep_text(phone=ALICES, content="hello", provider_id=f"SM{number % 4}", now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(deliver, range(8)))
    assert InboundText.objects.count() == 4
    assert InboundText.objects.exclude(answered_at=None).count() == 1
    assert sum(answers) == 2  # the answered text was delivered twice


# Alerting staff


def due_alerts(user):
    told = Message.objects.filter(kind=STAFF_TEXT, subject_id=user.pk, state="waiting")
    return [message.due_at for message in told.order_by("due_at")]


def test_alert_about_a_text_is_due_at_once_and_names_no_patient_or_content(alice, tess, post_office):
    staff("view_inboundtext", name="May Look")
    staff(name="May Nothing")
    keep()
    assert Message.objects.filter(kind=STAFF_TEXT, due_at=NOON).count() == 1
    sweep()
    (mail,) = post_office.mails
    assert tess.email in mail["To"]
    assert mail["Subject"] == "1 unread text message"
    text = mail.as_string() + mail.get_body(("plain",)).get_content()
    assert "Tue, Dec 1, 12:00 PM" in text and "/admin/" in text
    for private in (*WORDS.replace(",", "").split(), alice.name, alice.email, ALICES, "555-0199", str(alice.pk)):
        assert not re.search(rf"\b{re.escape(private)}\b", text.replace("all of", ""), re.I), private


def test_clinic_is_alerted_when_no_member_of_staff_may_mark_texts(alice, post_office):
    keep()
    sweep()
    (mail,) = post_office.mails
    assert "hello@clinic.example" in mail["To"]


def test_staff_are_reminded_until_the_text_is_read(alice, tess, post_office):
    text = keep()
    assert due_alerts(tess) == [NOON, *(NOON + wait for wait in AGAIN_AFTER)]
    sweep()
    sweep(now=NOON + AGAIN_AFTER[0])
    first, again = [mail["Subject"] for mail in post_office.mails]
    assert again == f"Still waiting: {first}"
    mark_text_read(text=text, by=tess, now=NOON + AGAIN_AFTER[0] + MINUTE)
    sweep(now=NOON + AGAIN_AFTER[-1])
    assert len(post_office.mails) == 2


def test_several_texts_of_one_sitting_are_one_alert_and_a_later_text_starts_a_new_round(alice, tess, post_office):
    keep()
    sweep()
    keep("and my foot", now=NOON + MINUTE)
    sweep(now=NOON + 2 * MINUTE)
    assert len(post_office.mails) == 1
    later = NOON + ONE_SITTING + MINUTE
    keep("hello?", phone=UNKNOWN, now=later)
    assert due_alerts(tess) == [
        later,
        *(later + wait for wait in AGAIN_AFTER),
    ]  # no alert of the first round remains
    sweep(now=later)
    assert "3 unread text messages" in post_office.mails[-1]["Subject"]


def test_staff_are_alerted_at_once_when_a_text_arrives_after_the_previous_one_was_read(alice, tess, post_office):
    first = keep()
    sweep()
    mark_text_read(text=first, by=tess, now=NOON + MINUTE / 3)
    keep("worse now", now=NOON + MINUTE / 2)
    sweep(now=NOON + MINUTE / 2)
    assert [mail["Subject"] for mail in post_office.mails] == ["1 unread text message"] * 2


def test_clinic_is_alerted_when_all_recipients_have_left(alice, tess, post_office):
    keep()
    User.objects.update(is_active=False)
    sweep()
    sweep()
    assert [mail["To"] for mail in post_office.mails] == [Clinic.objects.current().email]


def test_alert_goes_to_other_staff_when_the_recipient_lost_the_permission(alice, tess, post_office):
    keep()
    tess.user_permissions.clear()
    frank = staff("view_inboundtext", "change_inboundtext", name="Frank")
    sweep()
    sweep()
    assert [mail["To"] for mail in post_office.mails] == [frank.email]


LOSSES = {
    "left": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "lost the right": lambda user: user.user_permissions.clear(),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_no_alert_goes_to_a_recipient_who_left_or_lost_the_permission(alice, tess, post_office, loss):
    User.objects.filter(pk=tess.pk).update(is_superuser=False)
    frank = staff("view_inboundtext", "change_inboundtext", name="Frank")
    User.objects.filter(pk=frank.pk).update(is_superuser=False)
    keep()
    LOSSES[loss](tess)
    sweep()
    sweep(now=NOON + AGAIN_AFTER[0])
    assert [mail["To"] for mail in post_office.mails] == [frank.email] * 2
    assert set(Message.objects.filter(subject_id=tess.pk, state="skipped").values_list("reason", flat=True)) == {
        "the recipient has left"
    }


@pytest.mark.parametrize("loss", LOSSES)
def test_recipients_exclude_users_who_left_or_lost_the_permission(tess, loss):
    User.objects.filter(pk=tess.pk).update(is_superuser=False)
    assert staff_who_may("outbox.change_inboundtext") == [tess]
    LOSSES[loss](tess)
    assert staff_who_may("outbox.change_inboundtext") == []


# Reading


def test_first_reader_of_a_text_is_not_replaced(alice, tess):
    text = keep()
    assert mark_text_read(text=text, by=tess, now=NOON)
    assert not mark_text_read(text=text, by=staff(name="Frank"), now=NOON + MINUTE)
    text.refresh_from_db()
    assert (text.read_by, text.read_at) == (tess, NOON)
    assert AccessEvent.objects.filter(actor=tess, action=Action.EXECUTE, patient_ids=[alice.pk]).count() == 1


def test_today_shows_a_text_its_senders_and_the_button_with_the_permission(client, alice, tess):
    keep()
    keep("running late", phone=UNKNOWN, now=NOON + MINUTE)
    PatientFactory(name="Bob Moore", phone=ALICES)
    client.force_login(tess)
    page = client.get("/admin/").content.decode()
    assert page.index(WORDS) < page.index("running late")
    assert "Alice Runner" in page and "Bob Moore" in page and "which they share" in page
    assert "Unknown number" in page
    assert page.count("Mark as read") == 2
    read = AccessEvent.objects.get(actor=tess, action=Action.READ)
    assert set(read.patient_ids) == set(Patient.objects.values_list("pk", flat=True))


def test_today_shows_no_text_without_the_permission_and_no_button_with_the_permission_to_view(client, alice):
    text = keep()
    client.force_login(UserFactory(name="May Nothing", roles=["editor"]))
    page = client.get("/admin/").content.decode()
    assert WORDS not in page and "Text messages" not in page
    assert client.get(f"/admin/outbox/inboundtext/{text.pk}/change/").status_code == 403
    assert client.post(f"/admin/outbox/inboundtext/{text.pk}/read/").status_code == 403
    client.force_login(staff("view_inboundtext", name="May Look"))
    page = client.get("/admin/").content.decode()
    assert WORDS in page and "Mark as read" not in page
    assert client.post(f"/admin/outbox/inboundtext/{text.pk}/read/").status_code == 403
    text.refresh_from_db()
    assert text.read_at is None


def test_button_marks_the_text_as_read_and_removes_it_from_today(client, alice, tess):
    text = keep()
    client.force_login(tess)
    address = f"/admin/outbox/inboundtext/{text.pk}/read/"
    assert client.get(address).status_code == 405
    done = client.post(address)
    assert (done.status_code, done["Location"]) == (303, "/admin/#texts")
    assert WORDS not in client.get("/admin/").content.decode()
    text.refresh_from_db()
    assert text.read_by == tess


def test_button_with_htmx_replaces_only_its_row(client, alice, tess):
    text = keep()
    client.force_login(tess)
    part = client.post(f"/admin/outbox/inboundtext/{text.pk}/read/", headers={"HX-Request": "true"}).text
    assert part.startswith("<li") and "Marked as read" in part
    text.refresh_from_db()
    assert text.read_by == tess


def test_read_text_can_still_be_viewed_and_viewing_is_recorded(client, alice, tess):
    text = keep()
    client.force_login(tess)
    listed = client.get("/admin/outbox/inboundtext/?unread=1").content.decode()
    assert "(603) 555-0199" in listed and WORDS not in listed
    client.post(
        "/admin/outbox/inboundtext/", {"action": "mark_as_read", "_selected_action": [str(text.pk)]}, follow=True
    )
    page = client.get(f"/admin/outbox/inboundtext/{text.pk}/change/").content.decode()
    assert WORDS in page and "Alice Runner" in page and "by Tess Walker" in page
    assert AccessEvent.objects.filter(actor=tess, action=Action.READ, object_id=str(text.pk)).count() == 1
    assert client.post(f"/admin/outbox/inboundtext/{text.pk}/change/", {}).status_code == 403
    assert client.post(f"/admin/outbox/inboundtext/{text.pk}/delete/", {"post": "yes"}).status_code == 403


def test_reading_costs_the_same_queries_for_one_text_and_for_fifteen(alice, tess):
    def count():
        with CaptureQueriesContext(connection) as queries:
            for text in read_unread_texts(user=tess):
                assert text.row.words
        return len(queries)

    keep()
    tess.has_perm("outbox.view_inboundtext")  # cached from here on
    one = count()
    for minutes in range(1, 15):
        keep(now=NOON + minutes * MINUTE)
    assert count() == one
