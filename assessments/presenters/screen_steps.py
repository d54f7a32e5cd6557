"""The order of the hip screen: the offer before times are shown, and the next step."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from assessments.intake.screening import (
    Screen,
    find_questionnaire,
    is_about_hip,
    read_screen,
    screen_pages,
    unread_flags,
)
from assessments.models import Questionnaire
from clinic.responses.redirects import see_other
from education.models import Article


def screen_before(request: HttpRequest, article: Article | None) -> HttpResponse | None:
    """Return the response to send before the times: the offer after a hip article, or a redirect to the next step.

    None if there is nothing to screen, the screen is done or skipped without unread flags, no questionnaire is
    published, or a form is sent before the screen was begun.
    """
    screen = read_screen(request.session)
    if screen is None:
        if request.method == "POST" or not is_about_hip(article) or find_questionnaire() is None:
            return None  # do not discard a form that was filled in meanwhile
        return render(
            request, "assessments/screen_offer.html", {"next_path": request.get_full_path(), "article": article}
        )
    questionnaire = find_questionnaire()
    if questionnaire is None or (screen.is_skipped and not unread_flags(screen, questionnaire)):
        return None
    url = next_url(screen, questionnaire)
    return see_other(url) if url != screen.next_path else None


def next_url(screen: Screen, questionnaire: Questionnaire) -> str:
    """Return the URL of the stop page for unread flags, else of the first open page, else `next_path`."""
    if unread_flags(screen, questionnaire):
        return reverse("assessments:screen_stop")
    if screen.is_skipped:
        return screen.next_path
    open_page = next((one for one in screen_pages(questionnaire) if one.link_id not in screen.saved), None)
    return reverse("assessments:screen_page", args=[open_page.link_id]) if open_page else screen.next_path
