"""Intake answers of the demo's patients, saved page by page through the same function as any patient's."""

from datetime import datetime

from assessments.intake.responses import complete_response, pages_asked, save_page
from assessments.models import Response

CALM: dict[str, list[object]] = {
    "about.age": ["21-49"],
    "rf.leg": ["none"],
    "rf.body": ["none"],
    "rf.move": ["none"],
    "rf.signs": ["none"],
    "loc.map": ["front-hip"],
    "loc.side": ["right"],
    "on.when": ["weeks"],
    "on.mode": ["gradual"],
    "mech": ["none"],
    "agg": ["stairs", "run-fast"],
    "agg.stairs": [3],
    "agg.run-fast": [6],
    "pain.now": [2],
    "pain.worst24": [5],
    "pain.run": [5],
    "pain.morning": [2],
    "run.stopped": ["less"],
    "run.days": [3],
    "run.week_now": ["14"],
    "run.week_before": ["24"],
    "run.longest30": ["9"],
    "run.last_long": ["11"],
    "run.change": ["distance", "hills"],
    "hist": ["hamstring", "back"],
    "hist.bsi": ["no"],
    "comp": ["none"],
    "comp.strength": ["none"],
    "comp.sit": ["over-8"],
    "med.conditions": ["none"],
    "bone.periods": ["no"],
    "bone.fuel": ["no"],
    "goal": ["run-far", "other"],
    "goal.run-far.now": [3],
    "goal.other": ["Run ten miles with my sister in May"],
    "goal.other.now": [2],
    "psy.confidence": [6],
    "psy.worry": [4],
    "psy.hope": ["To know whether I may keep running while it settles."],
    "contact.pref": ["email"],
    "consent.care": [True],
    "call.reason": ["Whether this is something for you, and whether I may run this weekend."],
}

STORIES: dict[str, dict[str, list[object]]] = {
    "front of hip, gradual": {},
    "front of hip, walking hurts": {
        "rf.move": ["walk-groin", "earlier-worse"],
        "loc.map": ["groin"],
        "agg": ["walk", "run-easy"],
        "agg.walk": [4],
        "agg.run-easy": [7],
        "run.change": ["distance", "speed"],
        "hist": ["none"],
        "psy.worry": [8],
    },
    "knee after a race": {
        "loc.map": ["knee"],
        "loc.side": ["left"],
        "comp": ["shins"],
        "on.mode": ["sudden"],
        "on.sudden": ["none"],
    },
    "knee after a race, at first": {
        "loc.map": ["knee"],
        "loc.side": ["left"],
        "comp": ["shins"],
        "on.mode": ["sudden"],
        "on.sudden": ["none"],
        "pain.now": [5],
        "pain.worst24": [8],
        "pain.run": [8],
        "psy.confidence": [3],
    },
    "left half way": {},
}
LEFT_AFTER_PAGES = 2


def fill_intake(*, response: Response, story: str, now: datetime) -> None:
    """Answer the pages of `response` in order, as in `story`, and complete it.

    "left half way" stops after LEFT_AFTER_PAGES and does not complete it.
    """
    answers = CALM | STORIES[story]
    for number, page in enumerate(pages_asked(response), start=1):
        questions = [item.link_id for item in page.walk() if item.is_question and item.link_id in answers]
        save_page(response=response, page=page.link_id, answers={one: answers[one] for one in questions}, now=now)
        if story == "left half way" and number == LEFT_AFTER_PAGES:
            return
    complete_response(response=response, now=now)
