"""Forms on pages that send no referrer."""

import pytest
from django.test import Client
from django.urls import reverse

from clinic.practice.models import Therapist, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def strict_client():
    """A browser whose forms are checked, with its CSRF cookie and token from the login page."""
    client = Client(enforce_csrf_checks=True)
    client.token = client.get(reverse("admin:login")).context["csrf_token"]
    return client


def log_in(client, **headers):
    form = {"username": "nobody@example.com", "password": "wrong", "csrfmiddlewaretoken": str(client.token)}
    return client.post(reverse("admin:login"), form, headers=headers)


def test_form_when_the_browser_hides_the_origin_of_its_own_page(strict_client):
    assert log_in(strict_client, origin="null", sec_fetch_site="same-origin").status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", ""])
def test_form_when_a_hidden_origin_is_not_vouched_for(strict_client, site):
    response = log_in(strict_client, origin="null", sec_fetch_site=site)

    assert response.status_code == 403
    assert "Traceback" not in response.content.decode()


def test_form_when_it_comes_from_elsewhere_and_claims_to_be_ours(strict_client):
    assert log_in(strict_client, origin="https://elsewhere.example", sec_fetch_site="same-origin").status_code == 403


def test_form_when_the_token_is_missing(strict_client):
    strict_client.token = ""

    assert log_in(strict_client, origin="null", sec_fetch_site="same-origin").status_code == 403


def test_staff_page_is_shown_when_a_form_of_the_admin_has_waited_too_long(strict_client):
    owner = User.objects.create_superuser("olga@clinic.example", name="Olga Owner")
    for sign_in in (lambda: None, lambda: strict_client.force_login(owner)):
        sign_in()
        answer = strict_client.post(reverse("admin:practice_therapist_add"), {"name": "Nora"})
        page = answer.content.decode()
        assert answer.status_code == 403
        assert "css/admin.css" in page
        assert "Book" not in page and not Therapist.objects.exists()
    assert "css/admin.css" not in strict_client.post("/book/", {}).content.decode()
