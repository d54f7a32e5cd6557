"""Import of FHIR questionnaires: each part of R4 is supported, has a warning, or is refused with the reason."""

import time
from copy import deepcopy
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from fhir.resources.R4B.questionnaire import Questionnaire as FhirQuestionnaire
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.calculation.calculated_answers import add_calculated, initial_answers
from assessments.fhir.exporting import export_response
from assessments.fhir.importing import import_questionnaire
from assessments.fhir.inspection import inspect
from assessments.fhir.r5 import convert_r5, is_r5
from assessments.fhir.response_checking import check_response
from assessments.fhir.strict_json import MOST_BYTES
from assessments.fhir_json.parsing import parse_questionnaire
from assessments.intake.responses import complete_response, first_open_page, save_page, start_published_response
from assessments.models import Questionnaire
from assessments.questionnaire.checking import check_item
from assessments.questionnaire.expressions import ExpressionUnsupported, check_expression
from assessments.questionnaire.model import InvalidQuestionnaire
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose, Proof
from tests.assessments.answering import fill_page, page_url
from tests.assessments.fhir_examples import EVERYTHING, calculated, extension, large, of, packed, weighted
from tests.world import NOW


def test_example_is_valid_fhir_and_every_type_is_read():
    FhirQuestionnaire.model_validate(EVERYTHING)
    parsed = parse_questionnaire(EVERYTHING)
    kinds = {item.type for item in parsed.items.values()}
    assert kinds == {
        *("group", "display", "boolean", "decimal", "integer", "date", "dateTime", "time", "string", "text", "url"),
        *("choice", "open-choice", "attachment", "reference", "quantity"),
    }
    assert [option.ordinal for option in parsed.items["s1"].options] == [0, 1, 2]
    assert initial_answers(parsed) == {"int": [3], "open": ["Trail"], "secret": ["b7"], "total": [0]}


@pytest.mark.django_db
def test_import_stores_the_next_version_and_warns_of_what_works_differently():
    imported = import_questionnaire(content=packed(), now=NOW)
    assert (imported.questionnaire.slug, imported.questionnaire.version) == ("everything", 1)
    assert imported.questionnaire.published_at is None
    named = {(notice.name, notice.link_id) for notice in imported.notices}
    assert named == {("attachment", "file"), ("reference", "ref")}
    assert not import_questionnaire(content=packed(), now=NOW).is_new
    assert import_questionnaire(content=packed(title="Anew"), now=NOW).questionnaire.version == 2


STRING = {"linkId": "a", "type": "string"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not JSON"),
        (b'{"resourceType": "Questionnaire", "n": NaN}', "not JSON"),
        (b"[" * 5000 + b"]" * 5000, "more than 40 levels"),
        (b'{"a":' * 60 + b"1" + b"}" * 60, "more than 40 levels"),
        (b" " * (MOST_BYTES + 1), "larger"),
        (packed({"resourceType": "Patient"}), "not a FHIR Questionnaire"),
        (packed(of(STRING, STRING)), "a: this linkId is used twice"),
        (packed(of({**STRING, "type": "question"})), "a: items of type 'question'"),
        (packed(of({**STRING, "enableWhen": [{"question": "a", "operator": "="}]})), "exactly one answer"),
        (
            packed(of({**STRING, "enableWhen": [{"question": "a", "operator": "=", "answerString": "x"}]})),
            "a: its condition depends on itself",
        ),
        (
            packed(of({**STRING, "enableWhen": [{"question": "a", "operator": "~", "answerString": "x"}]})),
            "a: the operator '~'",
        ),
        (packed(of({**STRING, "type": "choice", "answerValueSet": "http://example.org/vs"})), "not in the file"),
        (packed(of({**STRING, "extension": [extension("regex", valueString=r"(a)\1")]})), "a: its regex refers back"),
        (packed(of({**STRING, "extension": [extension("regex", valueString="(")]})), "a: its regex"),
        (packed(of({"linkId": "seen", "type": "string"})), "reserved for the page"),
        (packed(of("not an item")), "does not follow FHIR"),
        (packed(of({**STRING, "type": "coding", "answerConstraint": "optionsOrType"})), "a coding without a list"),
    ],
)
def test_file_that_cannot_be_asked_is_refused_with_the_reason(content, words):
    with pytest.raises(InvalidQuestionnaire, match=words):
        import_questionnaire(content=content, now=NOW)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("%resource.item.repeat(item)", r"repeat\(\)"),
        ("'x'.matches('(a+)+$')", r"matches\(\)"),
        ("%somewhere.count()", "%somewhere"),
        ("1 + " * 900 + "1", "longer"),
        ("(" * 300 + "1" + ")" * 300, "too many parts|not FHIRPath"),
    ],
)
def test_unsupported_expression_is_named_at_import_and_never_run(expression, words):
    with pytest.raises(ExpressionUnsupported, match=words):
        check_expression(expression)
    definition = of({"linkId": "t", "type": "integer", "readOnly": True, "extension": [calculated(expression)]})
    parsed = parse_questionnaire(definition)
    assert [(one.name, one.link_id) for one in inspect(definition, parsed)] == [("expression", "t")]
    assert add_calculated(parsed, {"t": [7]}) == {}


