"""Benchmark of the largest questionnaire that can be imported: CPU seconds to import it and to show and save a page."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assessments.fhir.importing import import_questionnaire, publish_questionnaire
from assessments.intake.responses import first_open_page, start_published_response
from assessments.red_flags.definitions import load_questionnaires
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose, Proof
from tests.assessments.answering import page_url, posted
from tests.assessments.fhir_examples import large, packed
from tests.world import NOW

pytestmark = [pytest.mark.bench, pytest.mark.django_db]


def measured(call, times=1):
    """Return (result of `call`, CPU seconds per call, queries per call)."""
    with CaptureQueriesContext(connection) as queries:
        began = time.process_time()
        for _ in range(times):
            given = call()
        seconds = (time.process_time() - began) / times
    return given, seconds, len(queries) / times


def test_eight_hundred_items_and_a_megabyte(client, clinic, alice, capsys):
    load_questionnaires(now=NOW)
    content = packed(large())
    imported, to_import, _ = measured(lambda: import_questionnaire(content=content, now=NOW))
    publish_questionnaire(questionnaire=imported.questionnaire, by=None, now=NOW)
    response = start_published_response(questionnaire_slug="small", patient=alice, now=NOW)
    token = issue_link(
        patient=alice,
        purpose=LinkPurpose.INTAKE,
        proof=Proof.MAILED,
        subject_id=response.pk,
        expires_at=NOW.replace(year=2099),
        now=NOW,
    )
    address = page_url(token, first_open_page(response).link_id)
    client.get(address)
    page, to_show, show_queries = measured(lambda: client.get(address), times=5)
    _, to_save, save_queries = measured(lambda: client.post(address, posted(page.text, {"/q0": ["c1"]})), times=5)
    with capsys.disabled():
        print(f"\n{len(content) / 1e6:.1f} MB, 800 questions, {len(imported.questionnaire.parsed.pages)} pages")
        print(f"{'import':10} {to_import * 1000:6.0f} ms of work")
        print(f"{'show':10} {to_show * 1000:6.0f} ms of work, {show_queries:.0f} queries")
        print(f"{'save':10} {to_save * 1000:6.0f} ms of work, {save_queries:.0f} queries")
    assert to_import < 5 and to_show < 1 and to_save < 1
