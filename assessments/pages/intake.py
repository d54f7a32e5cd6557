"""The intake: start, pages, stop pages with advice, check, done. GET changes nothing."""

from collections.abc import Iterable
from datetime import datetime

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from assessments.forms.page_form import PageForm
from assessments.intake.responses import (
    ResponseUnfinished,
    complete_response,
    first_open_page,
    only_additions,
    pages_asked,
    save_page_as_seen,
)
from assessments.intake.revisions import FIELD, hash_page
from assessments.known_questions import AGE, BODY_SITE, GUARDIAN_NAME, is_minor
from assessments.models import Response
from assessments.presenters.opening import ask_to_confirm, may_show_all, may_show_page, note_sitting, opens_response
from assessments.questionnaire.model import Item
from assessments.questionnaire.readable import estimate_minutes, read_sections
from assessments.red_flag_rules.format import DEADLINES, LEVELS
from assessments.red_flags.advice import Advice, find_current_advice, find_unread
from assessments.red_flags.flags import acknowledge_shown, mark_shown, request_callback
from clinic.practice.access.proof import LinkRequest
from clinic.practice.models import Proof
from clinic.responses.redirects import see_other
from education.articles.library import published
from education.models import Article

MOST_ARTICLES = 3  # to read before the visit


@require_safe
@opens_response
def start(request: LinkRequest, token: str, response: Response, now: datetime) -> HttpResponse:
    if _must_stop(find_unread(response)):
        return _to_stop(token)
    open_page = first_open_page(response)
    context = {
        "token": token,
        "response": response,
        "questionnaire": response.questionnaire,
        "minutes": estimate_minutes(response.questionnaire.parsed),
        "next_url": _page_url(token, open_page) if open_page else "",
    }
    return render(request, "assessments/start.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@opens_response
def page(request: LinkRequest, token: str, response: Response, now: datetime, page: str) -> HttpResponse:
    asked = pages_asked(response)
    current = next((one for one in asked if one.link_id == page), None)
    unread = find_unread(response)
    if request.method != "POST" and _must_stop(unread, on=current):
        return _to_stop(token)
    if current is None:
        return render(request, "assessments/page_unknown.html", {"token": token}, status=404)
    open_page = first_open_page(response)
    unanswered = open_page if open_page is not None and asked.index(current) > asked.index(open_page) else None
    if request.method == "POST":
        return _save(request, token, response, current, now, is_in_turn=unanswered is None)
    if unanswered is not None:
        return see_other(
            _page_url(token, unanswered)
        )  # safety comes first: a page is shown only once all pages before it are complete
    if not may_show_page(request, response, current, now=now):
        return ask_to_confirm(token, page=current)
    form = PageForm(questionnaire=response.questionnaire.parsed, page=current, answers=response.answers)
    is_change, age_url = "change" in request.GET, _age_url(request, token, response, current, now)
    return _render_page(request, token, response, current, form, unread, is_change=is_change, age_url=age_url)


def _save(
    request: LinkRequest, token: str, response: Response, current: Item, now: datetime, *, is_in_turn: bool
) -> HttpResponse:
    """Save the valid answers. Once all are valid, go to the stop page if there is unread advice, else to the next page.

    An emergency goes to the stop page in any case.

    Answers of another sitting remain hidden. With a link that was not emailed, they can be added to, but not removed or
    replaced.
    """
    is_change = "change" in request.POST
    may_show = may_show_page(request, response, current, now=now)
    parsed = response.questionnaire.parsed
    form = PageForm(request.POST, questionnaire=parsed, page=current, answers=response.answers, now=now)
    is_done = form.is_valid() and not form.newly_asked
    may_replace = may_show or request.proof >= Proof.MAILED
    given = form.given if may_replace else only_additions(response.answers, form.given, current)
    conflicts = save_page_as_seen(
        response=response,
        page=current,
        answers=given,
        not_yet_shown=form.not_yet_shown,
        revision=request.POST.get(FIELD, ""),
        now=now,
    )
    form.note_conflicts(conflicts, stored=response.answers)
    is_done = is_done and not conflicts
    if may_show and is_in_turn:
        note_sitting(request.session, response, current, now=now)
    unread = find_unread(response)
    if unread:
        mark_shown(response=response, level=unread.level, now=now)
        if is_done or unread.level == "E":  # an emergency comes before any error on the page
            return _to_stop(token)
    if not is_in_turn:
        return see_other(_next_url(token, response))
    if not is_done and not may_show:
        return ask_to_confirm(
            token, page=current, saved="part" if conflicts else "all"
        )  # the identity check shows `saved`
    if not is_done:
        return _render_page(request, token, response, current, form, unread, is_change=is_change)
    return see_other(_next_url(token, response, after=None if is_change else current))


def _render_page(
    request: LinkRequest,
    token: str,
    response: Response,
    current: Item,
    form: PageForm,
    unread: Advice | None,
    *,
    is_change: bool,
    age_url: str = "",
) -> HttpResponse:
    asked = pages_asked(response)
    index = asked.index(current)
    back_url = _page_url(token, asked[index - 1]) if index else reverse("assessments:start", args=[token])
    context = {
        "page": current,
        "form": form,
        "number": index + 1,
        "total": len(asked),
        "back_url": reverse("assessments:check", args=[token]) if is_change else back_url,
        "is_change": is_change,
        "advice": unread if unread and unread.is_pressing else None,
        "revision": hash_page(response.pk, current, response.answers),
        "response": response,
        "asks_guardian": form.is_asked(GUARDIAN_NAME),
        "age_url": age_url,
    }
    return render(request, "assessments/page.html", context, status=409 if form.conflicts else 200)


def _age_url(request: LinkRequest, token: str, response: Response, current: Item, now: datetime) -> str:
    """Return the URL to change the age, if `current` is the page after it and the age is an adult's; else empty."""
    asked = pages_asked(response)
    before = asked[asked.index(current) - 1] if asked.index(current) else None
    if before is None or all(item.link_id != AGE for item in before.walk()):
        return ""
    if not response.answers.get(AGE) or is_minor(response.answers):
        return ""
    return f"{_page_url(token, before)}?change=1" if may_show_page(request, response, before, now=now) else ""


@require_http_methods(["GET", "HEAD", "POST"])
@opens_response
def stop(request: LinkRequest, token: str, response: Response, now: datetime) -> HttpResponse:
    """Show the advice for unread flags, one level at a time, worst first. POST acknowledges it or asks for a call."""
    if request.method == "POST":
        return _leave_stop(request, token, response, now)
    unread, parsed = find_unread(response), response.questionnaire.parsed
    if unread is None:
        return see_other(_next_url(token, response))
    read = next((parsed.page_of[name] for name in parsed.items if name in unread.questions), parsed.pages[0])
    context = {
        "level": unread.level,
        "deadline": unread.deadline,
        "action": unread.action,
        "is_callback_requested": unread.is_callback_requested,
        "change_url": _page_url(token, read),
    }
    return render(request, "assessments/stop.html", context)


def _leave_stop(request: LinkRequest, token: str, response: Response, now: datetime) -> HttpResponse:
    level, deadline = request.POST.get("level", ""), request.POST.get("deadline", DEADLINES[0])
    if request.POST.get("action") == "callback":
        request_callback(response=response, now=now)
        return _to_stop(token)
    if level in tuple(LEVELS) and deadline in DEADLINES:
        acknowledge_shown(response=response, level=level, deadline=deadline, now=now)
    unread = find_unread(response)
    if unread is None:
        return see_other(_next_url(token, response))
    mark_shown(response=response, level=unread.level, now=now)
    return _to_stop(token)


@require_http_methods(["GET", "HEAD", "POST"])
@opens_response
def check(request: LinkRequest, token: str, response: Response, now: datetime) -> HttpResponse:
    if find_unread(response):
        return _to_stop(token)
    open_page = first_open_page(response)
    if open_page is not None:
        return see_other(_page_url(token, open_page))
    if not may_show_all(request, response, now=now):
        return ask_to_confirm(token)
    if request.method == "POST":
        try:
            complete_response(response=response, now=now)
        except ResponseUnfinished as unfinished:  # meanwhile, another tab removed an answer
            return see_other(_page_url(token, unfinished.page))
        return see_other(reverse("assessments:done", args=[token]))
    read = read_sections(response.questionnaire.parsed, response.answers)
    sections = [
        {"page": section.page, "lines": section.lines, "change_url": f"{_page_url(token, section.page)}?change=1"}
        for section in read
    ]
    back_url = _page_url(token, read[-1].page)
    context = {"token": token, "response": response, "sections": sections, "back_url": back_url}
    return render(request, "assessments/check.html", context)


@require_safe
@opens_response
def done(request: LinkRequest, token: str, response: Response, now: datetime) -> HttpResponse:
    if find_unread(response):
        return _to_stop(token)
    if response.progress != "done":
        return see_other(_next_url(token, response))
    advice = find_current_advice([response.pk])
    context = {
        "token": token,
        "response": response,
        "is_emergency": advice is not None and advice.level == "E",
        "articles": _articles_for(request, response, now) if advice is None else (),
    }
    return render(request, "assessments/done.html", context)


def _articles_for(request: LinkRequest, response: Response, now: datetime) -> Iterable[Article]:
    """Return articles about the painful body sites, if those answers may be shown; else none."""
    places = response.answers.get(BODY_SITE, []) if may_show_all(request, response, now=now) else []
    articles = published(now=now).filter(place__in=places)
    return (articles.for_minors() if is_minor(response.answers) else articles)[:MOST_ARTICLES]


def _must_stop(unread: Advice | None, *, on: Item | None = None) -> bool:
    """Return whether to show the stop page for the advice `unread` first.

    The page with the answers that raised it can be opened to correct a mistake. That page shows the advice at the top.
    """
    if unread is None or not unread.is_pressing:
        return False
    return on is None or unread.questions.isdisjoint(item.link_id for item in on.walk())


def _next_url(token: str, response: Response, after: Item | None = None) -> str:
    """Return the URL of the page after `after`, else of the first open page, else of the check page."""
    asked = pages_asked(response)
    if after is not None and after in asked[:-1]:
        return _page_url(token, asked[asked.index(after) + 1])
    open_page = first_open_page(response)
    return _page_url(token, open_page) if open_page else reverse("assessments:check", args=[token])


def _page_url(token: str, page: Item) -> str:
    return reverse("assessments:page", args=[token, page.link_id])


def _to_stop(token: str) -> HttpResponseRedirect:
    return see_other(reverse("assessments:stop", args=[token]))
