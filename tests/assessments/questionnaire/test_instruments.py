"""Scores of published instruments from imported files with coded items. The items' texts are invented."""

import json

import pytest

from assessments.fhir.importing import import_questionnaire, import_response
from assessments.fhir.inspection import inspect
from assessments.fhir.response_checking import check_response
from assessments.fhir_json.parsing import parse_questionnaire
from assessments.models import Questionnaire
from assessments.questionnaire.instruments import HUNDRED, RATING, SCALES, SYSTEM
from assessments.questionnaire.model import InvalidQuestionnaire
from assessments.questionnaire.scoring import score_response
from clinic.practice.models import Clinic
from tests.assessments.fhir_examples import answer, calculated, extension, respond
from tests.world import NOW


def coded(code, counts, link_id=None):
    """Return an item with the weights of the instrument and an invented text."""
    instrument, _, number = code.partition(":")
    item = {"linkId": link_id or number, "text": "Item", "code": [{"system": SYSTEM + instrument, "code": number}]}
    if isinstance(counts, range):
        limits = [extension("minValue", valueInteger=counts[0]), extension("maxValue", valueInteger=counts[-1])]
        return {**item, "type": "integer", "extension": limits}
    options = [
        {"valueCoding": {"code": f"o{place}", "extension": [extension("ordinalValue", valueDecimal=weight)]}}
        for place, weight in enumerate(counts)
    ]
    return {**item, "type": "choice", "answerOption": options}


def questionnaire(instrument):
    items = [
        coded(code, counts)
        for scale in SCALES
        if scale.measure.partition(".")[0] == instrument
        for code, counts in zip(scale.codes, scale.counts, strict=True)
    ]
    return {"resourceType": "Questionnaire", "title": instrument, "status": "active", "item": items}


def scored(instrument, chosen):
    """Return {measure: value}, where `chosen` is {item: position of the option, or the number itself}."""
    parsed = parse_questionnaire(questionnaire(instrument))
    answers = {name: [f"o{given}"] if parsed.items[name].options else [given] for name, given in chosen.items()}
    return {result.measure: result.value for result in score_response(parsed, answers)}


def each(size, given, prefix=""):
    return {f"{prefix}{number}": given for number in range(1, size + 1)}


def named(*given):
    return {str(number): one for number, one in enumerate(given, start=1)}


@pytest.mark.parametrize(
    ("instrument", "chosen", "measure", "value"),
    [
        ("uwri", each(9, 4), "uwri", 36),
        ("uwri", each(8, 4), "uwri", None),
        ("ostrc-o2", named(1, 1, 1, 1), "ostrc-o2", 32),
        ("ostrc-o2", named(3), "ostrc-o2", 100),
        ("ostrc-o2", named(0), "ostrc-o2", 0),
        ("ostrc-o2", named(1, 1, 1), "ostrc-o2", None),
        ("ostrc-2013", named(3, 4, 4, 3), "ostrc-2013", 100),
        ("ostrc-2013", named(1, 1, 2, 1), "ostrc-2013", 35),
        ("hoos", each(5, 2, "pain-"), "hoos.pain", 50),
        ("hoos", each(4, 2, "pain-"), "hoos.pain", None),
        ("hoos", each(3, 0, "symptoms-"), "hoos.symptoms", 100),
        ("hoos", each(9, 4, "adl-"), "hoos.adl", 0),
        ("hoos", each(8, 4, "adl-"), "hoos.adl", None),
        ("hagos", each(10, 0, "pain-"), "hagos.pain", 100),
        ("hagos", each(7, 0, "symptoms-"), "hagos.symptoms", 100),
        ("hagos", each(1, 0, "pa-"), "hagos.pa", None),
        ("hagos", each(2, 1, "pa-"), "hagos.pa", 75),
        ("hoos-12", {**each(4, 2, "pain-"), **each(2, 0, "function-"), **each(4, 4, "qol-")}, "hoos-12", 50),
        ("hoos-12", {**each(4, 2, "pain-"), **each(1, 0, "function-"), **each(4, 4, "qol-")}, "hoos-12", None),
        ("lefs", each(20, 4), "lefs", 80),
        ("lefs", each(19, 4), "lefs", None),
        ("psfs", named(4, 6, 8), "psfs", 6),
        ("ihot-12", each(12, 0), "ihot-12", 0),
        ("ihot-12", each(6, 50), "ihot-12", 50),
        ("ihot-12", each(5, 50), "ihot-12", None),
        ("tsk-11", each(11, 3), "tsk-11", 44),
    ],
)
def test_instrument_scores_as_its_authors_specify(instrument, chosen, measure, value):
    assert scored(instrument, chosen)[measure] == value


