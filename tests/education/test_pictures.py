"""Uploaded pictures: validated, stored without metadata, served in the size that a screen needs."""

import contextlib
import io
import struct
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clinic.practice.models import User
from education.articles import pictures
from education.articles.pictures import PictureRefused, open_picture, store_picture
from education.articles.publishing import find_faults
from education.models import Picture, PictureSize
from education.text.picture_markup import list_widths, picture_size, write_picture
from tests.education.forms import article_form
from tests.education.pictures import make_file, make_photo
from tests.world import WRITTEN_AT

ADD = reverse("admin:education_picture_add")


@pytest.fixture
def erin(client, editor):
    client.force_login(editor)
    return client


@pytest.fixture
def picture(db):
    return store_picture(
        open_picture(make_photo((1700, 1000))), description="A runner on a hill", by=None, now=WRITTEN_AT
    )


def upload(content, name="hip.jpg"):
    return SimpleUploadedFile(name, content, content_type="image/jpeg")


# Opening an upload


def test_picture_metadata_is_removed(picture):
    for size in picture.sizes.all():
        content = bytes(size.content)
        kept = Image.open(io.BytesIO(content))
        assert kept.format == "WEBP" and not kept.getexif() and not kept.info.get("xmp")
        assert b"Ada" not in content and b"EXIF" not in content and b"ICCP" not in content


def test_sideways_photo_is_rotated():
    assert open_picture(make_photo((1200, 800), orientation=6)).size == (800, 1200)


def test_transparent_parts_become_white():
    image = open_picture(make_file((400, 400), kind="PNG", mode="RGBA", color=(0, 0, 0, 0)))
    assert (image.mode, image.getpixel((9, 9))) == ("RGB", (255, 255, 255))


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "P"), ("PNG", "L"), ("PNG", "I;16"), ("WEBP", "RGBA"), ("JPEG", "CMYK")]
)
def test_pictures_in_every_format_and_mode_are_accepted(kind, mode):
    assert open_picture(make_file((400, 300), kind=kind, mode=mode, color=0)).mode == "RGB"


def test_large_photo_is_scaled_down():
    assert open_picture(make_file((6000, 4000))).size == (1600, 1067)


def png_head_that_lies(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def moving():
    out = io.BytesIO()
    frames = [Image.new("RGB", (400, 400), color) for color in ("red", "blue")]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    return out.getvalue()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: b"", "damaged"),
        (lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "damaged"),
        (lambda: b"GIF89a<script>alert(1)</script>", "damaged"),
        (lambda: make_file(kind="BMP"), "damaged"),
        (lambda: make_file(kind="GIF"), "damaged"),
        (lambda: make_file()[:2000], "damaged"),
        (lambda: png_head_that_lies(1000, 1000), "damaged"),
        (lambda: png_head_that_lies(60_000, 60_000), "too many pixels"),
        (lambda: png_head_that_lies(9_000, 9_000), "too many pixels"),
        (lambda: make_file((200, 900)), "300 pixels"),
        (lambda: make_file((2000, 400)), "long and narrow"),
        (moving, "does not move"),
    ],
    ids=["empty", "svg", "script", "bmp", "gif", "half", "short", "bomb", "huge", "small", "strip", "moving"],
)
def test_unusable_file_is_refused_with_the_reason(make, words):
    with pytest.raises(PictureRefused, match=words):
        open_picture(make())


def test_file_that_is_too_large_is_refused_unread(monkeypatch):
    monkeypatch.setattr(pictures, "LARGEST_FILE", 1000)
    with pytest.raises(PictureRefused, match="at most"):
        open_picture(make_file())


@given(st.sampled_from(["JPEG", "PNG", "WEBP"]), st.binary(max_size=300), st.integers(0, 3000))
@settings(max_examples=150, deadline=None)
def test_damaged_file_is_opened_or_refused(kind, junk, at):
    whole = make_file((320, 320), kind=kind)
    with contextlib.suppress(PictureRefused):
        assert open_picture(whole[:at] + junk + whole[at + len(junk) :]).mode == "RGB"


# Stored pictures


def test_picture_is_stored_in_every_width_up_to_its_own(picture, db):
    assert picture_size(picture.name) == (1600, 941)
    assert sorted(picture.sizes.values_list("width", flat=True)) == [480, 800, 1200, 1600]
    small = store_picture(open_picture(make_file((500, 400))), description="A shoe", by=None, now=WRITTEN_AT)
    assert sorted(small.sizes.values_list("width", flat=True)) == [480, 500]
    for size in PictureSize.objects.all():
        assert Image.open(io.BytesIO(size.content)).width == size.width


@pytest.mark.parametrize("fields", [{"name": "x"}, {"name": "abcdefgh-0x10"}, {"description": ""}])
def test_database_refuses_a_picture_without_size_or_description(db, fields):
    row = {"name": "abcdefgh-400x300", "description": "A hill", "uploaded_at": WRITTEN_AT, **fields}
    with pytest.raises(IntegrityError), transaction.atomic():
        Picture.objects.create(**row)


@pytest.mark.parametrize(
    ("width", "widths"), [(300, [300]), (480, [480]), (900, [480, 800, 900]), (1600, [480, 800, 1200, 1600])]
)
def test_list_of_widths_ends_with_the_pictures_own(width, widths):
    assert list_widths(width) == widths


# For readers


