"""New files are checked more strictly than stored ones: each problem is refused with the item and the reason."""

import re
from urllib.parse import urljoin

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from assessments.fhir.acceptance import LONGEST_CHAIN
from assessments.fhir.importing import import_questionnaire, read_definition
from assessments.fhir.inspection import inspect
from assessments.fhir_json.parsing import parse_questionnaire
from assessments.intake.responses import create_response
from assessments.models import Questionnaire
from assessments.questionnaire.checking import check_item
from assessments.questionnaire.controls import options_of
from assessments.questionnaire.enablement import enabled_items
from assessments.questionnaire.model import InvalidQuestionnaire
from assessments.questionnaire.structure import chain_lengths
from assessments.red_flags.definitions import shipped_definitions
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose, Proof
from tests.assessments.answering import page_url
from tests.assessments.fhir_examples import EVERYTHING, calculated, extension, large, of, packed
from tests.world import NOW

LONGEST_REQUEST_LINE = 4094  # bytes, gunicorn's default
STRING = {"linkId": "a", "type": "string", "text": "Say"}
NOTE = {"linkId": "note", "type": "display", "text": "Read this"}
WITHOUT_ITEMS = [of(), {key: value for key, value in of().items() if key != "item"}]
WITHOUT_QUESTIONS = [
    of(NOTE),
    of({"linkId": "g", "type": "group", "text": "Nothing", "item": []}),
    of({"linkId": "g", "type": "group", "text": "Notes", "repeats": True, "item": [NOTE]}),
    of({"linkId": "file", "type": "attachment", "text": "Your report"}),
    of({**STRING, "readOnly": True}),
    of({**STRING, "extension": [extension("questionnaire-hidden", valueBoolean=True)]}),
    of({**STRING, "extension": [calculated("1 + 1")]}),
]


@pytest.mark.django_db
@pytest.mark.parametrize("definition", WITHOUT_ITEMS + WITHOUT_QUESTIONS)
def test_file_without_a_question_for_patients_is_refused_by_admin_and_command(client, charlie, tmp_path, definition):
    client.force_login(charlie)
    file = tmp_path / "q.json"
    file.write_bytes(packed(definition))
    with file.open("rb") as content:
        page = client.post(reverse("admin:assessments_questionnaire_upload"), {"file": content})
    assert page.status_code == 422
    assert page.context["form"].errors.keys() == {"file"} and "no questions" in page.text
    with pytest.raises(CommandError, match="it has no questions"):
        call_command("import_questionnaire", file)
    assert not Questionnaire.objects.filter(slug="small").exists()


def test_file_without_items_is_refused_by_every_loader_and_one_with_only_notes_stays_readable():
    for definition in WITHOUT_ITEMS:
        with pytest.raises(InvalidQuestionnaire, match=r"^it has no questions$"):
            parse_questionnaire(definition)
    for definition in WITHOUT_QUESTIONS:  # an earlier import may have stored them
        assert parse_questionnaire(definition).pages


def test_shipped_questionnaires_and_examples_are_accepted():
    for definition in (*shipped_definitions(), EVERYTHING, large()):
        read_definition(definition)


def limited(item_type, **limits):
    """Return an item with limits such as minValue=("Decimal", 1.5)."""
    values = [extension(name, **{f"value{kind}": value}) for name, (kind, value) in limits.items()]
    return {"linkId": "a", "type": item_type, "text": "How much?", "extension": values}


def scale(**limits):
    item = limited("integer", **limits)
    return {**item, "extension": [*item["extension"], {"url": "urn:runclinic:layout", "valueCode": "scale"}]}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        ("Decimal", 10.0, "10"),
        ("Decimal", 1e3, "1000"),
        ("Decimal", -2.0, "-2"),
        ("Integer", 0, "0"),
        ("Decimal", 0.0, "0"),
    ],
)
def test_decimal_limit_of_an_integer_is_converted_when_it_is_whole(loaded, kind, written, expected):
    for name, field in (("minValue", "minimum"), ("maxValue", "maximum")):
        content = packed(of(limited("integer", **{name: (kind, written)})), name=f"Small {name}")
        stored = import_questionnaire(content=content, now=NOW).questionnaire
        assert getattr(stored.parsed.items["a"], field) == expected


