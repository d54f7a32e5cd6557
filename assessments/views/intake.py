"""The patient's way through the questions: start, pages, interruptions, check, done. A GET changes nothing."""

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ..definitions import read_rules
from ..flags import acknowledge_shown, mark_shown, request_callback
from ..forms import PageForm
from ..questionnaire import Item
from ..reading import estimate_minutes, read_sections
from ..red_flags import DEADLINES, LEVELS
from ..responses import ResponseUnfinished, complete_response, first_open_page, pages_asked, save_page
from .opening import ask_to_confirm, may_show_all, may_show_page, note_sitting, opens_response


@require_safe
@opens_response
def start(request, token, response, now):
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
def page(request, token, response, now, page):
    asked = pages_asked(response)
    current = next((one for one in asked if one.link_id == page), None)
    if current is None:
        return render(request, "assessments/page_unknown.html", {"token": token}, status=404)
    if request.method == "POST":
        return _save(request, token, response, current, now)
    open_page = first_open_page(response)
    if open_page is not None and asked.index(current) > asked.index(open_page):
        return _see(_page_url(token, open_page))  # safety comes first: no page is reached past an unfinished one
    if not may_show_page(request, response, current, now=now):
        return ask_to_confirm(token, page=current)
    form = PageForm(questionnaire=response.questionnaire.parsed, page=current, answers=response.answers)
    return _render_page(request, token, response, current, form, is_change="change" in request.GET)


def _save(request, token, response, current: Item, now):
    is_change = "change" in request.POST
    may_show = may_show_page(request, response, current, now=now)
    form = PageForm(request.POST, questionnaire=response.questionnaire.parsed, page=current, answers=response.answers)
    is_done = form.is_valid() and not form.newly_asked
    save_page(response=response, page=current.link_id, answers=form.given, now=now)
    if may_show:
        note_sitting(request.session, response, current.link_id, now=now)
    elif not is_done:
        return ask_to_confirm(token, page=current, is_saved=True)  # the page would show what was stored before
    if not is_done:
        return _render_page(request, token, response, current, form, is_change=is_change)
    if response.flags.unseen_by_patient().exists():
        mark_shown(response=response, now=now)
        return _see(reverse("assessments:stop", args=[token]))
    return _see(_next_url(token, response, after=None if is_change else current))


def _render_page(request, token, response, current: Item, form: PageForm, *, is_change: bool):
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
    }
    return render(request, "assessments/page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@opens_response
def stop(request, token, response, now):
    """The interruption: one level at a time, the worst first."""
    if request.method == "POST":
        return _leave_stop(request, token, response, now)
    flags = list(response.flags.unseen_by_patient())
    if not flags:
        return _see(_next_url(token, response))
    level = flags[0].current_level
    standing = [flag for flag in flags if flag.current_level == level]
    parsed = response.questionnaire.parsed
    read = next((name for flag in standing for name in flag.snapshot if name in parsed.page_of), None)
    context = {
        "level": level,
        "action": read_rules().actions[min((flag.action for flag in standing), key=DEADLINES.index)],
        "is_callback_requested": any(flag.callback_requested_at for flag in standing),
        "change_url": _page_url(token, parsed.page_of[read] if read else parsed.pages[0]),
    }
    return render(request, "assessments/stop.html", context)


def _leave_stop(request, token, response, now):
    stop_url = reverse("assessments:stop", args=[token])
    if request.POST.get("action") == "callback":
        request_callback(response=response, now=now)
        return _see(stop_url)
    if request.POST.get("level") in tuple(LEVELS):
        acknowledge_shown(response=response, level=request.POST["level"], now=now)
    return _see(stop_url if response.flags.unseen_by_patient().exists() else _next_url(token, response))


@require_http_methods(["GET", "HEAD", "POST"])
@opens_response
def check(request, token, response, now):
    if response.flags.unseen_by_patient().exists():
        return _see(reverse("assessments:stop", args=[token]))
    open_page = first_open_page(response)
    if open_page is not None:
        return _see(_page_url(token, open_page))
    if not may_show_all(request, response, now=now):
        return ask_to_confirm(token)
    if request.method == "POST":
        try:
            complete_response(response=response, now=now)
        except ResponseUnfinished as unfinished:  # another tab took an answer back meanwhile
            return _see(_page_url(token, unfinished.page))
        return _see(reverse("assessments:done", args=[token]))
    sections = [
        {"page": section.page, "lines": section.lines, "change_url": f"{_page_url(token, section.page)}?change=1"}
        for section in read_sections(response.questionnaire.parsed, response.answers)
    ]
    back_url = _page_url(token, sections[-1]["page"])
    return render(request, "assessments/check.html", {"response": response, "sections": sections, "back_url": back_url})


@require_safe
@opens_response
def done(request, token, response, now):
    if response.progress != "done":
        return _see(_next_url(token, response))
    return render(request, "assessments/done.html", {"token": token})


def _next_url(token, response, after: Item | None = None) -> str:
    """The page after `after`, else the first that is open; the check page when nothing is."""
    asked = pages_asked(response)
    if after is not None and after in asked[:-1]:
        return _page_url(token, asked[asked.index(after) + 1])
    open_page = first_open_page(response)
    return _page_url(token, open_page) if open_page else reverse("assessments:check", args=[token])


def _page_url(token, page: Item) -> str:
    return reverse("assessments:page", args=[token, page.link_id])


def _see(url: str) -> HttpResponseRedirect:
    """303: what was posted is done, look here."""
    redirect = HttpResponseRedirect(url)
    redirect.status_code = 303
    return redirect
