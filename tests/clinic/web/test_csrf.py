"""CSRF checks of forms on pages that send no referrer."""

import pytest
from django.test import Client
from django.urls import reverse

from clinic.practice.models import Therapist, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def strict_client():
    """A client with CSRF checks, with the cookie and token of the login page."""
    client = Client(enforce_csrf_checks=True)
    client.token = client.get(reverse("account_login")).context["csrf_token"]
    return client


def log_in(client, **headers):
    form = {"login": "unknown@example.com", "password": "wrong", "csrfmiddlewaretoken": str(client.token)}
    return client.post(reverse("account_login"), form, headers=headers)


def test_form_is_accepted_when_the_browser_hides_the_origin_of_our_own_page(strict_client):
    assert log_in(strict_client, origin="null", sec_fetch_site="same-origin").status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", ""])
def test_form_is_refused_when_a_hidden_origin_is_not_same_origin(strict_client, site):
    response = log_in(strict_client, origin="null", sec_fetch_site=site)

    assert response.status_code == 403
    assert "Traceback" not in response.content.decode()


def test_form_is_refused_when_its_origin_is_another_site(strict_client):
    assert log_in(strict_client, origin="https://elsewhere.example", sec_fetch_site="same-origin").status_code == 403


def test_form_is_refused_when_the_token_is_missing(strict_client):
    strict_client.token = ""

    assert log_in(strict_client, origin="null", sec_fetch_site="same-origin").status_code == 403


def test_staff_error_page_is_shown_when_an_admin_form_has_no_valid_token(strict_client):
    owner = User.objects.create_superuser("olga@clinic.example", name="Olga Owner")
    for sign_in in (lambda: None, lambda: strict_client.force_login(owner)):
        sign_in()
        answer = strict_client.post(reverse("admin:practice_therapist_add"), {"name": "Nora"})
        page = answer.content.decode()
        assert answer.status_code == 403
        assert "css/admin.css" in page
        assert "Book" not in page and not Therapist.objects.exists()
    assert "css/admin.css" not in strict_client.post("/book/", {}).content.decode()
