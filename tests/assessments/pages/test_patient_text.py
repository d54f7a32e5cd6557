"""Details of the patient's pages: the text of questions, limits relative to today, and the page at the end."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from assessments.intake.responses import complete_response, save_page
from assessments.questionnaire.controls import read_answer
from tests.assessments.answering import QUIET, page_url, posted, save_all, url, walk
from tests.world import NOW

pytestmark = pytest.mark.django_db
YOUNG = QUIET | {"about.age": ["under-18"], "rf.young.pop": ["no"]}
GUARDIAN = {"guard.name": ["Dana Runner"], "guard.relation": ["parent"], "guard.consent": [True]}


@pytest.mark.parametrize(
    ("name", "day", "reason"),
    [
        ("on.date", "2045-05-01", "This day is in the future. Choose today or earlier."),
        ("on.date", "2019-05-01", "This day is too early. Choose 12/1/2024 or later."),
        ("run.race_date", "2020-05-01", "This day is in the past. Choose today or later."),
        ("run.race_date", "2036-05-01", "This day is too late. Choose 12/1/2029 or earlier."),
    ],
)
def test_impossible_date_is_refused_with_the_reason(client, token, response, intake, name, day, reason):
    walk(client, token, intake, QUIET, until="pain")
    with time_machine.travel(datetime(2026, 12, 1, 9, tzinfo=UTC), tick=False):
        shown = client.get(page_url(token, "running")).text
        again = client.post(page_url(token, "running"), posted(shown, QUIET | {name: [day]}))
    assert again.status_code == 200 and reason in again.text
    response.refresh_from_db()
    assert name not in response.answers and response.answers["run.days"] == [3]


@pytest.mark.parametrize(("name", "clinic_day", "utc_day"), [("on.date", True, False), ("run.race_date", True, True)])
def test_today_is_the_clinics_date_when_utc_is_a_day_ahead(client, token, response, intake, name, clinic_day, utc_day):
    """10 PM on November 29 in New York is 3 AM on November 30 in UTC."""
    walk(client, token, intake, QUIET, until="pain")
    for day, is_kept in (("2026-11-29", clinic_day), ("2026-11-30", utc_day)):
        with time_machine.travel(datetime(2026, 11, 30, 3, tzinfo=UTC), tick=False):
            shown = client.get(page_url(token, "running")).text
            client.post(page_url(token, "running"), posted(shown, QUIET | {name: [day]}))
        response.refresh_from_db()
        assert (response.answers.get(name) == [day]) is is_kept, day


def test_date_with_a_short_year_is_in_this_century(response):
    item = response.questionnaire.parsed.items["on.date"]
    save_page(response=response, page="running", answers={"on.date": read_answer(item, "0026-11-20")}, now=NOW)
    assert response.answers["on.date"] == ["2026-11-20"]


def test_past_race_does_not_block_the_next_change(response, intake):
    save_all(response, intake, QUIET | {"run.race_date": ["2026-12-05"]})
    complete_response(response=response, now=NOW)
    later = NOW + timedelta(days=30)
    save_page(response=response, page="running", answers={"run.race_date": ["2026-12-05"], "run.days": [4]}, now=later)
    assert response.answers["run.race_date"] == ["2026-12-05"] and response.progress == "done"


def test_page_with_a_past_race_can_be_saved_again(client, token, response, intake):
    walk(client, token, intake, QUIET | {"run.race_date": [(timezone.now() + timedelta(days=2)).date().isoformat()]})
    response.refresh_from_db()
    race = response.answers["run.race_date"][0]
    sent = {"seen": ["run.race_date", "run.days"], "run.race_date": race, "run.days": "5"}
    with time_machine.travel(timezone.now() + timedelta(days=20), tick=False):
        client.post(page_url(token, "running"), sent)
    response.refresh_from_db()
    assert response.answers["run.race_date"] == [race] and response.answers["run.days"] == [5]


def test_only_a_parent_or_guardian_signs_for_a_minor(client, token, response, intake):
    walk(client, token, intake, YOUNG | GUARDIAN, until="goals")
    shown = client.get(page_url(token, "consent")).text
    refused = client.post(page_url(token, "consent"), posted(shown, YOUNG | GUARDIAN | {"guard.relation": ["other"]}))
    assert refused.status_code == 200
    assert list(refused.context["form"].errors) == ["guard.relation"]
    response.refresh_from_db()
    assert "guard.relation" not in response.answers
    assert client.get(url("check", token)).url == page_url(token, "consent")

    for missing in GUARDIAN:
        sent = {name: values for name, values in GUARDIAN.items() if name != missing}
        shown = client.get(page_url(token, "consent")).text
        assert client.post(page_url(token, "consent"), posted(shown, YOUNG | sent)).status_code == 200, missing
    shown = client.get(page_url(token, "consent")).text
    assert client.post(page_url(token, "consent"), posted(shown, YOUNG | GUARDIAN)).url == url("check", token)


def test_patient_reads_the_text_of_the_question(client, token, intake):
    walk(client, token, intake, QUIET, until="goals")
    page = client.get(url("check", token)).text
    assert "<dt>What brings it on?</dt>" in page and "<dt>Legs and back</dt>" not in page
    assert f"“{intake.items['goal'].text}” You answered “" in page


def test_question_about_an_earlier_page_names_its_subject(client, token, intake):
    walk(client, token, intake, QUIET, until="health")
    page = client.get(page_url(token, "goals")).text
    other = intake.items["goal"].option_text("other")
    subject = f"“{intake.items['goal'].text}” You answered “{other}”."
    assert page.index(subject) > page.index(intake.items["goal.other"].text)


def finish(client, token, intake, answers=QUIET):
    walk(client, token, intake, answers)
    client.post(url("check", token))
    return client.get(url("done", token))


def test_end_links_to_articles_about_the_body_site_and_the_phone(client, token, intake, write_article):
    article = write_article("hip-flexors", place="front-hip", title="Hip flexors")
    write_article("groins", place="groin", title="Groins")
    page = finish(client, token, intake).text
    assert article.get_absolute_url() in page and "Groins" not in page
    assert "tel:+16035550123" in page and "See your visit" not in page
    stranger = client.__class__()
    assert "Hip flexors" not in stranger.get(url("done", token)).text  # the link alone does not show the body site


def test_end_after_an_emergency_shows_how_to_get_help(client, token, intake, response):
    walk(client, token, intake, QUIET | {"rf.leg": ["no-weight"]})
    client.post(url("check", token))
    page = client.get(url("done", token)).text
    assert page.index("tel:911") < page.index("<h1>")
    assert "articles" not in page.lower().partition("<main")[2].partition("</main>")[0]
