"""What every page behind an intake link begins with: whose response it is, and whether its answers may be shown.

A runner who answers in one sitting is never asked who they are; one who comes back by the link later is, before stored
answers are shown. The sitting is remembered page by page: filling in one page must not open the others.
"""

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from clinic.practice.models import PatientLink
from clinic.practice.proof import Capability, has_proof, patient_page

from ..calculation import initial_answers
from ..models import Response
from ..parsing import DefinitionInvalid
from ..questionnaire import Item

KEY = "answering"  # in the session: {id of a response: {page: when this browser last saved it}}
SITTING = timedelta(minutes=30)


def opens_response(view):
    """Hand `view` the response that the link opens. By that alone it may take answers, not show stored ones."""
    return patient_page(Capability.ANSWER_QUESTIONS, load=find_response)(view)


def find_response(link: PatientLink) -> Response | None:
    """The response of an intake link, with its questionnaire and patient."""
    responses = Response.objects.select_related("questionnaire", "patient")
    return responses.filter(pk=link.subject_id, patient=link.patient_id).first()


def note_sitting(session, response: Response, page_id: str, *, now: datetime) -> None:
    """Remember that this browser has just filled in a page of `response`, so that it may see that page again."""
    sittings = session.get(KEY, {})
    pages = {**sittings.get(str(response.pk), {}), page_id: now.isoformat()}
    session[KEY] = {**sittings, str(response.pk): pages}


def may_show_page(request: HttpRequest, response: Response, page: Item, *, now: datetime) -> bool:
    """Whether `page` may be shown with what it holds: nothing, or only what this browser filled in within the last half
    hour, or its user has confirmed to be the patient."""
    if not _holds_answers(response, page):
        return True
    saved_at = request.session.get(KEY, {}).get(str(response.pk), {}).get(page.link_id)
    if saved_at is not None and now < datetime.fromisoformat(saved_at) + SITTING:
        return True
    return has_proof(request, Capability.SEE_ANSWERS, now=now)


def may_show_all(request: HttpRequest, response: Response, *, now: datetime) -> bool:
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


def ask_to_confirm(token: str, *, page: Item | None = None, is_saved: bool = False) -> HttpResponseRedirect:
    """Redirect to the check before answers are shown; it leads on to `page`, or to the summary."""
    query = ({"page": page.link_id} if page else {}) | ({"saved": "1"} if is_saved else {})
    url = reverse("assessments:confirm", args=[token])
    return HttpResponseRedirect(f"{url}?{urlencode(query)}" if query else url, status=303)
