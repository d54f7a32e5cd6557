"""An answered version never changes, not even by direct SQL, and a new version leaves old responses as they were."""

import json
import threading
from copy import deepcopy

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from assessments.fhir.exporting import export_response
from assessments.fhir.importing import import_questionnaire, publish_questionnaire
from assessments.intake.responses import complete_response, save_page, start_published_response
from assessments.models import Questionnaire, Response
from assessments.questionnaire.readable import read_sections
from assessments.red_flags.definitions import VersionAnswered, store_definition
from tests.assessments.fhir_examples import EVERYTHING
from tests.world import NOW

CHANGES = {
    "definition": "definition = jsonb_set(definition, '{title}', '\"Other\"')",
    "slug": "slug = 'other'",
    "version": "version = version + 7",
    "title": "title = 'Other'",
}


@pytest.mark.django_db
@pytest.mark.parametrize("column", sorted(CHANGES))
def test_database_refuses_a_change_when_the_version_has_been_answered(response, column):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE assessments_questionnaire SET {CHANGES[column]} WHERE slug = 'hip-running-intake'")
    with connection.cursor() as cursor:  # this one has no answers
        cursor.execute(f"UPDATE assessments_questionnaire SET {CHANGES[column]} WHERE slug = 'call-intake'")
        assert cursor.rowcount == 1


@pytest.mark.django_db
def test_answered_version_cannot_be_deleted_or_replaced(response, loaded):
    for sql in (
        "DELETE FROM assessments_questionnaire WHERE slug = 'hip-running-intake'; SET CONSTRAINTS ALL IMMEDIATE",
        "UPDATE assessments_response SET questionnaire_id = "
        "(SELECT id FROM assessments_questionnaire WHERE slug = 'call-intake')",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    with pytest.raises(VersionAnswered):
        store_definition({**response.questionnaire.definition, "title": "Other"}, now=NOW)
    Questionnaire.objects.filter(pk=response.questionnaire_id).update(published_at=None)  # unpublishing changes no text


@pytest.mark.django_db
def test_page_shows_the_new_text_when_an_unanswered_version_was_overwritten(loaded, client):
    def shown():
        return client.get(reverse("assessments:screen_page", args=["safety"])).text

    stored = Questionnaire.objects.get(slug="hip-running-intake", version=2)
    client.post(reverse("assessments:screen"), {"next": "/", "action": "begin"})
    first = stored.parsed.pages[0].items[0].text
    assert first in shown()
    changed = json.loads(json.dumps(stored.definition).replace(json.dumps(first), '"Overwritten"'))
    assert store_definition(changed, now=NOW).pk == stored.pk
    assert "Overwritten" in shown() and first not in shown()


@pytest.mark.django_db(transaction=True)
def test_change_waits_and_is_refused_while_a_response_is_being_started(loaded, alice):
    questionnaire = Questionnaire.objects.get(slug="call-intake")
    is_begun, faults = threading.Event(), []

    def change():
        try:
            is_begun.wait(timeout=20)
            Questionnaire.objects.filter(pk=questionnaire.pk).update(title="Other")
        except IntegrityError as fault:
            faults.append(fault)
        finally:
            connection.close()

    thread = threading.Thread(target=change)
    thread.start()
    with transaction.atomic():
        start_published_response(questionnaire_slug="call-intake", patient=alice, now=NOW)
        is_begun.set()
        thread.join(timeout=1)
        assert thread.is_alive() and not faults  # waits for the lock
    thread.join(timeout=20)
    assert len(faults) == 1
    questionnaire.refresh_from_db()
    assert questionnaire.title == "Before your call"


STORY = {
    "yes": {"yes": [True]},
    "plain": {"open": ["Trail"], "day": ["2026-11-02"]},
    "scores": {"s1": ["often"], "s2": ["some"]},
}


def other_words():
    """Return the same linkIds with other texts, weights, order, rule and conditions."""
    changed = deepcopy(EVERYTHING)
    changed["version"] = "2026.2"
    for concept in changed["contained"][0]["compose"]["include"][0]["concept"]:
        concept["display"] = concept["display"].upper()
        concept["extension"][0]["valueDecimal"] += 10
    changed["item"] = [changed["item"][0], *changed["item"][:0:-1]]
    changed["item"][-2]["text"] = "Now quite different"
    changed["item"][-1]["required"] = False
    return changed


@pytest.mark.django_db
def test_old_response_exports_and_scores_as_before_when_a_new_version_is_published(loaded, alice):
    def publish(definition):
        imported = import_questionnaire(content=json.dumps(definition).encode(), now=NOW).questionnaire
        publish_questionnaire(questionnaire=imported, by=None, now=NOW)
        return imported

    def look(response):
        fresh = Response.objects.get(pk=response.pk)
        return export_response(fresh), read_sections(fresh.questionnaire.parsed, fresh.answers)

    first = publish(EVERYTHING)
    old = start_published_response(questionnaire_slug="everything", patient=alice, now=NOW)
    for page in old.questionnaire.parsed.pages:
        save_page(response=old, page=page.link_id, answers=STORY.get(page.link_id, {}), now=NOW)
    save_page(response=old, page="page~1", answers={"yes": [True]}, now=NOW)
    save_page(response=old, page="plain", answers=STORY["plain"], now=NOW)
    save_page(response=old, page="injury~all", answers={"what": ["shin"]}, now=NOW)
    complete_response(response=old, now=NOW)
    before = look(old)
    assert old.answers["total"] == [3]

    second = publish(other_words())
    assert (first.version, second.version) == (1, 2)
    assert look(old) == before
    save_page(response=old, page="scores", answers=STORY["scores"], now=NOW)  # scored again, by its own version
    assert look(old) == before
    new = start_published_response(questionnaire_slug="everything", patient=alice, now=NOW)
    assert new.questionnaire == second
    save_page(response=new, page="scores", answers=STORY["scores"], now=NOW)
    assert new.answers["total"] == [23]
