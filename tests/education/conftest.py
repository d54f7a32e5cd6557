from datetime import UTC, datetime

import pytest
from django.core.cache import cache

from clinic.practice.models import Therapist, User
from education.models import Article, ArticleStatus, Topic

NOW = datetime(2025, 6, 3, 14, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()


@pytest.fixture
def hip(db):
    return Topic.objects.create(name="Hip and groin pain", slug="hip-and-groin", position=1)


@pytest.fixture
def write_article(hip):
    """Writes articles; whatever is not given is plain and publishable."""

    def write(slug="sore-hip", **fields):
        return Article.objects.create(
            **{
                "slug": slug,
                "topic": hip,
                "title": slug.replace("-", " ").capitalize(),
                "summary": "What a sore hip can be linked with.",
                "key_facts": ["Hips bend."],
                "care": "::: emergency Get help now\nCall {emergency}.\n:::",
                "body": "## What it is\n\nHips bend. [@weir] {limited}",
                "references": [{"id": "weir", "text": "Weir. Groin pain.", "doi": "10.1136/bjsports-2015-094869"}],
                "status": ArticleStatus.PUBLISHED,
                "published_at": NOW,
                "created_at": NOW,
                "updated_at": NOW,
                **fields,
            }
        )

    return write


@pytest.fixture
def maria(db):
    return Therapist.objects.create(name="Maria Lake", slug="maria", credentials="PT, DPT")


@pytest.fixture
def editor(db):
    return User.objects.create_superuser("erin@clinic.example", name="Erin")
