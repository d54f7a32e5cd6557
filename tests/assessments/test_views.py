import pytest
from django.urls import reverse

from tests.assessments.answering import QUIET, fill_page, page_url

pytestmark = pytest.mark.django_db


def test_whole_intake_without_a_script(client, token, response, intake):
    start = client.get(reverse("assessments:start", args=[token]))
    assert page_url(token, "safety") in start.text
    for number, page in enumerate(intake.pages):
        assert f"{number + 1} of 10" in client.get(page_url(token, page.link_id)).text
        answered = fill_page(client, token, page.link_id, QUIET)
        assert answered.status_code == 303, page.link_id
    assert answered.url == reverse("assessments:check", args=[token])
    assert "run to the lighthouse" in client.get(answered.url).text
    done = client.post(answered.url)
    assert done.url == reverse("assessments:done", args=[token])
    response.refresh_from_db()
    assert response.progress == "done"
    assert response.answers == QUIET
    assert not response.flags.exists()
