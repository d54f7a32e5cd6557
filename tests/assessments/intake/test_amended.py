"""Responses changed after they were finished: the first finish time is kept, and no flag is raised twice."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.urls import reverse

from assessments.fhir.exporting import export_response
from assessments.intake.responses import complete_response, save_page
from assessments.intake.trend import read_trends
from assessments.models import StaffAlert
from clinic.audit.models import AccessEvent
from clinic.practice.models import Clinic
from clinic.practice.templatetags.practice_tags import clinic_time
from tests.assessments.answering import QUIET, of_page, save_all
from tests.assessments.intake.trends import fill, trend_of
from tests.world import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=2)
YOUNG = QUIET | {"about.age": ["under-18"], "rf.young.pop": ["no"]}
GUARDIAN = {"guard.name": ["Dana Runner"], "guard.relation": ["parent"], "guard.consent": [True]}


def test_finishing_again_keeps_the_first_time_and_shows_the_change(client, response, intake, charlie):
    save_all(response, intake)
    complete_response(response=response, now=NOW)
    assert response.changed_at is None and export_response(response)["status"] == "completed"

    save_page(response=response, page="signs", answers={"rf.move": []}, now=LATER)
    assert response.progress == "part" and response.changed_at is None
    save_page(response=response, page="signs", answers={"rf.move": ["none"]}, now=LATER)
    complete_response(response=response, now=LATER + timedelta(minutes=1))

    response.refresh_from_db()
    assert (response.completed_at, response.changed_at) == (NOW, LATER)
    exported = export_response(response)
    assert (exported["status"], exported["authored"]) == ("amended", LATER.isoformat())
    finished = AccessEvent.objects.filter(object_id=str(response.pk), action="E").order_by("at")
    assert [event.at for event in finished] == [NOW, LATER + timedelta(minutes=1)]
    client.force_login(charlie)
    page = client.get(reverse("admin:assessments_response_change", args=[response.pk])).text
    clinic = Clinic.objects.current()
    assert f"done</span> {clinic_time(NOW, clinic)}, changed {clinic_time(LATER, clinic)}" in page


def test_finishing_again_sends_no_second_alert(response, intake, charlie):
    save_all(response, intake, QUIET | {"rf.leg": ["no-weight"]})
    complete_response(response=response, now=NOW)
    alerts = StaffAlert.objects.count()
    assert alerts == 1
    save_page(response=response, page="goals", answers={"psy.worry": [4]}, now=LATER)
    complete_response(response=response, now=LATER)
    assert StaffAlert.objects.count() == alerts and response.flags.get().raised_at == NOW


def test_reopened_response_has_no_score_and_is_not_exported(response, intake, tmp_path):
    save_all(response, intake)
    complete_response(response=response, now=NOW)
    assert "my-activities" in {trend.measure for trend in read_trends(response)}
    save_page(response=response, page="safety", answers={"about.age": ["under-18"]}, now=LATER)
    assert "my-activities" not in {trend.measure for trend in read_trends(response)}
    call_command("export_responses", tmp_path / "out.ndjson", verbosity=0)
    assert (tmp_path / "out.ndjson").read_text() == ""
    save_page(response=response, page="safety", answers={"about.age": ["21-49"]}, now=LATER)
    complete_response(response=response, now=LATER)
    call_command("export_responses", tmp_path / "out.ndjson", verbosity=0)
    assert json.loads((tmp_path / "out.ndjson").read_text())["status"] == "amended"


def test_trend_ends_with_the_response_shown_when_later_ones_exist(loaded, alice):
    first = fill(alice, weeks=0, able=4)
    second = fill(alice, weeks=4, able=6)
    fill(alice, weeks=8, able=9)
    assert [point.value for point in trend_of(second).points] == [Decimal(4), Decimal(6)]
    assert [point.value for point in trend_of(first).points] == [Decimal(4)]


def test_trend_dates_a_changed_answer_by_the_first_finish(loaded, alice):
    first = fill(alice, weeks=0, able=4)
    later = NOW + timedelta(days=3)
    save_page(response=first, page="goals", answers={"goal.run-far.now": [2], "goal.other.now": [2]}, now=later)
    (before, after) = trend_of(fill(alice, weeks=6, able=7)).points
    assert (before.at, before.value, after.value) == (NOW, Decimal(2), Decimal(7))


def summary_page(client, response, charlie):
    client.force_login(charlie)
    return client.get(reverse("admin:assessments_response_change", args=[response.pk])).text


def test_summary_shows_under_18_and_the_guardian_when_the_runner_is_a_minor(client, response, intake, charlie):
    save_page(response=response, page="safety", answers=of_page(intake, "safety", YOUNG), now=NOW)
    page = summary_page(client, response, charlie)
    assert '<span class="chip chip-warn">under 18</span> No parent or guardian has agreed yet.' in page
    save_page(response=response, page="consent", answers=GUARDIAN | {"guard.consent": []}, now=NOW)
    page = summary_page(client, response, charlie)
    assert "<bdi>Dana Runner</bdi>, <bdi>Parent</bdi>" in page and "(agreed)" not in page
    save_page(response=response, page="consent", answers=GUARDIAN, now=NOW)
    assert "(agreed)" in summary_page(client, response, charlie)


def test_summary_shows_no_guardian_when_the_runner_is_an_adult(client, response, intake, charlie):
    save_page(response=response, page="safety", answers=of_page(intake, "safety"), now=NOW)
    page = summary_page(client, response, charlie)
    assert "under 18</span>" not in page and "No parent or guardian" not in page


def test_bidi_control_characters_are_removed_from_the_summary(client, response, intake, charlie):
    stored = response.answers | {"on.mode": ["sudden"], "on.event": ["hills \u202efo retfa\u202c <b>", "x"][:1]}
    response.answers = stored
    response.save()
    page = summary_page(client, response, charlie)
    assert "\u202e" not in page and "&lt;b&gt;" in page
    assert '<dd dir="auto">hills fo retfa' in page