@settings(max_examples=60, deadline=None)
@given(chosen=st.lists(st.sampled_from([None, "never", "some", "often"]), min_size=3, max_size=3))
def test_calculated_sum_and_mean_agree_with_a_naive_calculation(chosen):
    parsed = parse_questionnaire(EVERYTHING)
    answers = {name: [code] for name, code in zip(("s1", "s2", "s3"), chosen, strict=True) if code}
    weights = [{"never": 0, "some": 1, "often": 2}[code] for code in chosen if code]
    known = add_calculated(parsed, {**answers, "total": [99], "mean": ["99"]})
    assert known["total"] == [sum(weights)]
    if len(weights) >= 2:
        assert abs(Decimal(known["mean"][0]) - Decimal(sum(weights)) / len(weights)) < Decimal("0.00001")
    else:
        assert "mean" not in known


R5 = of(
    {
        "linkId": "c",
        "type": "coding",
        "answerConstraint": "optionsOrString",
        "answerOption": [{"valueCoding": {"code": "x"}}],
    },
    {"linkId": "s", "type": "string", "answerConstraint": "optionsOnly", "answerOption": [{"valueString": "y"}]},
    {"linkId": "g", "type": "group", "disabledDisplay": "hidden", "item": [{"linkId": "d", "type": "date"}]},
    versionAlgorithmString="semver",
)


def test_r5_is_converted_when_nothing_is_lost():
    converted = convert_r5(deepcopy(R5))
    FhirQuestionnaire.model_validate(converted)
    assert [item["type"] for item in converted["item"]] == ["open-choice", "choice", "group"]
    assert not is_r5(converted) and convert_r5(converted) is converted
    assert len(parse_questionnaire(converted).items) == 5


@pytest.mark.parametrize(
    "item",
    [
        {"linkId": "x", "type": "string", "disabledDisplay": "protected"},
        {"linkId": "x", "type": "integer", "answerConstraint": "optionsOrType", "answerOption": [{"valueInteger": 1}]},
        {"linkId": "x", "type": "quantity", "answerConstraint": "optionsOnly", "answerOption": [{"valueInteger": 1}]},
    ],
)
def test_r5_is_refused_when_something_would_be_lost(item):
    with pytest.raises(InvalidQuestionnaire, match=r"^x: "):
        import_questionnaire(content=packed(of(item)), now=NOW)


@pytest.mark.django_db
@pytest.mark.long
def test_file_of_800_items_and_a_megabyte_imports_in_seconds_and_shows_page_by_page(client, loaded, alice):
    """Measured in CPU time, so that a busy machine does not matter. `make bench` has the figures."""
    content = packed(large())
    assert len(content) > 1_000_000
    began = time.process_time()
    questionnaire = import_questionnaire(content=content, now=NOW).questionnaire
    assert time.process_time() - began < 5
    assert max(sum(item.is_question for item in page.walk()) for page in questionnaire.parsed.pages) <= 15
    Questionnaire.objects.filter(pk=questionnaire.pk).update(published_at=NOW)
    response = start_published_response(questionnaire_slug="small", patient=alice, now=NOW)
    token = issue_link(
        patient=alice,
        purpose=LinkPurpose.INTAKE,
        proof=Proof.MAILED,
        subject_id=response.pk,
        expires_at=NOW.replace(year=2099),
        now=NOW,
    )
    began = time.process_time()
    saved = fill_page(client, token, first_open_page(response).link_id, {"/q0": ["c1"]})
    assert saved.status_code == 303
    assert client.get(saved.headers["Location"]).status_code == 200
    assert time.process_time() - began < 5


