"""The preview picture of a link to an article."""

import io
import re

import pytest
from PIL import Image

from education.articles.share_image import LEFT, SIZE, TITLE_SIZES, WIDTH, draw_share_image, fit_line, fit_title
from education.models import Article
from tests.factories import ClinicFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic(db):
    return ClinicFactory()


def open_image(content):
    image = Image.open(io.BytesIO(content))
    assert (image.format, image.size) == ("PNG", SIZE)
    return image.convert("RGB")


def test_share_picture_is_small_and_has_the_size_that_networks_expect(clinic, write_article, client):
    write_article("sore-hip")
    answer = client.get("/learn/sore-hip/share.png")
    assert answer["Content-Type"] == "image/png" and answer["X-Content-Type-Options"] == "nosniff"
    assert len(answer.content) < 40_000
    open_image(answer.content)


def test_page_names_its_share_picture_with_alternative_text(clinic, write_article, client, settings):
    settings.SITE_URL = "https://lake.example"
    write_article("sore-hip")
    page = client.get("/learn/sore-hip/").content.decode()
    assert 'property="og:image" content="https://lake.example/learn/sore-hip/share.png"' in page
    assert re.search(r'property="og:image:alt" content="[^"]+: Sore hip"', page)
    assert 'property="og:image:width" content="1200"' in page


def test_share_picture_differs_by_article_and_title(clinic, write_article, client):
    write_article("sore-hip")
    write_article("sore-knee")
    hip, knee = (client.get(f"/learn/{slug}/share.png").content for slug in ("sore-hip", "sore-knee"))
    assert hip != knee
    Article.objects.filter(slug="sore-hip").update(title="Sore hips")
    assert client.get("/learn/sore-hip/share.png").content != hip


def test_unchanged_share_picture_answers_304(clinic, write_article, client):
    write_article("sore-hip")
    tag = client.get("/learn/sore-hip/share.png")["ETag"]
    assert client.get("/learn/sore-hip/share.png", HTTP_IF_NONE_MATCH=tag).status_code == 304


def test_draft_has_no_share_picture(clinic, write_article, client):
    write_article("sore-hip", status="draft")
    assert client.get("/learn/sore-hip/share.png").status_code == 404


@pytest.mark.parametrize(
    "title", ["Hip", "What happens at a discovery call and at an evaluation", "Why running hurts so " * 6]
)
def test_title_of_any_length_fits(title):
    font, lines = fit_title(title[:120])
    assert font.size in TITLE_SIZES
    assert all(font.getlength(line) <= WIDTH - 2 * LEFT for line in lines)
    assert " ".join(lines) == " ".join(title[:120].split())


def test_long_topic_is_drawn_smaller():
    assert fit_line("Hip", 300).size == 36
    topic = "Hip and groin pain and everything about it"
    assert fit_line(topic, 300).getlength(topic) <= 300


def test_text_is_drawn():
    empty = draw_share_image(title="", topic="", clinic_name="")
    assert open_image(empty).tobytes() != open_image(draw_share_image(title="Hip", topic="", clinic_name="")).tobytes()
