"""Helpers that fill in the hip screen as a browser without JavaScript does."""

from django.urls import reverse

from tests.assessments.answering import QUIET, posted

CALM = QUIET | {"loc.map": ["groin"]}


def begin(client, next_path, action="begin"):
    return client.post(reverse("assessments:screen"), {"next": next_path, "action": action})


def walk(client, next_path, answers):
    """Answer the screen page by page, as a browser without JavaScript does, and return the path it leads to."""
    at = begin(client, next_path).headers["Location"]
    for _ in range(12):
        if "/screen/page/" not in at:
            return at
        shown = client.get(at)
        done = client.post(at, posted(shown.text, answers))
        while done.status_code == 200:
            assert not done.context["form"].errors
            done = client.post(at, posted(done.text, answers))
        at = done.headers["Location"]
    raise AssertionError("the screen has no end")