@pytest.mark.django_db
def test_patient_fills_in_an_imported_questionnaire_without_a_script(client, loaded, alice):
    questionnaire = import_questionnaire(content=packed(), now=NOW).questionnaire
    Questionnaire.objects.filter(pk=questionnaire.pk).update(published_at=NOW)
    response = start_published_response(questionnaire_slug="everything", patient=alice, now=NOW)
    token = issue_link(
        patient=alice,
        purpose=LinkPurpose.INTAKE,
        proof=Proof.MAILED,
        subject_id=response.pk,
        expires_at=NOW.replace(year=2099),
        now=NOW,
    )
    story = {
        "yes": [True],
        "many": ["Boston\r\nMount Washington"],
        "instant": ["2026-11-02T07:30"],
        "what": ["shin"],
        "again": [True],
        "weeks": [2],
        "injury~2?": [True],
        "what~injury.2": ["foot"],
        "s1": ["often"],
        "secret": ["changed by hand"],
        "total": [99],
    }
    for _ in range(9):
        response.refresh_from_db()
        page = first_open_page(response)
        if page is None:
            break
        assert "Batch" not in client.get(page_url(token, page.link_id)).text  # hidden
        assert fill_page(client, token, page.link_id, story).status_code == 303
    complete_response(response=response, now=NOW)
    assert response.answers["many"] == ["Boston", "Mount Washington"]
    assert response.answers["what~injury.2"] == ["foot"]
    assert response.answers["secret"] == ["b7"]
    assert response.answers["total"] == [2]


@pytest.mark.django_db
@pytest.mark.parametrize(("typed", "is_kept"), [("AB12", True), ("12AB", False)])
def test_answer_is_not_saved_when_it_does_not_match_the_pattern(loaded, alice, typed, is_kept):
    questionnaire = import_questionnaire(content=packed(), now=NOW).questionnaire
    Questionnaire.objects.filter(pk=questionnaire.pk).update(published_at=NOW)
    response = start_published_response(questionnaire_slug="everything", patient=alice, now=NOW)
    save_page(response=response, page="plain", answers={"word": [typed]}, now=NOW)
    assert ("word" in response.answers) is is_kept


@pytest.mark.django_db
def test_staff_upload_a_file_read_the_warnings_and_publish(client, loaded, charlie):
    client.force_login(charlie)
    upload = reverse("admin:assessments_questionnaire_upload")
    assert upload in client.get(reverse("admin:assessments_questionnaire_changelist")).text
    done = client.post(upload, {"file": SimpleUploadedFile("q.json", packed())})
    assert done.status_code == 303
    page = client.get(done.headers["Location"]).text
    assert "Differences from the file" in page and "cannot be answered here" in page
    assert "without “why we ask”" in page and "not published" in page
    questionnaire = Questionnaire.objects.get(slug="everything")
    publish = reverse("admin:assessments_questionnaire_publish", args=[questionnaire.pk])
    assert client.get(publish).status_code == 405
    assert client.post(publish).status_code == 303
    questionnaire.refresh_from_db()
    assert questionnaire.published_at is not None


@pytest.mark.django_db
def test_refused_upload_says_why_and_stores_nothing(client, loaded, charlie):
    client.force_login(charlie)
    upload = reverse("admin:assessments_questionnaire_upload")
    page = client.post(upload, {"file": SimpleUploadedFile("q.json", packed(of(STRING, STRING)))})
    assert page.status_code == 422
    assert page.context["form"].errors.keys() == {"file"} and "used twice" in page.text
    assert not Questionnaire.objects.filter(slug="small").exists()


@pytest.mark.django_db
def test_questionnaire_longer_than_five_minutes_has_a_warning(loaded):
    imported = import_questionnaire(
        content=packed(of(*(weighted(f"w{n}", required=True) for n in range(130)), contained=EVERYTHING["contained"])),
        now=NOW,
    )
    assert [notice.name for notice in imported.notices] == ["long"]


@pytest.mark.django_db
def test_command_imports_valid_files_and_refuses_others(tmp_path, capsys):
    file = tmp_path / "q.json"
    file.write_bytes(packed())
    call_command("import_questionnaire", file, "--slug", "all", "--publish")
    assert "attachment: file" in capsys.readouterr().out
    assert Questionnaire.objects.get(slug="all").published_at is not None
    file.write_bytes(b"{}")
    with pytest.raises(CommandError, match="not a FHIR Questionnaire"):
        call_command("import_questionnaire", file)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_questionnaire", tmp_path / "nowhere.json")


def asked_again(times, **more):
    """Return a repeating group that contains repeating groups."""
    visit = {"linkId": "visit", "type": "group", "text": "A visit", "repeats": True, "item": [STRING]}
    return of({"linkId": "year", "type": "group", "text": "A year", "repeats": True, "item": [visit] * times, **more})


def copies(definition, link_id):
    items = parse_questionnaire(definition).items.values()
    return sum(item.exported_id == link_id and not (item.is_added or item.is_continued) for item in items)


