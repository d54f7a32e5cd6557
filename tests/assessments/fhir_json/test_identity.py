"""The canonical url identifies a questionnaire: only a file with the same url becomes a new version."""

import json
from copy import deepcopy

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from assessments.fhir.importing import (
    PublishRefused,
    import_questionnaire,
    missing_questions,
    publish_questionnaire,
)
from assessments.fhir_json.canonical import canonical_of
from assessments.fhir_json.parsing import parse_questionnaire
from assessments.intake.responses import start_published_response
from assessments.intake.screening import find_questionnaire
from assessments.known_questions import HIP_INTAKE, SCREEN_PAGES
from assessments.models import Questionnaire
from assessments.questionnaire.model import InvalidQuestionnaire
from assessments.red_flag_rules.coverage import lost_questions
from assessments.red_flags.definitions import FOLDER, load_questionnaires, store_definition
from tests.assessments.fhir_examples import of, packed
from tests.world import NOW

pytestmark = pytest.mark.django_db
QUESTION = {"linkId": "a", "type": "string", "text": "Say"}


@pytest.fixture
def definition():
    return json.loads((FOLDER / "hip_running_intake_v2.json").read_text())


def bring(definition, **more):
    return import_questionnaire(content=json.dumps(definition).encode(), now=NOW, **more)


def item_of(definition, link_id):
    for page in definition["item"]:
        for item in page["item"]:
            if item["linkId"] == link_id:
                return page, item
    raise LookupError(link_id)


def test_file_whose_url_ends_like_the_hip_intake_is_a_separate_questionnaire(loaded):
    imported = bring(of(QUESTION, url="https://a.example/fhir/hip-running-intake", title="Other"))
    publish_questionnaire(questionnaire=imported.questionnaire, by=None, now=NOW)
    assert (imported.questionnaire.slug, imported.questionnaire.version) == ("hip-running-intake-2", 1)
    assert imported.earlier is None
    assert find_questionnaire().canonical == HIP_INTAKE and find_questionnaire().version == 2


def test_two_files_whose_urls_end_alike_are_separate_questionnaires(loaded, alice):
    one = bring(of(QUESTION, url="https://a.example/q/back-pain", title="A")).questionnaire
    two = bring(of(QUESTION, url="https://b.example/q/back-pain", title="B")).questionnaire
    assert (one.slug, two.slug) == ("back-pain", "back-pain-2")
    assert (one.version, two.version) == (1, 1)
    again = bring(of(QUESTION, url="https://b.example/q/back-pain", title="B, better"))
    assert (again.questionnaire.slug, again.questionnaire.version, again.earlier) == ("back-pain-2", 2, two)
    for questionnaire in (one, again.questionnaire):
        publish_questionnaire(questionnaire=questionnaire, by=None, now=NOW)
    assert start_published_response(questionnaire_slug="back-pain", patient=alice, now=NOW).questionnaire == one


@pytest.mark.parametrize("slug", ["hip-running-intake", "call-intake"])
def test_short_name_of_another_questionnaire_is_refused_with_the_reason(loaded, slug):
    with pytest.raises(InvalidQuestionnaire, match=f"the short name {slug} belongs to another questionnaire"):
        bring(of(QUESTION, url="https://a.example/other"), slug=slug)
    with pytest.raises(InvalidQuestionnaire, match="belongs to another questionnaire"):
        bring(of(QUESTION), slug=slug)


def test_second_short_name_for_a_known_url_is_refused_with_the_reason(loaded):
    bring(of(QUESTION, url="https://a.example/q/knee"), slug="knee")
    with pytest.raises(InvalidQuestionnaire, match="is known here as knee"):
        bring(of(QUESTION, url="https://a.example/q/knee", title="New"), slug="other-knee")