@pytest.mark.django_db
def test_scale_with_whole_decimal_limits_has_the_right_steps(loaded):
    item = scale(minValue=("Decimal", 1.0), maxValue=("Decimal", 5.0))
    stored = import_questionnaire(content=packed(of(item)), now=NOW).questionnaire
    assert [value for value, _ in options_of(stored.parsed.items["a"])] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("item_type", "limits"),
    [
        ("integer", {"minValue": ("Integer", 3), "maxValue": ("Integer", 3)}),
        ("decimal", {"minValue": ("Integer", 0), "maxValue": ("Decimal", 1.5)}),
        ("quantity", {"maxValue": ("Decimal", 1.5)}),
        ("date", {"minValue": ("Date", "2026-01-01"), "maxValue": ("Date", "2026-01-01")}),
        ("dateTime", {"minValue": ("DateTime", "2026-01-01T10:00:00-05:00"), "maxValue": ("Date", "2026-01-01")}),
        ("time", {"minValue": ("Time", "08:00:00"), "maxValue": ("Time", "17:30:00.5")}),
    ],
)
def test_limits_that_fit_the_type_are_accepted(item_type, limits):
    read_definition(of(limited(item_type, **limits)))


@pytest.mark.parametrize(
    ("item_type", "kind", "value"),
    [
        ("integer", "Decimal", 1.5),
        ("integer", "String", "NaN"),
        ("integer", "Boolean", True),
        ("integer", "Date", "2026-01-01"),
        ("integer", "Quantity", {"value": 3}),
        ("decimal", "String", "Infinity"),
        ("decimal", "Decimal", float("nan")),
        ("decimal", "Decimal", float("inf")),
        ("decimal", "Time", "10:00:00"),
        ("quantity", "String", "3 kg"),
        ("date", "Integer", 20260101),
        ("date", "Date", "2026-01"),
        ("date", "DateTime", "2026-01-01T10:00:00"),
        ("dateTime", "DateTime", "20260101T10:00"),
        ("dateTime", "Time", "10:00:00"),
        ("time", "Time", "10:00:00+02:00"),
        ("time", "DateTime", "2026-01-01T10:00:00"),
        ("time", "Integer", 10),
        ("string", "Integer", 3),
        ("text", "String", "today()"),
        ("boolean", "Integer", 1),
        ("display", "Decimal", 1.5),
    ],
)
@pytest.mark.parametrize("name", ["minValue", "maxValue"])
def test_limit_of_another_type_is_refused_and_named(name, item_type, kind, value):
    other = {"linkId": "b", "type": "string", "text": "Say"}
    with pytest.raises(InvalidQuestionnaire, match=f"^a: the limit .* does not fit the type {item_type}$"):
        read_definition(of(limited(item_type, **{name: (kind, value)}), other))


def test_scale_with_limits_between_steps_is_refused_and_the_limit_named():
    with pytest.raises(InvalidQuestionnaire, match=r"^a: the limit '1.5' does not fit the type integer$"):
        parse_questionnaire(of(scale(minValue=("Decimal", 1.5))))


@pytest.mark.parametrize(
    ("item_type", "lowest", "highest"),
    [
        ("integer", ("Integer", 10), ("Integer", 9)),
        ("decimal", ("Decimal", 1.5), ("Integer", 1)),
        ("date", ("Date", "2026-01-02"), ("Date", "2026-01-01")),
        ("dateTime", ("Date", "2026-01-02"), ("DateTime", "2026-01-01T23:59:00")),
        ("time", ("Time", "17:00:00"), ("Time", "08:00:00")),
        ("date", ("String", "today() + 32 days"), ("String", "today() + 1 month")),
    ],
)
def test_lower_limit_above_the_upper_limit_is_refused(item_type, lowest, highest):
    with pytest.raises(InvalidQuestionnaire, match=r"^a: its minValue .* is above its maxValue"):
        read_definition(of(limited(item_type, minValue=lowest, maxValue=highest)))


@pytest.mark.parametrize(
    ("lowest", "highest"),
    [("today() + 31 days", "today() + 1 month"), ("today()", "2020-01-01"), ("2090-01-01", "today()")],
)
def test_limits_that_an_answer_can_meet_on_some_date_are_accepted(lowest, highest):
    read_definition(of(limited("date", minValue=("String", lowest), maxValue=("String", highest))))


