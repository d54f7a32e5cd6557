"""The messages around a visit: planning, relevance, and rendering."""

import re
from datetime import timedelta

import pytest

from assessments.models import Questionnaire, Response
from booking.actions.attend import confirm_appointment, mark_arrived, mark_no_show
from booking.message_kinds.visits.confirm_far import CONFIRM_FAR
from booking.message_kinds.visits.first_questions import INTAKE_3D
from booking.message_kinds.visits.first_reminder import REMINDER_48H
from booking.message_kinds.visits.follow_up import FOLLOW_UP
from booking.message_kinds.visits.last_questions import INTAKE_1D
from booking.message_kinds.visits.last_reminder import REMINDER_2H
from booking.messages.relevance import CONFIRMED, NOT_ATTENDED
from clinic.outbox.messages.kinds import Sample, changeable_kinds, find_kind
from clinic.outbox.messages.mail import build_mail
from clinic.outbox.messages.rendering import preview_email
from clinic.outbox.models import Message, MessageRule
from clinic.outbox.text.placeholders import clinical_terms, faults_of
from tests.booking.messages.rendering import message_of, why_not, words_of
from tests.clinic.letters import render_message
from tests.world import NINE_ON_TUESDAY, NOW, book

DAY = timedelta(days=1)


def planned(visit):
    return dict(Message.objects.filter(subject_id=visit.pk).values_list("kind", "due_at"))


@pytest.fixture
def asked(evaluation):
    Questionnaire.objects.create(slug="intake", version=1, title="Hip", definition={}, published_at=NOW, created_at=NOW)
    evaluation.intake_slug = "intake"
    return evaluation


def test_confirmation_request_is_planned_a_week_before_when_the_visit_was_booked_early(evaluation):
    far = book(evaluation, now=NINE_ON_TUESDAY - 22 * DAY)
    assert planned(far)[CONFIRM_FAR] == NINE_ON_TUESDAY - 7 * DAY
    near = book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(hours=2), now=NINE_ON_TUESDAY - 20 * DAY)
    assert CONFIRM_FAR not in planned(near)
    assert why_not(far, CONFIRM_FAR) is None
    confirm_appointment(appointment=far, now=NOW)
    assert why_not(far, CONFIRM_FAR) == CONFIRMED


def test_reminder_of_open_questions_is_sent_three_days_and_one_day_before(asked):
    visit = book(asked)
    assert planned(visit)[INTAKE_3D] == NINE_ON_TUESDAY - 3 * DAY
    assert planned(visit)[INTAKE_1D] == NINE_ON_TUESDAY - DAY
    mail = render_message(message_of(visit, INTAKE_1D), now=NINE_ON_TUESDAY - DAY)
    assert mail.subject.endswith(" tomorrow")
    assert re.search(r"/intake/[\w-]{43}/", mail.text)
    assert why_not(visit, INTAKE_1D) is None
    Response.objects.filter(pk=visit.intake_id).update(status="completed", completed_at=NOW, saved_at=NOW)
    assert why_not(visit, INTAKE_1D) == "the questions are answered"


def test_visit_without_questions_gets_no_reminder_of_questions(evaluation):
    assert not {INTAKE_1D, INTAKE_3D} & set(planned(book(evaluation)))


def test_follow_up_mail_goes_only_to_patients_who_arrived(evaluation, front_desk):
    visit = book(evaluation)
    over = NINE_ON_TUESDAY + timedelta(hours=1)
    assert planned(visit)[FOLLOW_UP] == visit.ends_at + DAY
    assert why_not(visit, FOLLOW_UP, now=over) == NOT_ATTENDED
    mark_arrived(appointment=visit, by=front_desk, now=over)
    assert why_not(visit, FOLLOW_UP, now=over + DAY) is None
    mark_no_show(appointment=visit, by=front_desk, now=over)
    assert why_not(visit, FOLLOW_UP, now=over + DAY) == NOT_ATTENDED


@pytest.mark.parametrize("kind", [REMINDER_48H, REMINDER_2H])
def test_reminder_asks_for_confirmation_until_the_visit_is_confirmed(evaluation, kind):
    visit = book(evaluation)
    mail = render_message(message_of(visit, kind), now=NOW)
    assert re.search(r"/visits/[\w-]{43}/coming/", mail.text)
    assert re.search(r"/visits/[\w-]{43}/not-coming/", mail.text)
    confirm_appointment(appointment=visit, now=NOW)
    assert "coming/" not in render_message(message_of(visit, kind), now=NOW).text


def test_rule_changes_time_and_text_of_a_message_for_its_service_only(evaluation, call):
    MessageRule.objects.create(
        kind=REMINDER_2H, service_slug="evaluation", minutes=60, subject="See you {day_word}", text="At {time}."
    )
    visit = book(evaluation)
    assert planned(visit)[REMINDER_2H] == NINE_ON_TUESDAY - timedelta(hours=1)
    mail = render_message(message_of(visit, REMINDER_2H), now=NINE_ON_TUESDAY - timedelta(hours=1))
    assert mail.subject == "See you today"
    assert mail.text.startswith("At 9:00 AM EST.")
    other = book(call, starts_at=NINE_ON_TUESDAY + timedelta(hours=2))
    assert planned(other)[REMINDER_2H] == NINE_ON_TUESDAY


def test_a_kind_that_a_rule_switches_off_is_not_planned(evaluation):
    MessageRule.objects.create(kind=FOLLOW_UP, subject="-", text="-", is_active=False)
    assert FOLLOW_UP not in planned(book(evaluation))


def test_a_reminder_moved_close_to_the_visit_by_a_rule_can_still_be_planned(evaluation):
    MessageRule.objects.create(kind=REMINDER_48H, minutes=60, subject="Soon", text="Soon.")
    visit = book(evaluation)
    assert message_of(visit, REMINDER_48H).not_after == NINE_ON_TUESDAY - timedelta(minutes=30)


@pytest.mark.parametrize("sample", list(Sample))
@pytest.mark.parametrize("name", [kind.name for kind in changeable_kinds()])
def test_every_kind_renders_safely_for_every_sample(clinic, name, sample):
    """Longest and hostile values: one-line subject, no clinical term, nothing executable, text and HTML agree."""
    kind = find_kind(name)
    assert faults_of(kind.template.subject + " " + kind.template.text, known=kind.placeholders) == []
    mail = preview_email(kind, kind.template, sample)
    assert "\n" not in mail.subject and "\r" not in mail.subject
    assert not clinical_terms(re.sub(r"https?://\S+", "", mail.text))
    assert "<b>" not in mail.html
    assert "{% " not in mail.text + mail.html and "{{" not in mail.text + mail.html
    sent = build_mail(Message(dedupe_key="x"), mail, clinic=clinic, now=NOW).message()
    assert sent["Bcc"] is None and len(sent.get_all("Subject")) == 1
    plain = words_of(mail.html).replace(" ", "")
    for line in mail.text.splitlines():
        if line.strip() and not line.startswith(("http", "-- ")):
            assert "".join(line.split()).rstrip(":") in plain, line
    for address in re.findall(r"https://\S+", mail.text):
        assert f'href="{address}"' in mail.html
