"""The section of Today about articles that need staff."""

from datetime import datetime
from typing import Any

from clinic.practice.models import Clinic, Therapist, User
from clinic.practice.registry.today import Group, Place, Section, register_section
from education.articles.editing import count_waiting
from education.models import REMIND_BEFORE


def register_sections() -> None:
    """Register the section of this room."""
    register_section(ARTICLES)


def read_articles(
    *, now: datetime, clinic: Clinic, by: User, therapist: Therapist | None = None
) -> dict[str, Any] | None:
    """Count the articles that need a review or have a proposal."""
    waiting = count_waiting(on=now.astimezone(clinic.zone).date(), now=now)
    return {"articles_waiting": waiting, "remind_days": REMIND_BEFORE.days} if any(waiting.values()) else None


ARTICLES = Section(
    permissions=("education.change_article",),
    read=read_articles,
    places=(Place("admin/_today_articles.html", Group.OPEN, 160),),
)
