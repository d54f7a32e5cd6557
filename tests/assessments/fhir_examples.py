"""Invented FHIR questionnaires, one with every feature, for tests of import, export and checking."""

import json

FHIR = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/"


def extension(name, **value):
    return {"url": FHIR + name, **value}


def calculated(expression):
    return {
        "url": SDC + "sdc-questionnaire-calculatedExpression",
        "valueExpression": {"language": "text/fhirpath", "expression": expression},
    }


def weighted(link_id, **more):
    """Return a choice item with weights 0, 1 and 2, from the ValueSet in the file."""
    return {"linkId": link_id, "text": f"Item {link_id}", "type": "choice", "answerValueSet": "#scale", **more}


SCALE = {
    "resourceType": "ValueSet",
    "id": "scale",
    "status": "active",
    "compose": {
        "include": [
            {
                "system": "urn:example:scale",
                "concept": [
                    {"code": "never", "display": "Never", "extension": [extension("ordinalValue", valueDecimal=0)]},
                    {"code": "some", "display": "Sometimes", "extension": [extension("itemWeight", valueDecimal=1)]},
                    {"code": "often", "display": "Often", "extension": [extension("ordinalValue", valueDecimal=2)]},
                ],
            }
        ]
    },
}
TOTAL = "%resource.descendants().where(linkId in ('s1' | 's2' | 's3')).answer.value.ordinal().sum()"
TOTAL = "%resource.item.where(linkId='scores').item.where(linkId!='total').answer.value.ordinal().sum()"
MEAN = "iif(%answered.count() >= 2, %answered.answer.value.weight().sum() / %answered.count(), {})"

EVERYTHING = {
    "resourceType": "Questionnaire",
    "url": "https://example.org/Questionnaire/everything",
    "version": "2026.1",
    "title": "Everything",
    "status": "active",
    "contained": [SCALE],
    "extension": [
        {
            "url": FHIR + "variable",
            "valueExpression": {
                "name": "answered",
                "language": "text/fhirpath",
                "expression": "%resource.item.where(linkId='scores').item.where(linkId.startsWith('s') and answer.exists())",
            },
        }
    ],
    "item": [
        {"linkId": "intro", "type": "display", "text": "Welcome."},
        {"linkId": "yes", "type": "boolean", "text": "Any trouble?", "required": True},
        {
            "linkId": "plain",
            "type": "group",
            "text": "One of each",
            "enableWhen": [{"question": "yes", "operator": "=", "answerBoolean": True}],
            "item": [
                {
                    "linkId": "dec",
                    "type": "decimal",
                    "text": "Hours of sleep",
                    "extension": [extension("minValue", valueDecimal=0), extension("maxValue", valueDecimal=24)],
                },
                {"linkId": "int", "type": "integer", "text": "Runs", "initial": [{"valueInteger": 3}]},
                {"linkId": "day", "type": "date", "text": "Which day?"},
                {"linkId": "instant", "type": "dateTime", "text": "When exactly?"},
                {"linkId": "clock", "type": "time", "text": "What time?"},
                {
                    "linkId": "word",
                    "type": "string",
                    "text": "Code on the band",
                    "maxLength": 6,
                    "extension": [extension("regex", valueString="[A-Z]{2}[0-9]{1,4}")],
                },
                {"linkId": "words", "type": "text", "text": "Tell us"},
                {"linkId": "link", "type": "url", "text": "Your training plan"},
                {
                    "linkId": "open",
                    "type": "open-choice",
                    "text": "Shoes",
                    "repeats": True,
                    "answerOption": [{"valueString": "Road"}, {"valueString": "Trail", "initialSelected": True}],
                },
                {
                    "linkId": "number",
                    "type": "choice",
                    "text": "Pairs",
                    "answerOption": [{"valueInteger": 1}, {"valueInteger": 2}],
                },
                {
                    "linkId": "mass",
                    "type": "quantity",
                    "text": "Weight",
                    "extension": [extension("questionnaire-unit", valueCoding={"code": "kg", "display": "kg"})],
                },
                {"linkId": "many", "type": "string", "text": "Races", "repeats": True},
                {"linkId": "file", "type": "attachment", "text": "Scan report"},
                {"linkId": "ref", "type": "reference", "text": "Your doctor"},
                {
                    "linkId": "secret",
                    "type": "string",
                    "text": "Batch",
                    "initial": [{"valueString": "b7"}],
                    "extension": [extension("questionnaire-hidden", valueBoolean=True)],
                },
            ],
        },
        {
            "linkId": "injury",
            "type": "group",
            "text": "An injury",
            "repeats": True,
            "extension": [extension("questionnaire-maxOccurs", valueInteger=3)],
            "item": [
                {"linkId": "what", "type": "string", "text": "Which?", "required": True},
                {
                    "linkId": "again",
                    "type": "boolean",
                    "text": "Did it come back?",
                    "enableWhen": [{"question": "what", "operator": "exists", "answerBoolean": True}],
                },
                {
                    "linkId": "spell",
                    "type": "group",
                    "text": "A spell",
                    "repeats": True,
                    "extension": [extension("questionnaire-maxOccurs", valueInteger=2)],
                    "enableWhen": [{"question": "again", "operator": "=", "answerBoolean": True}],
                    "item": [{"linkId": "weeks", "type": "integer", "text": "Weeks off"}],
                },
            ],
        },
        {
            "linkId": "scores",
            "type": "group",
            "text": "How often",
            "item": [
                weighted("s1", required=True),
                weighted("s2"),
                weighted("s3"),
                {
                    "linkId": "total",
                    "type": "integer",
                    "text": "Sum",
                    "readOnly": True,
                    "extension": [calculated(TOTAL)],
                },
                {
                    "linkId": "mean",
                    "type": "decimal",
                    "text": "Mean",
                    "readOnly": True,
                    "extension": [calculated(MEAN)],
                },
            ],
        },
    ],
}


