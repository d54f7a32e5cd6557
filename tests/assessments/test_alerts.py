"""The clinic is told of an answer that must not wait, and the mail says neither whose nor what."""

import pytest

from assessments.alerts import NEW_FLAG
from assessments.flags import acknowledge_flag
from assessments.models import Flag
from assessments.responses import save_page
from clinic.outbox.kinds import find_kind
from clinic.outbox.models import Message
from clinic.outbox.wording import clinical_terms
from clinic.practice.models import Clinic
from tests.assessments.answering import QUIET
from tests.assessments.conftest import NOW

pytestmark = pytest.mark.django_db


def crack(response, now=NOW):
    return save_page(response=response, page="safety", answers={"rf.leg": ["crack"]}, now=now)


def alert_of(response):
    return Message.objects.get(kind=NEW_FLAG, subject_id=response.pk)


def test_the_clinic_is_told_at_once_without_a_name_or_a_reason(response):
    Clinic.objects.update(email="hello@lakeside.example")
    crack(response)
    alert = alert_of(response)
    assert (alert.due_at, alert.patient) == (NOW, None)
    mail = find_kind(NEW_FLAG).render(alert, NOW)
    assert mail.to == "hello@lakeside.example"
    words = mail.subject + mail.text + mail.html
    assert "Alice" not in words and str(response.pk) not in words
    assert clinical_terms(mail.subject + mail.text) == []
    assert find_kind(NEW_FLAG).still_wanted(alert, NOW) is None


def test_the_same_answer_saved_again_alerts_nobody_twice(response):
    crack(response)
    crack(response)
    assert Message.objects.filter(kind=NEW_FLAG).count() == 1


def test_an_answer_that_gets_worse_later_alerts_again(response):
    crack(response)
    save_page(response=response, page="safety", answers={"rf.leg": ["none"]}, now=NOW)
    crack(response)
    assert Message.objects.filter(kind=NEW_FLAG).count() == 2


def test_quiet_answers_alert_nobody(response, intake):
    safety = {name: values for name, values in QUIET.items() if intake.page_of[name].link_id == "safety"}
    save_page(response=response, page="safety", answers=safety, now=NOW)
    assert not Message.objects.filter(kind=NEW_FLAG).exists()


def test_an_alert_is_not_sent_once_somebody_has_seen_to_it(response, charlie):
    crack(response)
    for flag in Flag.objects.filter(response=response):
        acknowledge_flag(flag=flag, by=charlie, now=NOW)
    assert find_kind(NEW_FLAG).still_wanted(alert_of(response), NOW) == "somebody has seen to it"
