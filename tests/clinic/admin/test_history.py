"""The admin's history page: offered only for models that staff edit in the admin."""

import pytest
from django.urls import reverse

from tests.factories import MessageFactory, PatientFactory, UserFactory
from tests.pages import text_of
from tests.world import book

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client, clinic):
    client.force_login(UserFactory(is_superuser=True))
    return client


def pages_of(row) -> tuple[str, str]:
    """Return the URLs of the detail page and the history page of `row`."""
    name = f"{row._meta.app_label}_{row._meta.model_name}"
    return reverse(f"admin:{name}_change", args=[row.pk]), reverse(f"admin:{name}_history", args=[row.pk])


def test_history_is_offered_when_rows_can_be_edited(owner):
    page, history = pages_of(PatientFactory())
    assert history in owner.get(page).content.decode()
    assert owner.get(history).status_code == 200


def test_history_page_links_to_the_detail_page_when_rows_cannot_be_edited(owner, evaluation):
    for row in (book(evaluation), MessageFactory()):
        page, history = pages_of(row)
        assert history not in owner.get(page).content.decode()
        answer = owner.get(history).content.decode()
        assert f'href="{page}"' in answer.partition("content-main")[2]


def test_history_page_replaces_djangos_sentence_when_the_log_is_empty(owner):
    _, history = pages_of(PatientFactory())
    assert "object" not in text_of(owner.get(history))
