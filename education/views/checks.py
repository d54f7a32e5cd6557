"""Self-checks. Forms use POST, so that no URL contains the answers. Nothing is stored."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from clinic.responses.addresses import describe_address
from education.articles.library import published
from education.body.body_sites import BODY_SITES
from education.body.load_bands import compare_with_longest
from education.body.pain_guide import judge_run
from education.forms.checks import BodySiteForm, LoadCheckForm, PainGuideForm

asks_and_answers = require_http_methods(["GET", "HEAD", "POST"])


def show_check(request: HttpRequest, template: str, form: forms.Form, **answer: Any) -> HttpResponse:
    """Render a check: its form, and below it the answer, if there is one. The status is 422 if the form has errors."""
    context = {"form": form, **describe_address(request), **answer}
    return render(request, template, context, status=422 if form.errors else 200)


@asks_and_answers
@never_cache
def load_check(request: HttpRequest) -> HttpResponse:
    """Compare a planned run with the longest of the last 30 days."""
    form = LoadCheckForm(request.POST or None)
    if not form.is_valid():
        return show_check(request, "education/load_check.html", form)
    comparison = compare_with_longest(form.cleaned_data["plan"], form.cleaned_data["runs"])
    return show_check(request, "education/load_check.html", form, comparison=comparison)


@asks_and_answers
@never_cache
def pain_guide(request: HttpRequest) -> HttpResponse:
    """Judge the pain of a run by the pain guide, unless a warning sign is checked."""
    form = PainGuideForm(request.POST or None)
    if not form.is_valid():
        return show_check(request, "education/pain_guide.html", form)
    if form.urgency:
        return show_check(request, "education/pain_guide.html", form)
    typed = form.cleaned_data
    judgment = judge_run(worst=typed["worst"], morning=typed["morning"], is_rising=typed["is_rising"])
    return show_check(request, "education/pain_guide.html", form, judgment=judgment)


@asks_and_answers
@never_cache
def body_sites(request: HttpRequest) -> HttpResponse:
    """List articles about the painful body site, unless an emergency sign is checked."""
    form = BodySiteForm(request.POST or None)
    if not form.is_valid() or form.urgency == "emergency":  # the call for help is not followed by articles
        return show_check(request, "education/body_sites.html", form)
    site = BODY_SITES.get(form.cleaned_data.get("place", ""))
    if not site:
        return show_check(request, "education/body_sites.html", form)
    found = {article.slug: article for article in published(now=timezone.now()).filter(slug__in=site.articles)}
    articles = [found[slug] for slug in site.articles if slug in found]
    return show_check(request, "education/body_sites.html", form, site=site, articles=articles)