def test_file_without_a_url_is_identified_by_its_name_but_never_as_one_with_a_url(loaded):
    first = bring(of(QUESTION, name="hip-running-intake")).questionnaire
    assert (first.slug, first.canonical) == ("hip-running-intake-2", "urn:runclinic:local:hip-running-intake-2")
    second = bring(of(QUESTION, {**QUESTION, "linkId": "b"}, name="hip-running-intake")).questionnaire
    assert (second.slug, second.version) == ("hip-running-intake-2", 2)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://a.example/x", "https://a.example/x"),
        ("https://a.example/x|2.0", "https://a.example/x"),
        (" https://a.example/x ", "https://a.example/x"),
        ("https://a.example/x/", "https://a.example/x/"),
        ("", "urn:runclinic:local:small"),
        (None, "urn:runclinic:local:small"),
    ],
)
def test_database_and_code_agree_on_the_canonical_url(url, canonical):
    definition = {"url": url} if url is not None else {}
    row = Questionnaire.objects.create(slug="small", version=1, title="S", definition=definition, created_at=NOW)
    assert row.canonical == canonical == canonical_of(definition, slug="small")


def test_database_refuses_two_questionnaires_with_one_short_name(loaded):
    with pytest.raises(IntegrityError), transaction.atomic():
        Questionnaire.objects.create(
            slug="hip-running-intake", version=9, title="X", definition={"url": "https://a.example/x"}, created_at=NOW
        )


def test_url_is_refused_when_it_is_too_long(loaded):
    with pytest.raises(InvalidQuestionnaire, match="url is longer than"):
        bring(of(QUESTION, url="https://a.example/" + "x" * 500), slug="long")


def lose_question(definition):
    page, item = item_of(definition, "rf.body")
    page["item"].remove(item)
    page["item"] = [one for one in page["item"] if one["linkId"] not in ("rf.body.unsure", "rf.unwell.hip")]


def lose_answer(definition):
    item = item_of(definition, "rf.leg")[1]
    item["answerOption"] = [one for one in item["answerOption"] if one["valueCoding"]["code"] != "saddle"]


def lose_unsure(definition):
    item = item_of(definition, "bone.fuel")[1]
    item["answerOption"] = [one for one in item["answerOption"] if one["valueCoding"]["code"] != "unsure"]


def hide(definition):
    hidden = {"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-hidden", "valueBoolean": True}
    item_of(definition, "rf.leg")[1].setdefault("extension", []).append(hidden)


def ask_rarely(definition):
    condition = {"question": "about.age", "operator": "=", "answerCoding": {"code": "50-up"}}
    item_of(definition, "rf.signs")[1]["enableWhen"] = [condition]


def shut_follow_up(definition):
    condition = {"question": "rf.leg", "operator": "=", "answerCoding": {"code": "none"}}
    item_of(definition, "rf.leg.unsure")[1]["enableWhen"] = [condition]


def ask_for_one(definition):
    item_of(definition, "rf.move")[1].pop("repeats")


def rename_page(definition):
    next(page for page in definition["item"] if page["linkId"] == "safety")["linkId"] = "first"


def ask_in_prose(definition):
    item = item_of(definition, "hist.bsi")[1]
    item["type"] = "text"
    item.pop("answerOption")


LOSSES = {
    lose_question: "rf.body (“Signs in the body”) is missing",
    lose_answer: "rf.leg (",
    lose_unsure: "lacks the answer unsure",
    hide: "is not asked: it is hidden",
    ask_rarely: "is not asked when it was before",
    shut_follow_up: "rf.leg.unsure",
    ask_for_one: "takes only one answer",
    rename_page: "is not on one of the pages safety, signs, where",
    ask_in_prose: "is a question of another type (text)",
}


@pytest.mark.parametrize("change", LOSSES, ids=lambda change: change.__name__)
def test_version_is_not_published_when_a_flag_could_not_fire(loaded, definition, change):
    changed = deepcopy(definition)
    change(changed)
    imported = bring({**changed, "version": "3"})
    assert "missing" in {notice.name for notice in imported.notices}
    with pytest.raises(PublishRefused) as refused:
        publish_questionnaire(questionnaire=imported.questionnaire, by=None, now=NOW)
    words = LOSSES[change].partition(" (“")[0]
    assert any(words in fault for fault in refused.value.faults), refused.value.faults
    assert find_questionnaire().version == 2


