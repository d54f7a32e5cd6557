"""The base template of all emails."""

import pytest
from django.template.loader import render_to_string

from clinic.outbox.messages.rendering import render_email
from tests.factories import ClinicFactory


@pytest.fixture
def letter(settings, tmp_path):
    """Return the name of a test email with its three templates."""
    folder = tmp_path / "emails" / "letter"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("{% autoescape off %}Hello from\n{{ clinic.name }}{% endautoescape %}\n")
    for ending, words in (("txt", "Hello {{ name }}"), ("html", "<p>Hello {{ name }}</p>")):
        extends = '{% extends "emails/base.' + ending + '" %}'
        (folder / f"body.{ending}").write_text(f"{extends}{{% block content %}}{words}{{% endblock %}}")
    templates = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**templates, "DIRS": [tmp_path, *templates["DIRS"]]}]
    return "letter"


def render(kind, **changes):
    clinic = ClinicFactory.build(name="Miles & Stone <Running>")
    context = {
        "name": "Zoë & <Al>",
        "button_url": "https://clinic.example/visits/abc/?a=1&b=2",
        "button_text": "See it",
    }
    return render_email(kind, to="alice@example.com", context=context | changes, clinic=clinic)


def test_text_is_plain_and_html_is_escaped(letter):
    mail = render(letter)

    assert mail.subject == "Hello from Miles & Stone <Running>"
    assert "Hello Zoë & <Al>" in mail.text
    assert "https://clinic.example/visits/abc/?a=1&b=2" in mail.text
    assert "Hello Zoë &amp; &lt;Al&gt;" in mail.html
    assert "Miles &amp; Stone &lt;Running&gt;" in mail.html
    assert mail.html.startswith("<!doctype html>")


def test_email_says_where_to_ask_and_whom_to_call(letter):
    mail = render(letter)

    for body in (mail.text, mail.html):
        assert "(603) 555-0123" in body
        assert "911" in body
        assert "12 Main Street" in body


def test_email_has_no_button_when_no_link_is_given(letter):
    assert "See it" not in render(letter, button_url="").html


def test_email_loads_nothing_from_other_servers():
    html = render_to_string("emails/base.html", {"clinic": ClinicFactory.build()})

    assert "http" not in html
    assert "<img" not in html
    assert 'name="color-scheme"' in html