OPTIONS = [{"valueString": "x"}, {"valueString": "y"}]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({**STRING, "maxLength": 0}, "its maxLength is less than 1"),
        ({**STRING, "maxLength": -5}, "its maxLength is less than 1"),
        (limited("string", **{"questionnaire-minOccurs": ("Integer", -1)}), "its minOccurs is negative"),
        (limited("string", **{"questionnaire-maxOccurs": ("Integer", 0)}), "its maxOccurs is less than 1"),
        (
            limited("string", **{"questionnaire-minOccurs": ("Integer", 3), "questionnaire-maxOccurs": ("Integer", 2)}),
            "its minOccurs 3 is above its maxOccurs 2",
        ),
        (
            {
                **limited("choice", **{"questionnaire-minOccurs": ("Integer", 3)}),
                "repeats": True,
                "answerOption": OPTIONS,
            },
            "its minOccurs 3 is above the number of its options",
        ),
        (
            limited("group", **{"questionnaire-maxOccurs": ("Integer", -1)})
            | {"repeats": True, "item": [{**STRING, "linkId": "b"}]},
            "its maxOccurs is less than 1",
        ),
        (
            limited("decimal", maxDecimalPlaces=("Integer", -1)),
            "its maxDecimalPlaces -1 is not a whole number of 0 or more",
        ),
        (
            limited("decimal", maxDecimalPlaces=("Decimal", 1.5)),
            "its maxDecimalPlaces 1.5 is not a whole number of 0 or more",
        ),
    ],
)
def test_length_or_count_that_no_answer_can_meet_is_refused(item, reason):
    with pytest.raises(InvalidQuestionnaire, match=f"^a: {reason}$"):
        read_definition(of(item, {**STRING, "linkId": "other"}))


@pytest.mark.parametrize(("item_type", "expected"), [("decimal", {("limit", "a")}), ("integer", set())])
def test_warning_names_a_limit_of_decimal_places_that_is_not_checked(item_type, expected):
    definition, parsed = read_definition(of(limited(item_type, maxDecimalPlaces=("Integer", 1))))
    assert {(notice.name, notice.link_id) for notice in inspect(definition, parsed)} == expected


def test_stored_questionnaire_stays_readable_when_its_limits_are_now_refused():
    items = [
        {**limited("integer", minValue=("Decimal", 1.5)), "linkId": "i"},
        {**limited("decimal", minValue=("Integer", 5), maxValue=("Integer", 3)), "linkId": "d"},
        {**limited("string", maxValue=("Integer", 3)), "linkId": "s", "maxLength": 0},
        {**limited("time", maxValue=("Time", "10:00:00+02:00")), "linkId": "t"},
    ]
    parsed = parse_questionnaire(of(*items))
    assert check_item(parsed.items["i"], [1]).reason == "below" and check_item(parsed.items["i"], [2]) is None
    assert check_item(parsed.items["t"], ["10:01"]).reason == "above"


def page_of(link_id):
    """Return a group, which is shown as a page."""
    return {"linkId": link_id, "type": "group", "text": "Page", "item": [{**STRING, "linkId": f"in {link_id}"[:255]}]}


ODD_NAMES = [
    *(
        "/",
        "//",
        "/71802-3",
        "a/",
        "a//b",
        "a/b/c",
        "...",
        ".a",
        "a..",
        "a/..b",
        "stop/",
        "%2e%2e",
        "%2F",
        "%",
        "100%25",
    ),
    *(
        "a?b=c#d",
        "a&b;c=d",
        "+",
        " ",
        " a ",
        "a\tb",
        "\\..\\x",
        "é",
        "e\u0301",
        "a:b@c",
        "<b>",
        "'\"",
        "__class__",
        "٣",
    ),
    *("x" * 255, "𝔘" * 255),
]


