"""An editor writes: the preview follows the typing, a picture is uploaded and shown, an earlier version is restored."""

import pytest
from playwright.sync_api import expect

from education.models import Article, Picture
from tests.education.pictures import make_photo
from tests.journeys import steps

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
DESKTOP = {"width": 1280, "height": 900}


@pytest.fixture
def edit(open_browser, demo_clinic):
    """Return a function that opens an article in the admin, signed in."""
    article = Article.objects.get(slug="the-chain")

    def open_page(**options):
        page = open_browser(viewport=DESKTOP, **options)
        steps.log_in(page, f"/admin/education/article/{article.pk}/change/")
        return page

    return open_page


def test_preview_follows_the_typing_and_saves_nothing(edit):
    page = edit()
    preview = page.frame_locator("[name=preview]")
    expect(preview.get_by_role("heading", level=1)).to_have_text("The chain: trunk, hamstrings and shins")
    page.fill("#id_title", "Another name")
    expect(preview.get_by_role("heading", level=1)).to_have_text("Another name")
    assert not Article.objects.filter(title="Another name").exists()


@steps.SCRIPTS
def test_picture_is_uploaded_from_the_article_and_shown_in_it(edit, java_script):
    page = edit(java_script_enabled=java_script)
    photo = {"name": "hill.jpg", "mimeType": "image/jpeg", "buffer": make_photo()}
    page.set_input_files("#id_new_picture", photo)
    page.fill("#id_new_picture_shows", "A runner on a hill")
    page.click("[name=_continue]")
    line = f"![A runner on a hill](picture:{Picture.objects.get().name})"
    expect(page.locator(".messagelist")).to_contain_text(line)
    page.fill("#id_body", f"{page.input_value('#id_body')}\n\n{line}\n")
    page.click("[name=_continue]")
    page.goto("/learn/the-chain/")
    picture = page.get_by_role("img", name="A runner on a hill")
    assert picture.bounding_box()["height"] > 100  # its space is reserved before it is loaded
    picture.scroll_into_view_if_needed()
    expect(picture).to_be_visible()
    if java_script:
        page.wait_for_function("picture => picture.naturalWidth > 0", arg=picture.element_handle())


def test_error_is_shown_above_the_form_beside_the_preview(edit):
    page = edit()
    page.fill("#id_title", "It will heal")
    page.click("[name=_continue]")
    note, title = page.locator(".errornote").bounding_box(), page.locator("#id_title").bounding_box()
    assert note["y"] < title["y"] < note["y"] + 300


def test_earlier_version_is_restored(edit):
    page = edit(java_script_enabled=False)
    title = page.input_value("#id_title")
    page.fill("#id_title", "Another name")
    page.click("[name=_continue]")
    page.get_by_role("link", name="Earlier versions").click()
    page.locator("summary").last.click()
    page.get_by_role("button", name="Restore this version").click()
    expect(page.locator(".messagelist")).to_be_visible()
    assert Article.objects.get(slug="the-chain").title == title != "Another name"
