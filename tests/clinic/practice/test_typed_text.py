"""Multiline text: a line end counts as one character, as in the browser's counter of characters left."""

import pytest
from django import forms
from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse

from clinic.outbox.models import MessageRule
from clinic.practice.fields.text_areas import TextArea
from clinic.practice.models import User
from education.forms.articles import ArticleForm
from education.models import Picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner_client(client):
    client.force_login(User.objects.create_superuser("olga@clinic.example", name="Olga Owner"))
    return client


def lines(longest: int) -> str:
    """Return `longest` characters in lines of 9, as a browser sends them."""
    text = ("See you.\n" * longest)[:longest]
    return (text[:-1] + ".").replace("\n", "\r\n")


def test_limit_of_a_message_rule_matches_the_browsers_counter(owner_client):
    typed = {"kind": "booking_reminder_48h", "service_slug": "", "channel": "email", "minutes": "2880"}
    typed |= {"subject": "Your visit", "is_active": "on"}
    add = reverse("admin:outbox_messagerule_add")
    assert owner_client.post(add, typed | {"text": lines(601)}).status_code == 200
    assert owner_client.post(add, typed | {"text": lines(600)}).status_code == 302
    rule = MessageRule.objects.get()
    assert (len(rule.text), "\r" in rule.text) == (600, False)


def test_limit_of_a_picture_description_matches_the_browsers_counter(owner_client):
    form = forms.modelform_factory(Picture, fields=["description"], widgets={"description": TextArea})
    for longest, is_valid in ((250, True), (251, False)):
        assert form({"description": lines(longest)}).is_valid() == is_valid


def test_every_text_area_with_a_limit_counts_a_line_end_as_one(owner_client):
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get()
    pages = [page for page in admin.site._registry.values() if page.has_change_permission(request)]
    fields = [
        (page, name, field)
        for page in pages
        for name, field in page.get_form(request).base_fields.items()
        if isinstance(field.widget, forms.Textarea) and field.widget.attrs.get("maxlength")
    ]
    assert len(fields) >= 3
    assert [(page, name) for page, name, field in fields if not isinstance(field.widget, TextArea)] == []
    assert isinstance(ArticleForm.base_fields["new_picture_shows"].widget, TextArea)