@pytest.mark.django_db
def test_every_page_of_an_accepted_file_can_be_opened_by_its_address(client, loaded, alice):
    names = [*ODD_NAMES, *(f"{name} again" for name in ("..", "."))]
    twice = [extension("questionnaire-maxOccurs", valueInteger=2)]
    repeated = {**page_of("../.."), "linkId": "..", "repeats": True, "extension": twice}  # its page is named "..~all"
    loose = [{**STRING, "linkId": "../x"}, {**STRING, "linkId": "."}]  # these two share a page that the parser adds
    content = packed(of(*map(page_of, names), repeated, *loose))
    stored = import_questionnaire(content=content, now=NOW).questionnaire
    pages = stored.parsed.pages
    assert len(pages) >= len(names) + 2
    response = create_response(questionnaire=stored, patient=alice, now=NOW)
    response.saved_pages = [page.link_id for page in pages]
    response.save()
    token = issue_link(
        patient=alice,
        purpose=LinkPurpose.INTAKE,
        proof=Proof.MAILED,
        subject_id=response.pk,
        expires_at=NOW.replace(year=2099),
        now=NOW,
    )
    for page in pages:
        address = urljoin(
            "https://clinic.example/", page_url(token, page.link_id)
        )  # resolved as in a browser, without dot segments
        assert len(address) < LONGEST_REQUEST_LINE
        shown = client.get(address.removeprefix("https://clinic.example"))
        assert shown.status_code == 200 and shown.context["page"] == page, page.link_id


@pytest.mark.parametrize("link_id", [".", "..", "../../x", "/..", "a/../b", "a/.", "./a", "/./"])
def test_page_is_refused_when_its_url_would_have_a_dot_segment(link_id):
    for item in (page_of(link_id), {**STRING, "linkId": link_id}):
        with pytest.raises(
            InvalidQuestionnaire, match=f"^{re.escape(link_id)}: its linkId cannot be part of the page's"
        ):
            read_definition(of(item))
        assert parse_questionnaire(of(item)).pages[0].link_id == link_id  # stored questionnaires stay readable


@pytest.mark.parametrize("link_id", ["x" * 256, "/" * 5000, "a\nb", "b\r"])
@pytest.mark.parametrize("within", [lambda item: of(item), lambda item: of({**page_of("p"), "item": [item]})])
def test_link_id_that_is_too_long_or_has_a_line_break_is_refused_in_a_short_message(within, link_id):
    definition = within({**STRING, "linkId": link_id})
    with pytest.raises(
        InvalidQuestionnaire, match=r"its linkId (is longer than 255 characters|has a line break)"
    ) as refused:
        read_definition(definition)
    assert len(str(refused.value)) < 100
    assert link_id in parse_questionnaire(definition).items


def test_copies_of_a_repeating_group_may_have_longer_link_ids_than_a_file():
    group = {**page_of("g" * 255), "repeats": True}
    _, parsed = read_definition(of(group))
    assert max(map(len, parsed.items)) > 255


def in_a_row(order):
    """Return questions in this order. Each depends on the question with the next lower number."""
    questions = [{**STRING, "linkId": f"q{number}"} for number in order]
    for question, number in zip(questions, order, strict=True):
        if number:
            question["enableWhen"] = [{"question": f"q{number - 1}", "operator": "exists", "answerBoolean": True}]
    return of(*questions)


def orders(length):
    numbers = range(length)
    return [
        list(numbers),
        list(reversed(numbers)),
        [*numbers[::2], *numbers[1::2]],
        [*numbers[1::3], *numbers[::3], *numbers[2::3]],
    ]


@pytest.mark.django_db
def test_chain_of_conditions_is_accepted_up_to_the_limit_in_any_order(loaded):
    for number, order in enumerate(orders(LONGEST_CHAIN)):  # the page around them adds one
        stored = import_questionnaire(content=packed(in_a_row(order), name=f"Row {number}"), now=NOW).questionnaire
        assert max(chain_lengths(stored.parsed).values()) == LONGEST_CHAIN
    for order in [*orders(LONGEST_CHAIN + 1), *orders(1300)]:
        with pytest.raises(InvalidQuestionnaire, match=f"depends on more than {LONGEST_CHAIN} others in a row"):
            read_definition(in_a_row(order))


def test_stored_questionnaire_with_a_longer_chain_in_file_order_can_be_asked():
    parsed = parse_questionnaire(in_a_row(range(1300)))
    assert len(enabled_items(parsed, {f"q{number}": ["x"] for number in range(1300)})) == len(parsed.items)


def test_copies_in_nested_repeating_groups_do_not_exceed_the_limit():
    visit = {"linkId": "visit", "type": "group", "text": "A visit", "repeats": True, "item": [STRING]}
    read_definition(of({"linkId": "year", "type": "group", "text": "A year", "repeats": True, "item": [visit]}))


def test_shipped_questionnaires_are_far_below_the_limit():
    for definition in shipped_definitions():
        assert max(chain_lengths(parse_questionnaire(definition)).values()) < LONGEST_CHAIN / 10
