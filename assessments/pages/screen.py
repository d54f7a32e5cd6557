"""The hip screen before booking: its pages, and the advice when a visit would be too late."""

from collections.abc import Callable
from functools import wraps
from typing import TypedDict

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from assessments.forms.page_form import PageForm
from assessments.intake.responses import find_conflicts, only_additions
from assessments.intake.revisions import FIELD, hash_page
from assessments.intake.screening import (
    Screen,
    find_questionnaire,
    find_site_hint,
    note_read,
    read_screen,
    save_screen_page,
    screen_pages,
    unread_flags,
    write_screen,
)
from assessments.known_questions import BODY_SITE
from assessments.models import Questionnaire
from assessments.presenters.screen_steps import next_url
from assessments.questionnaire.model import Item
from assessments.red_flag_rules.evaluation import Action, Fired
from assessments.red_flag_rules.format import DEADLINES
from assessments.red_flags.definitions import read_rules
from clinic.practice.models import Clinic
from clinic.responses.redirects import see_other
from education.models import CODE_LENGTH, Article


@never_cache
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Begin or skip the screen. Beginning again keeps the answers."""
    next_path = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(next_path, allowed_hosts=None) or not next_path.startswith("/"):
        next_path = reverse("home")
    screen = read_screen(request.session) or Screen(next_path)
    screen.next_path, screen.is_skipped = next_path, request.POST.get("action") == "skip"
    if (code := request.POST.get("article", "")).isalnum():
        screen.article = code[:CODE_LENGTH]
    questionnaire = find_questionnaire()
    write_screen(request.session, screen)
    return see_other(next_url(screen, questionnaire) if questionnaire else next_path)


def opens_screen(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Pass `view` the visitor's screen and its questionnaire. 404 if one is missing, for example with an old link."""

    @never_cache
    @wraps(view)
    def opened(request: HttpRequest, **kwargs: str) -> HttpResponse:
        screen, questionnaire = read_screen(request.session), find_questionnaire()
        if screen is None or questionnaire is None:
            return render(request, "assessments/screen_unknown.html", status=404)
        return view(request, screen, questionnaire, **kwargs)

    return opened


@require_http_methods(["GET", "HEAD", "POST"])
@opens_screen
def page(request: HttpRequest, screen: Screen, questionnaire: Questionnaire, page: str) -> HttpResponse:
    pages = screen_pages(questionnaire)
    current = next((one for one in pages if one.link_id == page), None)
    if current is None:
        return render(request, "assessments/screen_unknown.html", status=404)
    if request.method != "POST":
        hint = find_site_hint(screen, current, now=timezone.now())
        answers = screen.answers | ({BODY_SITE: [hint.place]} if hint else {})
        form = PageForm(questionnaire=questionnaire.parsed, page=current, answers=answers)
        return _render_page(request, screen, pages, current, form, unread_flags(screen, questionnaire), hint)
    form = PageForm(
        request.POST, questionnaire=questionnaire.parsed, page=current, answers=screen.answers, now=timezone.now()
    )
    is_done = form.is_valid() and not form.newly_asked
    is_stale = request.POST.get(FIELD, "") not in ("", hash_page("screen", current, screen.answers))
    conflicts = find_conflicts(screen.answers, form.given, current) if is_stale else []
    given = only_additions(screen.answers, form.given, current) if conflicts else form.given
    unread = save_screen_page(
        screen=screen, questionnaire=questionnaire, page=current, answers=given, not_yet_shown=form.not_yet_shown
    )
    form.note_conflicts(conflicts, stored=screen.answers)
    is_done = is_done and not conflicts
    screen.saved = [name for name in screen.saved if name != page] + ([page] if is_done else [])
    write_screen(request.session, screen)
    if unread and unread[0].level == "E":
        return see_other(reverse("assessments:screen_stop"))  # an emergency comes before any error on the page
    if is_done:
        return see_other(next_url(screen, questionnaire))
    return _render_page(request, screen, pages, current, form, unread)


def _render_page(
    request: HttpRequest,
    screen: Screen,
    pages: list[Item],
    current: Item,
    form: PageForm,
    unread: list[Fired],
    hint: Article | None = None,
) -> HttpResponse:
    index = pages.index(current)
    back_url = reverse("assessments:screen_page", args=[pages[index - 1].link_id]) if index else reverse("home")
    context = {
        "page": current,
        "form": form,
        "number": index + 1,
        "total": len(pages),
        "back_url": back_url,
        "hint": hint,
        "advice": _worst_advice(unread) if unread else None,
        "revision": hash_page("screen", current, screen.answers),
    }
    return render(request, "assessments/screen_page.html", context, status=409 if form.conflicts else 200)


class ScreenAdvice(TypedDict):
    """The advice for a fired rule, as shown on the pages of the screen."""

    level: str
    deadline: str
    action: Action


def _worst_advice(unread: list[Fired]) -> ScreenAdvice:
    """Return the worst level of `unread`, its soonest deadline and its action. `unread` is sorted, worst first."""
    deadline = min((hit.deadline for hit in unread if hit.level == unread[0].level), key=DEADLINES.index)
    return {"level": unread[0].level, "deadline": deadline, "action": read_rules().actions[deadline]}


@require_http_methods(["GET", "HEAD", "POST"])
@opens_screen
def stop(request: HttpRequest, screen: Screen, questionnaire: Questionnaire) -> HttpResponse:
    """Show the advice before booking. An emergency is shown until its answer changes, others until read."""
    unread = unread_flags(screen, questionnaire)
    if not unread:
        return see_other(next_url(screen, questionnaire))
    advice = _worst_advice(unread)
    if request.method == "POST" and advice["level"] == "U":
        if (deadline := request.POST.get("deadline", advice["deadline"])) in DEADLINES:
            note_read(screen, questionnaire, deadline=deadline)
            write_screen(request.session, screen)
        return see_other(next_url(screen, questionnaire))
    page_of = questionnaire.parsed.page_of
    first = next(page_of[name].link_id for hit in unread for name in hit.snapshot if name in page_of)
    context = {
        **advice,
        "is_before_booking": True,
        "change_url": reverse("assessments:screen_page", args=[first]),
        "clinic": Clinic.objects.current(),
        "now": timezone.now(),
    }
    return render(request, "assessments/screen_stop.html", context)
