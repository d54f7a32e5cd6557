"""Canaries in every field: none may appear outside the encrypted column, the patient's pages and the therapist's."""

import logging

import pytest
from django.db import connection
from django.urls import reverse

from assessments.models import Flag, Response
from clinic.audit.sealing import DecryptionFailed
from tests.assessments.answering import QUIET, fill_page, walk
from tests.assessments.pages.stored import rows_as_text

pytestmark = pytest.mark.django_db
WORDS = ("on.event", "med.list", "goal.other", "psy.hope", "guard.name")
DANA = {
    "about.age": ["under-18"],
    "on.mode": ["unsure"],
    "rf.young.pop": ["yes"],
    "guard.relation": ["parent"],
    "guard.consent": [True],
}


def canary(name):
    return f"canary-{name.replace('.', '-')}"


@pytest.fixture
def canaries(intake):
    """Return answers with an invented word in every text field and an unusual number in every number field."""
    numbers = {
        "run.week_now": ["77.731"],
        "run.week_before": ["88.842"],
        "run.longest30": ["66.613"],
        "run.last_long": ["99.917"],
    }
    return {**QUIET, **DANA, **numbers, "rf.move": ["unsure"], "rf.move.unsure": ["landing"]} | {
        name: [canary(name)] for name in WORDS
    }


def leaks(text, canaries):
    """Return the canaries in `text`, and the answer codes that reveal a condition."""
    marks = [value for name in canaries for value in canaries[name] if isinstance(value, str) and len(value) > 5]
    return [mark for mark in marks if mark in text]


def test_answers_are_nowhere_unencrypted(client, charlie, token, response, intake, canaries, caplog, mailoutbox):
    caplog.set_level(logging.DEBUG)
    addresses = [walk(client, token, intake, canaries).url]
    addresses.append(client.post(addresses[0]).url)
    client.force_login(charlie)
    summary = client.get(reverse("admin:assessments_response_change", args=[response.pk]))
    assert all(canary(name) in summary.text for name in WORDS)  # the canaries were saved
    assert {"RF17", "RF26"} <= {flag.rule_id for flag in Flag.objects.all()}
    assert leaks(rows_as_text(), canaries) == []
    assert leaks("\n".join(caplog.messages), canaries) == []
    assert leaks("\n".join(addresses), canaries) == []
    assert mailoutbox == []


def test_repr_and_str_of_rows_contain_no_answer(client, token, response, canaries):
    fill_page(client, token, "safety", {**canaries, "rf.leg": ["saddle"]})
    saved = Response.objects.get(pk=response.pk)
    flag = saved.flags.get()
    told = f"{saved!r} {saved} {flag!r} {flag} {saved.__dict__!r} {flag.__dict__!r}"
    assert leaks(told, {**canaries, "rf.leg": ["saddle"]}) == []


def test_answers_copied_to_another_row_do_not_decrypt(response, bob):
    response.answers = {"on.event": ["hills"]}
    response.save()
    other = Response.objects.create(questionnaire=response.questionnaire, patient=bob, created_at=response.created_at)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE assessments_response SET answers = (SELECT answers FROM assessments_response WHERE id = %s) WHERE id = %s",
            [response.pk, other.pk],
        )
    with pytest.raises(DecryptionFailed):
        _ = Response.objects.get(pk=other.pk).answers


def test_failing_view_logs_no_answer(client, token, monkeypatch, caplog, canaries):
    def fail(**kwargs):
        raise RuntimeError(f"failed on {kwargs['answers']}")

    monkeypatch.setattr("assessments.pages.intake.save_page_as_seen", fail)
    client.raise_request_exception = False
    failed = client.post(
        reverse("assessments:page", args=[token, "safety"]), {"seen": ["rf.leg"], "rf.leg": ["saddle"]}
    )
    assert failed.status_code == 500
    assert "saddle" not in failed.text
