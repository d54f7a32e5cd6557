"""Staff are alerted at once and reminded until the flag is acknowledged. The emails contain no patient data."""

from datetime import timedelta

import pytest

from assessments.intake.responses import save_page, start_published_response
from assessments.models import Flag, StaffAlert
from assessments.red_flags.alerts import AGAIN_AFTER, STAFF_FLAG
from assessments.red_flags.flags import acknowledge_flag
from clinic.outbox.models import Message, State
from clinic.practice.models import Clinic, User
from tests.assessments.red_flags.alerts import EMERGENCY, URGENT, send_due
from tests.world import NOW

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def urgent(response, charlie):
    save_page(response=response, page="signs", answers=URGENT, now=NOW)
    return response


def test_abandoned_intake_alerts_staff_in_the_transaction_that_saves_the_page(urgent, charlie):
    alert = StaffAlert.objects.get()
    assert (alert.response, alert.recipient, alert.level) == (urgent, charlie, "U")
    due = sorted(message.due_at - NOW for message in Message.objects.filter(kind=STAFF_FLAG))
    assert due == [timedelta(0), *AGAIN_AFTER["U"]]


def test_flag_for_the_therapist_alone_sends_no_alert(response, charlie):
    save_page(response=response, page="onset", answers={"mech": ["lock"]}, now=NOW)
    assert Flag.objects.get().level == "T"
    assert not Message.objects.exists()


def test_email_links_to_the_admin_and_names_no_patient(urgent, charlie, alice, post_office):
    send_due(NOW)
    (mail,) = post_office.mails
    assert charlie.email in mail["To"]
    text = mail.as_string() + mail.get_body(("plain",)).get_content()
    assert f"/admin/assessments/response/{urgent.pk}/change/" in text
    for private in (alice.name, alice.email, alice.phone, str(alice.pk), "RF16", "groin", "hip", "urgent", "flag"):
        assert private.lower() not in text.lower()


@pytest.mark.parametrize(("answers", "page", "is_urgent"), [(URGENT, "signs", False), (EMERGENCY, "safety", True)])
def test_subject_gives_the_urgency_and_no_more(response, charlie, post_office, answers, page, is_urgent):
    save_page(response=response, page=page, answers=answers, now=NOW)
    send_due(NOW)
    (mail,) = post_office.mails
    assert mail["Subject"].startswith("Urgent:") == is_urgent
    assert ("call now" in mail["Subject"]) == is_urgent


def test_email_to_staff_does_not_tell_them_to_call_their_own_clinic(urgent, post_office):
    Clinic.objects.update(phone="+16035550142")
    send_due(NOW)
    (mail,) = post_office.mails
    for kind in ("plain", "html"):
        assert "555-0142" not in mail.get_body((kind,)).get_content()


def test_unacknowledged_flag_is_emailed_again_after_its_time(urgent, post_office):
    send_due(NOW)
    send_due(NOW + AGAIN_AFTER["U"][0] - timedelta(minutes=1))
    assert len(post_office.mails) == 1
    send_due(NOW + AGAIN_AFTER["U"][0])
    assert [mail["Subject"].startswith("Still waiting") for mail in post_office.mails] == [False, True]


def test_acknowledged_flag_is_not_emailed_again(urgent, charlie, post_office):
    send_due(NOW)
    acknowledge_flag(flag=Flag.objects.get(), by=charlie, now=NOW + HOUR)
    send_due(NOW + AGAIN_AFTER["U"][0])
    assert len(post_office.mails) == 1
    assert Message.objects.get(version=2).reason == "its flags are acknowledged"
    assert Message.objects.get(version=2).state == State.SKIPPED


def test_second_page_of_the_same_sitting_alerts_only_when_it_is_worse(urgent):
    save_page(response=urgent, page="signs", answers={"rf.signs": ["cancer"]}, now=NOW + timedelta(minutes=2))
    assert StaffAlert.objects.count() == 1
    save_page(response=urgent, page="safety", answers=EMERGENCY, now=NOW + timedelta(minutes=3))
    assert sorted(StaffAlert.objects.values_list("level", flat=True)) == ["E", "U"]


def test_new_flag_sends_a_new_alert_once_the_first_is_acknowledged(urgent, charlie):
    acknowledge_flag(flag=Flag.objects.get(), by=charlie, now=NOW + timedelta(minutes=1))
    save_page(response=urgent, page="signs", answers={"rf.signs": ["cancer"]}, now=NOW + timedelta(minutes=2))
    assert StaffAlert.objects.count() == 2


def test_alert_goes_to_all_staff_with_the_permission_to_view_flags_and_no_others(loaded, alice, charlie):
    User.objects.create_user("desk@example.com", name="Dora Desk")
    User.objects.create_superuser("gone@example.com", name="Gus Gone", is_active=False)
    response = start_published_response(questionnaire_slug="hip-running-intake", patient=alice, now=NOW)
    save_page(response=response, page="signs", answers=URGENT, now=NOW)
    assert [alert.recipient for alert in StaffAlert.objects.all()] == [charlie]


@pytest.mark.parametrize(("level", "wait"), [("E", timedelta(minutes=30)), ("U", timedelta(hours=4)), ("T", None)])
def test_flag_is_overdue_after_the_time_of_its_level(response, level, wait):
    flag = Flag(response=response, level=level, raised_at=NOW)
    assert not flag.is_overdue(NOW + timedelta(minutes=29))
    if wait is None:
        assert not flag.is_overdue(NOW + timedelta(days=9))
    else:
        assert flag.is_overdue(NOW + wait)