@pytest.mark.parametrize("instrument", sorted({scale.measure.partition(".")[0] for scale in SCALES}))
def test_complete_instrument_is_scored_without_a_warning(instrument):
    definition = questionnaire(instrument)
    parsed = parse_questionnaire(definition)
    assert {"score"} & {warning.name for warning in inspect(definition, parsed)} == set()
    assert {one.measure for one in SCALES if one.measure.partition(".")[0] == instrument} <= {
        one.measure for one in parsed.scores
    }


def changed(change):
    definition = questionnaire("uwri")
    change(definition["item"])
    return definition


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda items: items.pop(), "no item with the code uwri:9"),
        (lambda items: items[2]["answerOption"].pop(), "3 do not have the weights 0, 1, 2, 3, 4"),
        (lambda items: items.__setitem__(1, coded("uwri:2", RATING)), "2 do not have the weights 0, 1, 2, 3, 4"),
        (lambda items: items.append(coded("uwri:10", HUNDRED)), "not the code of an item"),
    ],
)
def test_warning_names_the_cause_when_an_instrument_cannot_be_scored(change, words):
    definition = changed(change)
    warnings = [one.text for one in inspect(definition, parse_questionnaire(definition)) if one.name == "score"]
    assert len(warnings) == 1 and words in warnings[0]


def own_score(**parts):
    named = {"measure": "m", "title": "M", "method": "sum", "item": "1", **parts}
    nested = [{"url": url, "valueString" if isinstance(v, str) else "valueInteger": v} for url, v in named.items()]
    return {**questionnaire("uwri"), "extension": [{"url": "urn:runclinic:score", "extension": nested}]}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"method": "median"}, "unknown method"),
        ({"gate": "other"}, "unknown method"),
        ({"minimum-answered": "two"}, "unknown method"),
        ({"item": "nowhere"}, "does not exist"),
        ({"method": "mean-of-scores"}, "does not exist"),
        ({"measure": "uwri"}, "twice"),
        ({"measure": "m" * 41}, "too long"),
    ],
)
def test_score_that_would_fail_on_a_patients_page_is_refused_at_import(parts, words):
    parse_questionnaire(own_score())
    with pytest.raises(InvalidQuestionnaire, match=words):
        parse_questionnaire(own_score(**parts))


@pytest.mark.django_db
def test_imported_instrument_is_scored_when_a_response_is_imported(alice):
    Clinic.objects.create(name="Lakeside Running Clinic")
    stored = import_questionnaire(content=json.dumps(questionnaire("uwri")).encode(), now=NOW).questionnaire
    assert Questionnaire.objects.get() == stored
    items = [answer(str(number), ("valueCoding", {"code": "o3"})) for number in range(1, 10)]
    response = import_response(questionnaire=stored, patient=alice, resource=respond(*items), now=NOW)
    assert response.scores.get().result == {"value": "27.0", "answered": 9, "of": 9}


TOTAL = "%resource.item.where(linkId.startsWith('p')).answer.value.ordinal().sum()"


def test_total_that_does_not_match_its_items_is_reported_and_recalculated():
    """FHIR's own example of a nine-item response has a total of 13, while the items sum to 10."""
    options = coded("", (0, 1, 2, 3))["answerOption"]
    items = [{"linkId": f"p{n}", "text": "?", "type": "choice", "answerOption": options} for n in range(1, 10)]
    total = {"linkId": "total", "text": "Total", "type": "integer", "readOnly": True, "extension": [calculated(TOTAL)]}
    parsed = parse_questionnaire({"resourceType": "Questionnaire", "title": "Nine", "item": [*items, total]})
    given = [
        answer(f"p{number}", ("valueCoding", {"code": f"o{place}"}))
        for number, place in enumerate((0, 1, 2, 3, 0, 1, 2, 1, 0), start=1)
    ]
    checked = check_response(parsed, respond(*given, answer("total", ("valueInteger", 13))))
    assert checked.answers["total"] == [10]
    assert [(one.link_id, one.reason) for one in checked.problems] == [("total", "total")]
