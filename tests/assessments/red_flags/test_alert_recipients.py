"""Recipients of an alert: staff with the permission to view flags, or else the clinic's own address."""

import logging
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from assessments.intake.responses import save_page
from assessments.models import Flag, StaffAlert
from assessments.red_flags.alerts import AGAIN_AFTER, find_recipients, where_alerts_go
from assessments.red_flags.flags import acknowledge_flag
from clinic.outbox.models import Message
from clinic.practice.models import Clinic, User
from tests.assessments.red_flags.alerts import EMERGENCY, URGENT, send_due
from tests.world import NOW

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
LOST = "alerted to warning signs"  # in the error on Today


def raise_flag(response, answers=EMERGENCY, page="safety"):
    save_page(response=response, page=page, answers=answers, now=NOW)


def sent_to(office):
    return [mail["To"] for mail in office.mails]


def errors_logged(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


@pytest.fixture
def view_flag():
    return Permission.objects.get(codename="view_flag")


@pytest.fixture
def dora(db):
    return User.objects.create_user("dora@example.com", name="Dora Desk")


def test_recipients_have_the_permission_to_view_flags_however_granted(charlie, dora, view_flag):
    assert find_recipients() == [charlie]
    dora.user_permissions.add(view_flag)
    group = Group.objects.create(name="Therapists")
    group.permissions.add(view_flag)
    ella = User.objects.create_user("ella@example.com", name="Ella Therapist")
    ella.groups.add(group)
    nora = User.objects.create_user("nora@example.com", name="Nora Therapist", roles=["owner", "therapist"])
    User.objects.create_user("otto@example.com", name="Otto Owner", roles=["owner"])
    User.objects.create_user("gone@example.com", name="Gus Gone", roles=["therapist"], is_active=False)
    assert set(find_recipients()) == {charlie, dora, ella, nora}


def test_finding_recipients_is_one_query(charlie, django_assert_num_queries):
    User.objects.bulk_create(User(email=f"s{n}@example.com", name="S") for n in range(20))
    with django_assert_num_queries(1):
        find_recipients()


def test_clinic_is_alerted_when_no_member_of_staff_may_view_flags(response, dora, post_office, caplog):
    Clinic.objects.update(email="desk@clinic.example")
    raise_flag(response)
    send_due(NOW)
    assert sent_to(post_office) == ["desk@clinic.example"]
    (mail,) = post_office.mails
    text = mail.get_body(("plain",)).get_content()
    assert f"/admin/assessments/response/{response.pk}/change/" in text
    for private in ("alice", "runner", "saddle", "leg", str(response.patient_id)):
        assert private not in text.lower()
    (error,) = errors_logged(caplog)
    assert error.endswith("level E goes to clinic.")


def test_clinic_is_reminded_until_the_flag_is_acknowledged(response, charlie, post_office):
    Clinic.objects.update(email="desk@clinic.example")
    User.objects.update(is_active=False)
    raise_flag(response)
    send_due(NOW)
    send_due(NOW + AGAIN_AFTER["E"][0])
    assert len(post_office.mails) == 2
    acknowledge_flag(flag=Flag.objects.get(), by=charlie, now=NOW)
    send_due(NOW + AGAIN_AFTER["E"][1])
    assert len(post_office.mails) == 2


def test_alert_without_a_recipient_is_logged_as_an_error_without_patient_data(response, caplog):
    Clinic.objects.update(email="")
    caplog.set_level(logging.INFO)
    raise_flag(response)
    assert not StaffAlert.objects.exists()
    (error,) = errors_logged(caplog)
    assert "level E" in error and "no one" in error
    assert str(response.pk) not in caplog.text and "alice" not in caplog.text.lower()


@pytest.mark.parametrize(("email", "goes_to"), [("", "no one"), ("desk@clinic.example", "clinic")])
def test_today_shows_an_error_when_no_member_of_staff_would_be_alerted(client, loaded, dora, email, goes_to):
    Clinic.objects.update(email=email)
    User.objects.filter(pk=dora.pk).update(roles=["front-desk"])
    client.force_login(dora)
    page = client.get(reverse("admin:index"))
    assert page.context["goes_to"] == where_alerts_go() == goes_to and LOST in page.text


def test_today_shows_no_error_when_staff_would_be_alerted(client, loaded, charlie):
    client.force_login(charlie)
    assert where_alerts_go() == "staff"
    assert LOST not in client.get(reverse("admin:index")).text


@pytest.mark.parametrize("loss", ["left", "lost the right"])
def test_alert_is_not_sent_to_a_recipient_who_left_or_lost_the_permission(
    response, charlie, dora, view_flag, post_office, loss
):
    dora.user_permissions.add(view_flag)
    raise_flag(response)
    if loss == "lost the right":
        dora.user_permissions.clear()
    else:
        User.objects.filter(pk=dora.pk).update(is_active=False)
    send_due(NOW)
    assert sent_to(post_office) == [charlie.email]
    assert StaffAlert.objects.count() == 2  # the other recipient is still there: no new alert
    skipped = Message.objects.get(version=1, state="skipped")
    assert skipped.reason == "the recipient has left"


def test_alert_goes_to_current_staff_when_all_recipients_have_left(response, charlie, dora, post_office):
    raise_flag(response)
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    newcomer = User.objects.create_superuser("nina@example.com", name="Nina New")
    send_due(NOW + MINUTE)
    send_due(NOW + MINUTE)  # the new alert is due at once
    assert sent_to(post_office) == [newcomer.email]
    assert Message.objects.get(version=1, state="skipped").reason.startswith("the recipient has left;")
    send_due(NOW + MINUTE + AGAIN_AFTER["E"][0])
    assert sent_to(post_office) == [newcomer.email] * 2


def test_alert_goes_to_the_clinics_address_when_all_recipients_have_left(response, charlie, post_office):
    Clinic.objects.update(email="desk@clinic.example")
    raise_flag(response, URGENT, "signs")
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    for _ in range(2):
        send_due(NOW + MINUTE)
    assert sent_to(post_office) == ["desk@clinic.example"]


def test_alert_is_reassigned_once_when_two_recipients_have_left(response, charlie, dora, view_flag, post_office):
    dora.user_permissions.add(view_flag)
    raise_flag(response)
    User.objects.update(is_active=False)
    newcomer = User.objects.create_superuser("nina@example.com", name="Nina New")
    for _ in range(3):
        send_due(NOW + MINUTE)
    assert sent_to(post_office) == [newcomer.email]


def test_alert_of_an_acknowledged_flag_is_not_reassigned(response, charlie, post_office):
    raise_flag(response)
    acknowledge_flag(flag=Flag.objects.get(), by=charlie, now=NOW)
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    User.objects.create_superuser("nina@example.com", name="Nina New")
    send_due(NOW + MINUTE)
    assert not post_office.mails and StaffAlert.objects.count() == 1