def answer(link_id, *values, item=None):
    """Return an item of a response."""
    answered = {"linkId": link_id, "answer": [dict([value]) for value in values]}
    return answered | ({"item": item} if item else {})


def code(name):
    return ("valueCoding", {"code": name, "system": "urn:example:scale"})


def injury(what, *weeks):
    items = [answer("what", ("valueString", what))]
    if weeks:
        items.append(answer("again", ("valueBoolean", True)))
        items += [{"linkId": "spell", "item": [answer("weeks", ("valueInteger", number))]} for number in weeks]
    return {"linkId": "injury", "item": items}


def respond(*items, status="completed"):
    return {"resourceType": "QuestionnaireResponse", "status": status, "item": list(items)}


FULL = respond(
    answer("yes", ("valueBoolean", True)),
    {
        "linkId": "plain",
        "item": [
            answer("dec", ("valueDecimal", 7.5)),
            answer("int", ("valueInteger", 3)),
            answer("day", ("valueDate", "2026-11-02")),
            answer("instant", ("valueDateTime", "2026-11-02T07:30:00-05:00")),
            answer("clock", ("valueTime", "07:30:00")),
            answer("word", ("valueString", "AB12")),
            answer("words", ("valueString", "all well")),
            answer("link", ("valueUri", "https://example.org/plan")),
            answer("open", ("valueString", "Trail"), ("valueString", "Barefoot")),
            answer("number", ("valueInteger", 2)),
            answer("mass", ("valueQuantity", {"value": 61.5, "unit": "kg"})),
            answer("many", ("valueString", "Boston"), ("valueString", "Mount Washington")),
            answer("secret", ("valueString", "b7")),
        ],
    },
    injury("shin", 2, 3),
    injury("foot"),
    {
        "linkId": "scores",
        "item": [
            answer("s1", code("often")),
            answer("s2", code("some")),
            answer("total", ("valueInteger", 3)),
            answer("mean", ("valueDecimal", 1.5)),
        ],
    },
)


def packed(definition=EVERYTHING, **changes):
    return json.dumps({**definition, **changes}).encode()


def of(*items, **more):
    return {"resourceType": "Questionnaire", "name": "Small", "status": "active", "item": list(items), **more}


def large():
    """Return a questionnaire of over 1 MB with 800 questions, some of them choices with 12 options."""
    options = [
        {"valueCoding": {"code": f"c{n}", "display": f"Answer number {n} " + "and so on " * 8}} for n in range(12)
    ]
    items = [
        {"linkId": f"/q{n}", "type": "choice", "text": f"Question {n}? " + "word " * 20, "answerOption": options}
        | (
            {"enableWhen": [{"question": f"/q{n - 1}", "operator": "exists", "answerBoolean": True}]}
            if n % 9 == 1
            else {}
        )
        for n in range(800)
    ]
    return of({"linkId": "all of it", "type": "group", "text": "Everything", "item": items}, title="Long")
