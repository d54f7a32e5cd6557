"""Answers of a runner that raise no flag, and a browser without a script that posts what it was shown."""

import re
from html.parser import HTMLParser

from django.urls import reverse

from assessments.intake.responses import (
    save_page,
)
from assessments.questionnaire.controls import write_answer
from tests.world import NOW

QUIET = {
    "about.age": ["21-49"],
    "rf.leg": ["none"],
    "rf.body": ["none"],
    "rf.move": ["none"],
    "rf.signs": ["none"],
    "loc.map": ["front-hip"],
    "loc.side": ["left"],
    "on.when": ["weeks"],
    "on.mode": ["gradual"],
    "mech": ["none"],
    "agg": ["stairs"],
    "agg.stairs": [4],
    "pain.now": [2],
    "pain.worst24": [5],
    "run.stopped": ["less"],
    "run.days": [3],
    "run.week_now": ["12.5"],
    "run.week_before": ["20"],
    "run.change": ["shoes"],
    "hist": ["none"],
    "hist.bsi": ["no"],
    "comp": ["none"],
    "comp.strength": ["twice"],
    "comp.sit": ["4-8"],
    "med.conditions": ["none"],
    "bone.periods": ["no"],
    "bone.fuel": ["no"],
    "goal": ["run-far", "other"],
    "goal.run-far.now": [3],
    "goal.other": ["run to the lighthouse"],
    "goal.other.now": [5],
    "psy.confidence": [7],
    "psy.worry": [3],
    "contact.pref": ["phone"],
    "consent.care": [True],
}


class _Shown(HTMLParser):
    """The questions of a page outside disabled fieldsets."""

    def __init__(self, html: str):
        super().__init__()
        self.fieldsets, self.seen = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "fieldset":
            self.fieldsets.append("disabled" in attrs)
        elif tag == "input" and attrs.get("name") == "seen" and not any(self.fieldsets):
            self.seen.append(attrs["value"])

    def handle_endtag(self, tag):
        if tag == "fieldset":
            self.fieldsets.pop()


def shown_questions(html: str) -> list[str]:
    """Return the linkIds that a browser without a script would send with this page."""
    return _Shown(html).seen


def page_url(token: str, page: str) -> str:
    return reverse("assessments:page", args=[token, page])


def posted(html: str, answers: dict) -> dict:
    """Return what a browser sends for the page `html` when its questions are answered from `answers`."""
    seen = shown_questions(html)
    chosen = {name: [write_answer(value) for value in answers[name]] for name in seen if name in answers}
    hidden = {name: re.findall(rf'name="{name}" value="([^"]*)"', html) for name in ("page.revision", "asked.again")}
    return {**chosen, **hidden, "seen": seen}


def fill_page(client, token: str, page: str, answers: dict):
    """Open `page`, answer it and submit it, again for each follow-up that the server asks. Return the response."""
    shown = client.get(page_url(token, page))
    assert shown.status_code == 200, (page, shown.status_code, shown.headers.get("Location"))
    response = client.post(page_url(token, page), posted(shown.text, answers))
    while response.status_code == 200 and response.context["form"].new_list and not response.context["form"].errors:
        response = client.post(page_url(token, page), posted(response.text, answers))
    return response


def url(name, token):
    return reverse(f"assessments:{name}", args=[token])


def walk(client, token, intake, answers, until=None):
    """Fill in page after page, acknowledging every stop page, and return the last response of the server."""
    for page in intake.pages:
        if page.link_id == "consent" and answers["about.age"] != ["under-18"]:
            break
        answered = fill_page(client, token, page.link_id, answers)
        assert answered.status_code == 303, page.link_id
        while answered.url == url("stop", token):
            stop = client.get(answered.url)
            answered = client.post(answered.url, {"action": "acknowledge", "level": stop.context["level"]})
        if page.link_id == until:
            break
    return answered


def of_page(intake, page, answers=QUIET):
    return {name: values for name, values in answers.items() if intake.page_of[name].link_id == page}


def save_all(response, intake, answers=QUIET):
    for page in intake.pages:
        save_page(response=response, page=page.link_id, answers=of_page(intake, page.link_id, answers), now=NOW)
