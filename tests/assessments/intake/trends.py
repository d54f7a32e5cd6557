"""Completed intakes and the trend over them."""

from datetime import timedelta

from assessments.intake.responses import complete_response, save_page, start_published_response
from assessments.intake.trend import read_trends
from tests.assessments.answering import QUIET
from tests.world import NOW


def fill(patient, *, weeks, able=3):
    """Return an intake completed `weeks` after the first, with all activities rated `able`."""
    now = NOW + timedelta(weeks=weeks)
    answers = QUIET | {"goal.run-far.now": [able], "goal.other.now": [able]}
    response = start_published_response(questionnaire_slug="hip-running-intake", patient=patient, now=now)
    for page in response.questionnaire.parsed.pages:
        here = {item.link_id: answers[item.link_id] for item in page.walk() if item.link_id in answers}
        save_page(response=response, page=page.link_id, answers=here, now=now)
    return complete_response(response=response, now=now)


def trend_of(response, measure="my-activities"):
    return next(trend for trend in read_trends(response) if trend.measure == measure)
