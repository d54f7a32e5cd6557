"""Questions that code names by linkId: all in one module. Loading and publishing stop when one is missing."""

import ast
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from assessments.fhir.importing import PublishRefused, import_questionnaire, publish_questionnaire
from assessments.fhir_json.parsing import parse_questionnaire
from assessments.intake.responses import create_response, save_page
from assessments.intake.summary import read_summary
from assessments.known_questions import CALL_INTAKE, GUARDIAN_NAME, HIP_INTAKE, KNOWN, find_missing
from assessments.models import Questionnaire
from assessments.red_flags.definitions import find_shipped, shipped_definitions
from tests.world import NOW

ROOT = Path(__file__).resolve().parents[2]
OWNER = ROOT / "assessments/known_questions.py"


def link_ids(items) -> set[str]:
    return {name for item in items for name in (item["linkId"], *link_ids(item.get("item", [])))}


def newest(canonical: str) -> dict:
    return max((one for one in shipped_definitions() if one["url"] == canonical), key=lambda one: one["version"])


def renamed(definition: dict, link_id: str) -> dict:
    """Return a copy of `definition` in which the question `link_id` has another linkId."""
    return json.loads(json.dumps(definition).replace(f'"{link_id}"', f'"{link_id}.renamed"'))


def shipped_with(version: str, link_id: str) -> list[dict]:
    """Return the shipped definitions, with `link_id` renamed in one version of the hip intake."""
    return [
        renamed(one, link_id) if (one["url"], one["version"]) == (HIP_INTAKE, version) else one
        for one in shipped_definitions()
    ]


@pytest.fixture
def ship(monkeypatch):
    """Return a function that replaces the shipped definitions until the test ends."""

    def ship(*definitions):
        monkeypatch.setattr("assessments.red_flags.definitions.shipped_definitions", lambda: definitions)
        find_shipped.cache_clear()

    yield ship
    find_shipped.cache_clear()


@pytest.mark.parametrize(("canonical", "link_id"), [(one, name) for one in KNOWN for name in KNOWN[one].questions])
def test_renamed_question_is_named(canonical, link_id):
    changed = parse_questionnaire(renamed(newest(canonical), link_id))
    assert list(find_missing(KNOWN[canonical], changed)) == [link_id]


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [('"under-18"', '"minor"', "about.age"), ('"where"', '"site"', "where"), ('"psy.', '"mind.', "psy.")],
)
def test_missing_answer_page_or_section_is_named(old, new, missing):
    definition = json.loads(json.dumps(newest(HIP_INTAKE)).replace(old, new))
    assert list(find_missing(KNOWN[HIP_INTAKE], parse_questionnaire(definition))) == [missing]


@pytest.mark.django_db
def test_loading_stops_when_a_question_of_the_newest_version_is_renamed(ship):
    ship(*shipped_with("2", GUARDIAN_NAME))
    with pytest.raises(CommandError, match=r"guard\.name is missing"):
        call_command("load_definitions")
    assert not Questionnaire.objects.exists()


@pytest.mark.django_db
def test_earlier_version_without_a_question_can_be_loaded_answered_and_read(ship, clinic, alice, charlie):
    ship(*shipped_with("1", GUARDIAN_NAME))
    call_command("load_definitions", verbosity=0)
    first = Questionnaire.objects.get(canonical=HIP_INTAKE, version=1)
    response = create_response(questionnaire=first, patient=alice, now=NOW)
    save_page(response=response, page="safety", answers={"about.age": ["under-18"]}, now=NOW)
    summary = read_summary(response=response, by=charlie, now=NOW)
    assert summary.is_guarded and summary.guardian == []


@pytest.mark.django_db
def test_imported_version_is_not_published_when_it_lacks_a_question(loaded):
    changed = renamed(newest(CALL_INTAKE), GUARDIAN_NAME) | {"version": "2"}
    imported = import_questionnaire(content=json.dumps(changed).encode(), now=NOW)
    assert GUARDIAN_NAME in " ".join(notice.text for notice in imported.notices)
    with pytest.raises(PublishRefused) as refused:
        publish_questionnaire(questionnaire=imported.questionnaire, by=None, now=NOW)
    assert len(refused.value.faults) == 1 and GUARDIAN_NAME in refused.value.faults[0]


def test_no_other_module_names_a_link_id():
    named = {name for one in shipped_definitions() for name in link_ids(one["item"]) if "." in name}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.value}"
        for room in ("assessments", "booking", "education")
        for path in sorted((ROOT / room).rglob("*.py"))
        if path != OWNER and "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in named
    ]
    assert found == []