@pytest.mark.parametrize(
    ("most", "is_warned", "expected"), [(None, True, 30), (12, False, 12), (30, False, 30), (99, True, 30)]
)
def test_group_is_repeated_as_often_as_the_file_says_and_up_to_thirty_times(most, is_warned, expected):
    limit = [extension("questionnaire-maxOccurs", valueInteger=most)] if most else []
    group = {"linkId": "g", "type": "group", "text": "One", "repeats": True, "extension": limit, "item": [STRING]}
    definition = of(group)
    assert copies(definition, "a") == expected
    warnings = inspect(definition, parse_questionnaire(definition))
    assert [one.name for one in warnings] == ["repeating group"] * is_warned


def test_nested_repeating_groups_are_repeated_less_often_when_items_are_many():
    definition = asked_again(1)
    assert copies(definition, "year") == 30 and copies(definition, "a") == 900
    many = [{**STRING, "linkId": f"a{number}"} for number in range(100)]
    definition["item"][0]["item"][0]["item"] = many
    assert copies(definition, "year") == 5 and copies(definition, "a7") == 25
    definition["item"][0]["item"][0]["item"] = [{**STRING, "linkId": f"a{number}"} for number in range(4001)]
    with pytest.raises(InvalidQuestionnaire, match="more than 4000"):
        parse_questionnaire(definition)


@pytest.mark.django_db
def test_patient_adds_copies_page_by_page_without_a_script(client, loaded, alice):
    group = {
        "linkId": "shoe",
        "type": "group",
        "text": "A pair of shoes",
        "repeats": True,
        "item": [{**STRING, "linkId": "brand", "text": "Which?", "required": True}],
    }
    questionnaire = import_questionnaire(content=packed(of(group)), now=NOW).questionnaire
    Questionnaire.objects.filter(pk=questionnaire.pk).update(published_at=NOW)
    response = start_published_response(questionnaire_slug="small", patient=alice, now=NOW)
    token = issue_link(
        patient=alice,
        purpose=LinkPurpose.INTAKE,
        proof=Proof.MAILED,
        subject_id=response.pk,
        expires_at=NOW.replace(year=2099),
        now=NOW,
    )
    pairs = 14
    story = {"brand": ["first"]} | {f"shoe~{number}?": [True] for number in range(2, pairs + 1)}
    story |= {f"brand~shoe.{number}": [f"number {number}"] for number in range(2, pairs + 1)}
    pages = []
    while page := first_open_page(response):
        pages.append(page.link_id)
        assert fill_page(client, token, page.link_id, story).status_code == 303
        response.refresh_from_db()
    assert 2 < len(pages) < 8
    complete_response(response=response, now=NOW)
    exported = export_response(response)
    assert exported["questionnaire"] == f"urn:uuid:{questionnaire.pk}|1"  # the file has no url and no version
    brands = [one["item"][0]["answer"][0]["valueString"] for one in exported["item"]]
    assert brands == ["first", *(f"number {number}" for number in range(2, pairs + 1))]
    assert check_response(questionnaire.parsed, exported).answers == response.answers


@pytest.mark.parametrize(("given", "reason"), [(["a"], "few"), (["a", "b"], None), (["a", "b", "c", "d"], "many")])
def test_number_of_answers_is_limited_as_the_file_says(given, reason):
    limits = [
        extension("questionnaire-minOccurs", valueInteger=2),
        extension("questionnaire-maxOccurs", valueInteger=3),
    ]
    item = parse_questionnaire(of({**STRING, "repeats": True, "extension": limits})).items["a"]
    assert getattr(check_item(item, given), "reason", None) == reason


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({**STRING, "maxLength": "6"}, "its max_length"),
        ({**STRING, "text": 7}, "its text"),
        (
            {**STRING, "repeats": True, "extension": [extension("questionnaire-maxOccurs", valueString="2")]},
            "its most",
        ),
        ({**STRING, "extension": [{"url": "urn:runclinic:layout", "valueCode": "scale"}]}, "the layout scale"),
        (
            {
                "linkId": "a",
                "type": "integer",
                "extension": [
                    {"url": "urn:runclinic:layout", "valueCode": "scale"},
                    extension("maxValue", valueInteger=10**9),
                ],
            },
            "at most 20 steps",
        ),
    ],
)
def test_item_that_would_fail_on_a_patients_page_is_refused_at_import(item, words):
    with pytest.raises(InvalidQuestionnaire, match=words):
        import_questionnaire(content=packed(of(item)), now=NOW)