def test_version_is_published_when_it_keeps_every_sign(loaded, definition):
    changed = deepcopy(definition)
    item_of(changed, "rf.leg")[1]["text"] = "Said in other words"
    changed["item"].append({"linkId": "more", "type": "group", "text": "More", "item": [QUESTION]})
    imported = bring({**changed, "version": "3"})
    assert imported.earlier.version == 2
    assert "next version" in {notice.name for notice in imported.notices}
    publish_questionnaire(questionnaire=imported.questionnaire, by=None, now=NOW)
    assert find_questionnaire() == imported.questionnaire


def test_shipped_versions_have_everything_that_the_rules_read(loaded, rules):
    for questionnaire in Questionnaire.objects.filter(version=2) | Questionnaire.objects.filter(slug="call-intake"):
        assert missing_questions(questionnaire) == []


def test_call_intake_is_not_published_when_it_lacks_a_sign(loaded):
    call = json.loads((FOLDER / "call_intake_v1.json").read_text())
    lose_answer(call)
    with pytest.raises(PublishRefused, match="lacks the answer saddle"):
        publish_questionnaire(questionnaire=bring({**call, "version": "2"}).questionnaire, by=None, now=NOW)


def test_pages_are_checked_only_for_the_questionnaire_of_the_screen(rules, definition):
    before = parse_questionnaire(definition)
    moved = deepcopy(definition)
    rename_page(moved)
    after = parse_questionnaire(moved)
    assert lost_questions(rules, before, after) == {}
    assert lost_questions(rules, before, after, first_pages=SCREEN_PAGES)


def test_admin_names_what_is_missing_and_does_not_publish(client, loaded, definition, charlie):
    client.force_login(charlie)
    lose_answer(definition)
    file = SimpleUploadedFile("q.json", json.dumps({**definition, "version": "3"}).encode())
    page = client.post(reverse("admin:assessments_questionnaire_upload"), {"file": file}, follow=True)
    assert "version 3 of" in page.text and "lacks the answer saddle" in page.text
    assert "Publish this version" not in page.text
    draft = Questionnaire.objects.get(published_at=None)
    url = reverse("admin:assessments_questionnaire_publish", args=[draft.pk])
    assert "stays unpublished" in client.post(url, follow=True).text
    draft.refresh_from_db()
    assert draft.published_at is None


def test_command_names_what_is_missing_and_does_not_publish(loaded, definition, tmp_path, capsys):
    file = tmp_path / "q.json"
    lose_answer(definition)
    file.write_text(json.dumps({**definition, "version": "3"}))
    with pytest.raises(CommandError, match=r"not published.*lacks the answer saddle"):
        call_command("import_questionnaire", file, publish=True)
    assert "next version:" in capsys.readouterr().out
    assert find_questionnaire().version == 2


def test_shipped_version_does_not_overwrite_the_clinics_own(loaded, definition):
    own = bring({**definition, "version": "2-clinic", "title": "Ours"}).questionnaire
    publish_questionnaire(questionnaire=own, by=None, now=NOW)
    shipped = store_definition({**definition, "version": "3", "title": "Theirs"}, now=NOW)
    own.refresh_from_db()
    assert (own.version, own.title) == (3, "Ours")
    assert (shipped.version, shipped.published_at) == (4, None)
    assert find_questionnaire() == own
    assert load_questionnaires(now=NOW) == loaded
    assert store_definition({**definition, "version": "3", "title": "Theirs"}, now=NOW) == shipped


def test_refused_file_leaves_no_rows(loaded):
    before = Questionnaire.objects.count()
    with pytest.raises(InvalidQuestionnaire):
        import_questionnaire(content=packed(url="https://a.example/x"), slug="hip-running-intake", now=NOW)
    assert Questionnaire.objects.count() == before
