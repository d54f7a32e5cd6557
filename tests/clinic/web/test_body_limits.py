"""Request bodies that are too large are refused unread, with or without a Content-Length."""

import io
from urllib.parse import unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from assessments.fhir.strict_json import MOST_BYTES
from clinic.settings import BODY_LIMIT, BODY_LIMITS
from clinic.web.body_limits import SizedBodies
from education.articles.pictures import LARGEST_FILE
from tests.factories import ClinicFactory, UserFactory

pytestmark = pytest.mark.django_db

PICTURES = "/admin/education/picture/add/"
PLENTY = 150 * 1024 * 1024


def announce(client, path, length, method="POST"):
    """Send a request with a Content-Length of `length` and no body. Reading a single byte would fail the test."""
    return client.generic(method, path, CONTENT_LENGTH=str(length), content_type="application/x-www-form-urlencoded")


@pytest.mark.parametrize("path", ["/again/", "/admin/login/", "/messages/texts/twilio/", "/learn/load-check/"])
def test_body_over_the_limit_gets_an_error_page_unread(path):
    ClinicFactory()
    client = Client(enforce_csrf_checks=True)

    response = announce(client, path, BODY_LIMIT + 1)

    page = response.content.decode()
    assert response.status_code == 413
    assert "nothing was saved" in page and "256 KB" in page
    assert "(603) 555-0123" in page
    assert response.headers["Content-Security-Policy"]


def test_body_at_the_limit_is_accepted(client):
    typed = "email=" + "a" * (BODY_LIMIT - 6)
    response = client.generic("POST", "/again/", typed, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 422  # the form refuses an address of that length


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_other_methods_have_the_same_limit(client, method):
    assert announce(client, "/again/", PLENTY, method).status_code == 413


@pytest.mark.parametrize("size", [1, BODY_LIMIT, PLENTY])
def test_upload_of_a_stranger_redirects_to_the_login_unread(size):
    response = announce(Client(enforce_csrf_checks=True), PICTURES, size)

    assert response.status_code == 302
    assert unquote(response["Location"]) == f"{reverse('admin:login')}?next={PICTURES}"


def test_staff_upload_is_limited_by_its_route(client):
    client.force_login(UserFactory(is_superuser=True))

    assert announce(client, PICTURES, BODY_LIMITS["admin:education_picture_add"] + 1).status_code == 413
    assert announce(client, reverse("admin:practice_clinic_add"), BODY_LIMIT + 1).status_code == 413
    file = SimpleUploadedFile("large.jpg", b"x" * LARGEST_FILE)
    response = client.post(PICTURES, {"file": file, "description": "A hill"})
    assert list(response.context["adminform"].form.errors) == ["file"]


def test_webhook_of_the_mail_provider_has_a_higher_limit(client):
    path = reverse("outbox:postmark")
    assert (
        client.post(path, b"x" * (1024 * 1024), content_type="application/json").status_code == 404
    )  # not in use here
    assert announce(client, path, 1024 * 1024 + 1).status_code == 413


def test_limits_leave_room_for_the_largest_accepted_files():
    assert BODY_LIMITS["admin:education_picture_add"] >= LARGEST_FILE + BODY_LIMIT
    assert BODY_LIMITS["admin:assessments_questionnaire_upload"] >= MOST_BYTES + BODY_LIMIT


def test_every_body_that_a_stranger_may_send_stays_in_memory(settings):
    """Django writes an uploaded file to disk only above FILE_UPLOAD_MAX_MEMORY_SIZE."""
    open_to_all = [limit for name, limit in BODY_LIMITS.items() if not name.startswith("admin:")]
    assert max(BODY_LIMIT, *open_to_all) <= settings.FILE_UPLOAD_MAX_MEMORY_SIZE


# Bodies without a Content-Length


class Endless(io.RawIOBase):
    """A body that never ends. `taken` counts the bytes that were read."""

    taken = 0

    def read(self, size=-1):
        assert 0 < size <= BODY_LIMIT + 1
        self.taken += min(size, 8192)
        return b"x" * min(size, 8192)


def environ_after(stream, **changes) -> dict:
    """Return the environ that the application receives for a chunked request."""
    seen = {}
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "wsgi.input": stream}
    SizedBodies(lambda environ, start_response: seen.update(environ))(chunked | changes, None)
    return seen


def test_chunked_body_gets_a_content_length():
    seen = environ_after(io.BytesIO(b"email=alice"))
    assert (seen["CONTENT_LENGTH"], seen["wsgi.input"].read()) == ("11", b"email=alice")
    assert "HTTP_TRANSFER_ENCODING" not in seen


def test_endless_chunked_body_is_read_up_to_the_limit(client):
    stream = Endless()
    seen = environ_after(stream)
    assert stream.taken == BODY_LIMIT + 1
    for path in ("/again/", reverse("outbox:mailgun")):
        assert announce(client, path, seen["CONTENT_LENGTH"]).status_code == 413


def test_body_is_not_read_when_the_server_does_not_mark_its_end():
    stream = Endless()
    assert environ_after(stream, **{"wsgi.input_terminated": False})["wsgi.input"] is stream
    assert stream.taken == 0