def test_article_shows_a_picture_with_sizes_and_texts_and_without_another_query(client, picture, write_article):
    write_article("plain", body="Hips bend. [@weir]")
    write_article("shown", body=f'Hips bend. [@weir]\n\n![A <b>runner</b> "up"](picture:{picture.name} "Up the hill")')
    counts = []
    for slug in ("plain", "shown"):
        with CaptureQueriesContext(connection) as queries:
            page = client.get(f"/learn/{slug}/").content.decode()
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert f'src="/pictures/{picture.name}/1600.webp"' in page and f"/pictures/{picture.name}/480.webp 480w" in page
    assert 'width="1600" height="941"' in page and 'alt="A &lt;b&gt;runner&lt;/b&gt; &quot;up&quot;"' in page
    assert "<figcaption>Up the hill</figcaption>" in page


def test_picture_can_be_cached_for_a_year(client, picture):
    answer = client.get(f"/pictures/{picture.name}/800.webp")
    assert answer["Content-Type"] == "image/webp" and answer["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in answer["Cache-Control"] and "max-age=31536000" in answer["Cache-Control"]
    assert Image.open(io.BytesIO(answer.content)).size == (800, 470)
    assert not answer.cookies


@pytest.mark.parametrize(
    "path", ["/pictures/abcdefgh-400x300/400.webp", "/pictures/x/1.webp", "/pictures/x/99999999999.webp"]
)
def test_missing_picture_is_a_404(client, db, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "name", ["../../etc", "abcdefgh", "abcdefgh-0x0", 'abcdefgh-400x300" onerror="x', "ABCDEFGH-400x300"]
)
def test_invalid_picture_name_shows_nothing(name):
    assert write_picture(name, "x", url=lambda name, width: "") is None


# For staff


def test_editor_uploads_and_sees_the_markdown_line(erin):
    answer = erin.post(ADD, {"file": upload(make_photo()), "description": "A [runner]* on a hill"}, follow=True)
    picture = Picture.objects.get()
    assert answer.redirect_chain and picture.markdown in answer.content.decode()
    assert picture.markdown.startswith("![A (runner) on")
    assert picture.uploaded_by.name == "Erin"


def test_picture_without_a_description_is_refused(erin):
    assert erin.post(ADD, {"file": upload(make_file()), "description": " "}).status_code == 200
    assert not Picture.objects.exists()


def test_editor_uploads_while_writing(erin, write_article):
    article = write_article("sore-hip")
    path = reverse("admin:education_article_change", args=[article.pk])
    data = article_form(erin, path) | {"new_picture": upload(make_photo()), "new_picture_shows": ""}
    assert list(erin.post(path, data).context["adminform"].form.errors) == ["new_picture_shows"]
    data |= {"new_picture": upload(make_photo()), "new_picture_shows": "A runner"}
    page = erin.post(path, data | {"_continue": "1"}, follow=True).content.decode()
    assert f"![A runner](picture:{Picture.objects.get().name})" in page


def test_picture_used_by_an_article_cannot_be_deleted(erin, picture, write_article):
    article = write_article("sore-hip", body=f"![A hill](picture:{picture.name})")
    path = reverse("admin:education_picture_delete", args=[picture.pk])
    assert erin.post(path, {"post": "yes"}).status_code == 403
    page = erin.get(reverse("admin:education_picture_change", args=[picture.pk])).content.decode()
    assert "Sore hip" in page
    article.delete()
    assert erin.post(path, {"post": "yes"}).status_code == 302
    assert not PictureSize.objects.exists()


def test_content_of_a_stored_picture_does_not_change(erin, picture):
    path = reverse("admin:education_picture_change", args=[picture.pk])
    erin.post(path, {"file": upload(make_file()), "description": "Another hill"})
    before, name = picture.sizes.count(), picture.name
    picture.refresh_from_db()
    assert (picture.description, picture.name, picture.sizes.count()) == ("Another hill", name, before)


def test_staff_without_the_permission_upload_nothing(client, db):
    client.force_login(User.objects.create_user("fred@clinic.example", name="Fred", roles=["front-desk"]))
    assert client.post(ADD, {"file": upload(make_file()), "description": "A hill"}).status_code == 403
    client.logout()
    assert client.post(ADD, {"file": upload(make_file()), "description": "A hill"}).status_code == 302
    assert not Picture.objects.exists()


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("![](picture:{name})", ""),
        ("![A hill](picture:abcdefgh-400x300)", "“abcdefgh-400x300”"),
        ("![A hill](picture:x)", "“x”"),
        ("![A hill](https://evil.example/x.png)", "“https://evil.example/x.png”"),
    ],
)
def test_article_with_an_invalid_picture_cannot_be_published(picture, write_article, body, name):
    article = write_article("sore-hip", body=f"Hips bend. [@weir]\n\n{body.format(name=picture.name)}")
    faults = find_faults(article)["body"]
    assert len(faults) == 1 and (name or picture.name) in faults[0]


def test_list_of_pictures_costs_the_same_queries_for_one_and_thirty(erin, picture):
    path = reverse("admin:education_picture_changelist")
    counts = []
    for more in (0, 29):
        for number in range(more):
            Picture.objects.create(
                name=f"abcdefg{'23456789abcdefghjkmnpqrstuvwxyz'[number]}-400x300",
                description="x",
                uploaded_at=timezone.now(),
            )
        with CaptureQueriesContext(connection) as queries:
            assert erin.get(path).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
