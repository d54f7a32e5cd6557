"""The section of Today about articles that need staff."""

from datetime import datetime
from typing import Any

from clinic.practice.models import Clinic, User
from clinic.practice.registry.today import Place, Section, register_section
from education.articles.editing import count_waiting
from education.models import REMIND_BEFORE


def register_sections() -> None:
    """Register the section of this room."""
    register_section(ARTICLES)


def read_articles(*, now: datetime, clinic: Clinic, by: User) -> dict[str, Any] | None:
    """Count the articles that need a review or have a proposal."""
    waiting = count_waiting(on=now.astimezone(clinic.zone).date(), now=now)
    return {"articles_waiting": waiting, "remind_days": REMIND_BEFORE.days} if any(waiting.values()) else None


ARTICLES = Section(
    permissions=("education.change_article",),
    read=read_articles,
    places=(Place("admin/_today_articles.html", 160, in_columns=True),),
)
