"""Self-checks: answers at the limits, unusual input, and nothing stored."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from education.articles.library import load_articles
from education.body.load_bands import compare_with_longest, load_band
from education.body.pain_guide import judge_run
from education.body.warning_signs import EMERGENCY, URGENT, most_urgent
from education.forms.checks import LoadCheckForm, PainGuideForm
from tests.factories import ClinicFactory
from tests.world import WRITTEN_AT

NO_SIGN = {"emergency": ["none"], "urgent": ["none"]}
CALM = NO_SIGN | {"worst": "1", "morning": "usual", "is_rising": "no", "place": "shin"}
URGENT_CARD, EMERGENCY_CARD = "care-card care-urgent", "care-card care-emergency"
LOAD, GUIDE, SITES = (reverse(f"education:{name}") for name in ("load_check", "pain_guide", "body_sites"))


@pytest.fixture(autouse=True)
def _clinic(db):
    ClinicFactory()


@pytest.mark.parametrize(
    ("plan", "band"),
    [
        *(("9", "reference"), ("11", "reference"), ("11.001", "small"), ("13", "small"), ("13.01", "moderate")),
        *(("20", "moderate"), ("20.01", "large"), ("90", "large")),
    ],
)
def test_band_changes_just_above_its_limit(plan, band):
    assert compare_with_longest(Decimal(plan), [Decimal(4), Decimal(10)]).band == band


def test_comparison_without_a_run_has_no_baseline():
    for runs in ([], [Decimal(0)]):
        comparison = compare_with_longest(Decimal(5), runs)
        assert (comparison.band, comparison.percent_longer) == ("no_baseline", None)


def test_shown_percentage_matches_the_ratio_of_the_band():
    comparison = compare_with_longest(Decimal(11), [Decimal(10)])
    assert (comparison.percent_longer, load_band(Decimal("1.1"))) == (Decimal(10), comparison.band)


@pytest.mark.parametrize(
    ("typed", "runs"),
    [
        ("5 6.2 8", ["5", "6.2", "8"]),
        ("5, 6, 8", ["5", "6", "8"]),
        ("5km\r\n6,2 km; 10", ["5", "6.2", "10"]),
        ("5 km, 8 Kilometers and 3", None),
        ("5 km 3 miles", None),
        ("6,2 10,5", ["6.2", "10.5"]),
        ("3mi\n4miles", ["3", "4"]),
        ("½ 6½ 6 1/2 4", ["0.5", "6.5", "6.5", "4"]),
        ("6\n1/2", ["6", "0.5"]),
        ("5K 10k", ["5", "10"]),
        ("", []),
    ],
)
def test_distances_are_read_as_people_type_them(typed, runs):
    form = LoadCheckForm({"runs": typed, "plan": "5"})
    assert form.is_valid() == (runs is not None)
    if runs is not None:
        assert form.cleaned_data["runs"] == [Decimal(run) for run in runs]


@pytest.mark.parametrize("typed", ["far", "-5", "0", "5000", "1e9", "5 x", "1,000", "000"])
def test_invalid_distance_is_refused_and_shown_as_typed(client, typed):
    answer = client.post(LOAD, {"runs": typed, "plan": "5"})
    assert answer.status_code == 422 and list(answer.context["form"].errors) == ["runs"]
    assert typed in answer.content.decode()


def test_distance_with_a_thousands_comma_is_quoted_as_typed(client):
    for field, sent in (("runs", {"runs": "5 1,000", "plan": "5"}), ("plan", {"runs": "5", "plan": "1,000"})):
        answer = client.post(LOAD, sent)
        assert answer.status_code == 422 and "“000”" not in answer.text and "500" in answer.text, field
    assert "“1,000”" in client.post(LOAD, {"runs": "1,000", "plan": "5"}).text


@pytest.mark.parametrize(("typed", "plan"), [("6,2", "6.2"), ("6 1/2", "6.5"), ("10k", "10"), (" 8 km ", "8")])
def test_planned_run_is_read_like_the_other_runs(typed, plan):
    form = LoadCheckForm({"runs": "5", "plan": typed})
    assert form.is_valid() and form.cleaned_data["plan"] == Decimal(plan)


def test_planned_run_in_another_unit_is_not_compared():
    form = LoadCheckForm({"runs": "5 miles", "plan": "10k"})
    assert list(form.errors) == ["plan"]


def test_load_check_shows_the_band_and_its_limits(client):
    load_articles(now=WRITTEN_AT)
    page = client.post(LOAD, {"runs": "5 10 8", "plan": "12"}).content.decode()
    assert "20% longer" in page and "1.64 times" in page
    assert "not your own chance" in page
    assert "no run to compare" in client.post(LOAD, {"runs": "", "plan": "12"}).content.decode()


@pytest.mark.parametrize(
    ("worst", "morning", "is_rising", "answer"),
    [
        *((0, "usual", False, "carry-on"), (2, "usual", False, "carry-on"), (5, "usual", False, "carry-on")),
        *((6, "usual", False, "stop"), (10, "worse", True, "stop"), (3, "gone-by-noon", False, "repeat")),
        *((3, "worse", False, "step-back"), (3, "usual", True, "step-back")),
    ],
)
def test_pain_guide_gives_the_most_cautious_answer(worst, morning, is_rising, answer):
    assert judge_run(worst=worst, morning=morning, is_rising=is_rising) == answer


@pytest.mark.parametrize("sign", URGENT)
def test_any_sign_replaces_the_guide(client, sign):
    load_articles(now=WRITTEN_AT)
    page = client.post(GUIDE, {"urgent": [sign], "worst": "0", "morning": "usual"}).content.decode()
    assert URGENT_CARD in page
    assert "Carry on" not in page


@pytest.mark.parametrize("sign", EMERGENCY)
def test_emergency_is_shown_alone(client, sign):
    load_articles(now=WRITTEN_AT)
    page = client.post(SITES, {"emergency": [sign], "urgent": ["walking"], "place": "groin"}).content.decode()
    assert "Get emergency help now" in page and 'href="tel:911"' in page
    assert (
        "answer-title" not in page and 'class="card-plain"' not in page and "/learn/bone-stress-hip-pain/" not in page
    )


def test_urgent_sign_is_shown_before_the_articles(client):
    load_articles(now=WRITTEN_AT)
    page = client.post(SITES, {"emergency": ["none"], "urgent": ["walking"], "place": "groin"}).content.decode()
    assert page.index(URGENT_CARD) < page.index('class="card-plain"')


@pytest.mark.parametrize(("field", "sign"), [("emergency", "chest"), ("urgent", "night")])
@pytest.mark.parametrize("path", [GUIDE, SITES])
def test_sign_is_answered_when_the_rest_is_unanswered(client, path, field, sign):
    load_articles(now=WRITTEN_AT)
    answer = client.post(path, {field: [sign]})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'class="error-summary"' not in page
    assert f"care-{field}" in page


@pytest.mark.parametrize("path", [GUIDE, SITES])
@pytest.mark.parametrize("blank", [("emergency",), ("urgent",), ("emergency", "urgent")])
def test_unanswered_list_of_signs_does_not_count_as_no(client, path, blank):
    load_articles(now=WRITTEN_AT)
    answer = client.post(path, {name: values for name, values in CALM.items() if name not in blank} | {"worst": "4"})
    page = answer.content.decode()
    assert answer.status_code == 422
    for name in blank:
        assert f"Go through the {'first' if name == 'emergency' else 'second'} list" in page
    assert "Carry on" not in page and "answer-title" not in page and "/learn/longest-run/" not in page


@pytest.mark.parametrize("path", [GUIDE, SITES])
def test_none_of_these_in_each_list_is_enough_for_an_answer(client, path):
    load_articles(now=WRITTEN_AT)
    assert client.get(path).content.decode().count("None of these") == 2
    answer = client.post(path, CALM)
    assert answer.status_code == 200
    assert "care-emergency" not in answer.content.decode()


@pytest.mark.parametrize(("field", "signs"), [("emergency", EMERGENCY), ("urgent", URGENT)])
def test_sign_counts_beside_none_of_these_and_garbage(client, field, signs):
    load_articles(now=WRITTEN_AT)
    for sign in signs:
        for values in ([sign, "none"], ["none", sign], ["x", sign]):
            page = client.post(GUIDE, CALM | {field: values}).content.decode()
            assert f"care-{field}" in page and "Carry on" not in page, values


def test_urgent_sign_is_answered_and_the_unanswered_emergency_list_is_shown(client):
    load_articles(now=WRITTEN_AT)
    page = client.post(GUIDE, {"urgent": ["night"]}).content.decode()
    assert page.index(EMERGENCY_CARD) < page.index(URGENT_CARD)
    assert 'href="tel:911"' in page
    assert EMERGENCY_CARD not in client.post(GUIDE, CALM | {"urgent": ["night"]}).content.decode()


def test_rising_pain_must_be_answered(client):
    load_articles(now=WRITTEN_AT)
    silent = {name: values for name, values in CALM.items() if name != "is_rising"}
    assert "is_rising" in client.post(GUIDE, silent).context["form"].errors
    assert "Step back" in client.post(GUIDE, CALM | {"is_rising": "yes"}).content.decode()
    assert "Carry on" in client.post(GUIDE, CALM).content.decode()


def test_runs_in_two_units_are_not_compared(client):
    answer = client.post(LOAD, {"runs": "5 km 3 miles", "plan": "5"})
    assert answer.status_code == 422 and list(answer.context["form"].errors) == ["runs"]


def test_most_urgent_is_none_without_a_sign():
    assert most_urgent(set()) is None


def test_body_site_links_to_its_articles_in_order(client):
    load_articles(now=WRITTEN_AT)
    page = client.post(SITES, NO_SIGN | {"place": "groin"}).content.decode()
    assert page.index("/learn/bone-stress-hip-pain/") < page.index("/learn/hip-flexor-tendinopathy/")


def test_drawing_is_linked_to_the_list(client):
    page = client.get(SITES).content.decode()
    for number in range(8):
        assert f'for="id_place_{number}"></label>' in page and f'id="id_place_{number}"' in page


@pytest.mark.parametrize("path", [LOAD, GUIDE, SITES])
def test_check_stores_nothing_and_is_posted(client, path):
    assert 'method="post"' in client.get(path).content.decode()
    with CaptureQueriesContext(connection) as queries:
        answer = client.post(path, CALM | {"runs": "5", "plan": "6"})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert all(query["sql"].startswith("SELECT") for query in queries)


@pytest.mark.parametrize("path", [LOAD, GUIDE, SITES])
def test_empty_or_invalid_input_is_refused(client, path):
    answer = client.post(path, {"worst": "99", "morning": "x", "place": "x", "urgent": ["x"], "plan": "x"})
    assert answer.status_code == 422
    assert 'class="error-summary"' in answer.content.decode()
    assert "This field is required" not in client.post(path, {}).content.decode()


def test_worst_pain_is_required():
    assert "worst" in PainGuideForm({"worst": "", "morning": "usual"}).errors
