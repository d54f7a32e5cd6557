"""Pages of exercises: complete, readable, hidden until reviewed if the clinic wants that, and their drawings as files."""

import re
from xml.etree import ElementTree

import pytest

from clinic.practice.models import Clinic
from education.drawing.exercises.catalog import DRAWINGS
from education.exercises.drawn import cover_of, frames_of, style_policy
from education.exercises.library import find_exercises, read_exercises
from education.text.readability import HARDEST_GRADE, find_forbidden, reading_grade
from education.views.exercises import PROGRAM, STRETCHES
from tests.factories import ClinicFactory
from tests.pages import text_of

FOLDER = "/learn/exercises/"
OTHERS = ("warm-up/", "stretches/", "strength/")
MOST_BYTES = 100 * 1024
CODES = sorted(read_exercises())


@pytest.fixture(autouse=True)
def _clinic(db):
    ClinicFactory()


def words_of(exercise) -> str:
    """Return all sentences of an exercise, a line each."""
    lines = (exercise.purpose, exercise.feel, *exercise.cues, exercise.easier, exercise.harder, exercise.watch)
    return "\n".join([*lines, exercise.mistake, *(line.says for line in exercise.evidence)])


def test_library_has_an_exercise_for_each_part_and_each_is_drawn():
    groups = {exercise.group for exercise in read_exercises().values()}
    assert len(CODES) >= 16 and len(groups) >= 6
    assert set(CODES) | set(STRETCHES) <= set(DRAWINGS)


@pytest.mark.parametrize("code", CODES)
def test_words_are_plain_and_promise_nothing(code):
    exercise = read_exercises()[code]
    text = words_of(exercise)
    captions = "\n".join(frame.words for frame in exercise.drawing.frames)
    assert find_forbidden(f"{text}\n{exercise.dose}\n{captions}") == []
    assert reading_grade(f"{text}\n{captions}") <= HARDEST_GRADE
    assert 1 <= len(exercise.cues) <= 3 and exercise.version >= 1
    assert all(line.doi == "" or re.fullmatch(r"10\.\d{4,}/\S+", line.doi) for line in exercise.evidence)


@pytest.mark.parametrize("code", CODES)
def test_exercise_page_shows_all_frames_in_words_and_stays_small(client, code):
    response = client.get(f"{FOLDER}{code}/")
    text = text_of(response)
    exercise = read_exercises()[code]
    assert response.status_code == 200 and len(response.content) < MOST_BYTES
    assert all(frame.words.split(".")[0] in text for frame in exercise.drawing.frames)
    assert exercise.feel in text and response.content.count(b'<img src="/learn/drawings/') >= len(
        exercise.drawing.frames
    )
    assert all(f"https://doi.org/{line.doi}".encode() in response.content for line in exercise.evidence if line.doi)


@pytest.mark.parametrize("path", ["", *OTHERS])
def test_other_pages_are_small_and_name_their_pictures(client, path):
    response = client.get(FOLDER + path)
    assert response.status_code == 200 and len(response.content) < MOST_BYTES
    assert b"<style" not in response.content and b"style=" not in response.content
    pictures = re.findall(r"<img [^>]+>", response.content.decode())
    assert pictures and all("alt=" in picture and "width=" in picture for picture in pictures)


def test_index_links_to_every_exercise_and_learn_links_to_the_index(client):
    page = client.get(FOLDER).content.decode()
    assert all(f'href="{FOLDER}{code}/"' in page for code in CODES)
    assert f'href="{FOLDER}"' in client.get("/learn/").content.decode()


def test_session_gives_a_number_for_each_exercise(client):
    page = text_of(client.get(f"{FOLDER}strength/"))
    assert all(read_exercises()[code].dose and read_exercises()[code].dose in page for code in PROGRAM)


def test_exercises_are_hidden_everywhere_until_reviewed_when_the_clinic_wants_it(client):
    Clinic.objects.update(shows_unreviewed_articles=False)
    assert all(client.get(FOLDER + path).status_code == 404 for path in ("", *OTHERS, "bridge/"))
    for path in ("/learn/", "/learn/search/?q=bridge", "/sitemap.xml"):
        assert f"{FOLDER}".encode() not in client.get(path).content


def test_sitemap_and_search_know_the_exercises(client):
    places = client.get("/sitemap.xml").content.decode()
    assert all(f"{FOLDER}{path}</loc>" in places for path in ("", *OTHERS, *(f"{code}/" for code in CODES)))
    assert f'href="{FOLDER}clam/"' in client.get("/learn/search/?q=clam").content.decode()


@pytest.mark.parametrize(("text", "code"), [("side pl", "side-plank"), ("CLAM", "clam"), ("trunk still", "dead-bug")])
def test_search_finds_beginnings_of_words(text, code):
    assert code in [exercise.code for exercise in find_exercises(text, clinic=Clinic.objects.current())]


def test_search_without_words_finds_nothing():
    assert find_exercises("?!", clinic=Clinic.objects.current()) == []


@pytest.mark.parametrize(
    "path",
    [
        "exercises/juggling/",
        "drawings/juggling/1.svg",
        "drawings/bridge/0.svg",
        "drawings/bridge/9.svg",
        "drawings/warm-up/motion.svg",
    ],
)
def test_unknown_exercise_or_drawing_is_a_404(client, path):
    assert client.get(f"/learn/{path}").status_code == 404


@pytest.mark.parametrize("path", ["bridge/2.svg", "bridge/motion.svg"])
def test_drawing_is_a_file_that_may_use_only_its_own_style(client, path):
    response = client.get(f"/learn/drawings/{path}")
    svg = response.content.decode()
    assert response["Content-Type"] == "image/svg+xml" and ElementTree.fromstring(svg).tag.endswith("svg")
    assert response["Content-Security-Policy"] == style_policy(svg)
    assert "unsafe" not in style_policy(svg) and "script" not in svg
    assert "max-age" in response["Cache-Control"]


@pytest.mark.parametrize("code", CODES)
def test_cover_of_an_exercise_shows_no_mistake(code):
    frames = frames_of(code)
    assert cover_of(code) in frames and cover_of(code).mark != "wrong"


def test_frames_carry_the_size_of_their_picture():
    for frame in frames_of("bridge"):
        assert frame.width > frame.height > 0
