"""What every page behind an intake link begins with: whose response it is, and whether its answers may be shown.

A runner who answers in one sitting is never asked who they are; one who comes back by the link later is, before stored
answers are shown. The sitting is remembered page by page and for the very answers given: filling in one page opens no
other, and nothing that somebody else saves there later.
"""

from datetime import datetime, timedelta

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from assessments.calculation.calculated_answers import initial_answers
from assessments.fhir_json.parsing import DefinitionInvalid
from assessments.intake.revisions import hash_page
from assessments.models import Response
from assessments.questionnaire.model import Item
from clinic.practice.access.proof import Capability, LinkRequest, has_proof, patient_link
from clinic.practice.models import PatientLink
from clinic.responses.redirects import see_other

KEY = "answering"  # in the session: {id of a response: {page: [when this browser last saved it, a hash of what it held then]}}
SITTING = timedelta(minutes=30)


def find_response(link: PatientLink) -> Response | None:
    """The response of an intake link, with its questionnaire and patient."""
    responses = Response.objects.select_related("questionnaire", "patient")
    return responses.filter(pk=link.subject_id, patient=link.patient_id).first()


# By this link alone a view may take answers, not show stored ones (`may_show_page`).
opens_response = patient_link(Capability.ANSWER_QUESTIONS, load=find_response)


def note_sitting(session: SessionBase, response: Response, page: Item, *, now: datetime) -> None:
    """Remember that this browser has just filled in `page` of `response`, so that it may see the page again as it left it."""
    sittings = session.get(KEY, {})
    as_left = hash_page(response.pk, page, response.answers)
    pages = {**sittings.get(str(response.pk), {}), page.link_id: [now.isoformat(), as_left]}
    session[KEY] = {**sittings, str(response.pk): pages}


def may_show_page(request: LinkRequest, response: Response, page: Item, *, now: datetime) -> bool:
    """Whether `page` may be shown with what it holds: nothing, or only what this browser filled in within the last half
    hour, or its user has confirmed to be the patient."""
    if not _holds_answers(response, page):
        return True
    saved_at, as_left = request.session.get(KEY, {}).get(str(response.pk), {}).get(page.link_id, ("", ""))
    is_fresh = saved_at and now < datetime.fromisoformat(saved_at) + SITTING
    if is_fresh and as_left == hash_page(response.pk, page, response.answers):
        return True
    return has_proof(request, Capability.SEE_ANSWERS, now=now)


def may_show_all(request: LinkRequest, response: Response, *, now: datetime) -> bool:
    """Whether every page may be shown."""
    return all(may_show_page(request, response, page, now=now) for page in response.questionnaire.parsed.pages)


def _holds_answers(response: Response, page: Item) -> bool:
    """Whether `page` would show something that was answered, beyond what the questionnaire itself fills in."""
    try:
        initial = initial_answers(response.questionnaire.parsed)
    except DefinitionInvalid:
        initial = {}
    names = {item.link_id for item in page.walk()} & response.answers.keys()
    return any(response.answers[name] != initial.get(name) for name in names)


def ask_to_confirm(token: str, *, page: Item | None = None, saved: str = "") -> HttpResponseRedirect:
    """Redirect to the check before answers are shown; it leads on to `page`, or to the summary. `saved`: "all" of what was
    just sent, or "part" of it, because the rest was answered elsewhere meanwhile."""
    query = ({"page": page.link_id} if page else {}) | ({"saved": saved} if saved else {})
    url = reverse("assessments:confirm", args=[token])
    return see_other(f"{url}?{urlencode(query)}" if query else url)
