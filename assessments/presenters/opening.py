"""Access to a response by an intake link, and whether its answers may be shown.

Patients confirm their identity before stored answers are shown, except within one sitting. The session remembers a
sitting for each page, with a hash of the answers. Filling in one page does not give access to another page, or to
answers that were saved elsewhere later.
"""

from datetime import datetime, timedelta

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from assessments.calculation.calculated_answers import initial_answers
from assessments.intake.revisions import hash_page
from assessments.models import Response
from assessments.questionnaire.model import InvalidQuestionnaire, Item
from clinic.practice.access.proof import Capability, LinkRequest, has_proof, patient_link
from clinic.practice.models import PatientLink
from clinic.responses.redirects import see_other

KEY = "answering"  # session key of {response id: {page: [time of the last save, hash of the answers then]}}
SITTING = timedelta(minutes=30)


def find_response(link: PatientLink) -> Response | None:
    """Return the response of an intake link, with its questionnaire and patient; None if it is gone."""
    responses = Response.objects.select_related("questionnaire", "patient")
    return responses.filter(pk=link.subject_id, patient=link.patient_id).first()


# A view with this decorator may accept answers with the link alone, but not show stored ones (see `may_show_page`).
opens_response = patient_link(Capability.ANSWER_QUESTIONS, load=find_response)


def note_sitting(session: SessionBase, response: Response, page: Item, *, now: datetime) -> None:
    """Remember that this browser has just filled in `page` of `response`, so that it may see those answers again."""
    sittings = session.get(KEY, {})
    as_left = hash_page(response.pk, page, response.answers)
    pages = {**sittings.get(str(response.pk), {}), page.link_id: [now.isoformat(), as_left]}
    session[KEY] = {**sittings, str(response.pk): pages}


def may_show_page(request: LinkRequest, response: Response, page: Item, *, now: datetime) -> bool:
    """Return whether `page` may be shown with its answers.

    It may if there are only initial values, this browser saved the answers within SITTING, or the patient has confirmed
    their identity.
    """
    if not _holds_answers(response, page):
        return True
    saved_at, as_left = request.session.get(KEY, {}).get(str(response.pk), {}).get(page.link_id, ("", ""))
    is_fresh = saved_at and now < datetime.fromisoformat(saved_at) + SITTING
    if is_fresh and as_left == hash_page(response.pk, page, response.answers):
        return True
    return has_proof(request, Capability.SEE_ANSWERS, now=now)


def may_show_all(request: LinkRequest, response: Response, *, now: datetime) -> bool:
    """Return whether every page may be shown with its answers."""
    return all(may_show_page(request, response, page, now=now) for page in response.questionnaire.parsed.pages)


def _holds_answers(response: Response, page: Item) -> bool:
    """Return whether `page` has answers other than the initial values of the questionnaire."""
    try:
        initial = initial_answers(response.questionnaire.parsed)
    except InvalidQuestionnaire:
        initial = {}
    names = {item.link_id for item in page.walk()} & response.answers.keys()
    return any(response.answers[name] != initial.get(name) for name in names)


def ask_to_confirm(token: str, *, page: Item | None = None, saved: str = "") -> HttpResponseRedirect:
    """Redirect to the identity check, which leads to `page` or to the summary of the answers.

    `saved` is "part" if a sent answer was not saved because of a newer one, "all" after any other save, and "" if
    nothing was sent.
    """
    query = ({"page": page.link_id} if page else {}) | ({"saved": saved} if saved else {})
    url = reverse("assessments:confirm", args=[token])
    return see_other(f"{url}?{urlencode(query)}" if query else url)
