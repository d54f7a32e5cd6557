"""The drawn SVG: size, well-formed, above the floor, tight, in colors of its own."""

import re
from xml.etree import ElementTree

import pytest

from education.drawing.body.people import PEOPLE
from education.drawing.body.surface import skull
from education.drawing.exercises.catalog import DRAWINGS
from education.drawing.exercises.starts import STAND
from education.drawing.painting.outlines import Camera, hull, smooth
from education.drawing.painting.palette import RULES, colors
from education.drawing.pictures import Arrow, Drawing, Frame, Stage

MOST_BYTES = 6 * 1024
NUMBER = re.compile(r"-?\d+")
BODY = {"s", "sf", "t", "tf", "p", "pf", "b", "w", "k", "h"}


def points_of(data: str) -> list[tuple[int, int]]:
    """Return the points that the curves of a path of `smooth` pass through."""
    points = []
    for part in re.findall(r"M[^M]*", data):
        x, y = (int(number) for number in NUMBER.findall(re.match(r"M(-?\d+ -?\d+)", part)[1]))
        points.append((x, y))
        numbers = [int(number) for number in NUMBER.findall(part.split("q", 1)[1])] if "q" in part else []
        for index in range(2, len(numbers) - 1, 2):
            x, y = x + numbers[index], y + numbers[index + 1]
            points.append((x, y))
    return points


def luminance(color: str) -> float:
    channels = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("code", sorted(DRAWINGS))
def test_frames_are_small_and_well_formed(code):
    stage = Stage(DRAWINGS[code])
    for number in range(len(stage.solved)):
        svg = stage.svg(number)
        people = 2 if stage.partners[number] else 1
        assert len(svg.encode()) <= people * MOST_BYTES
        root = ElementTree.fromstring(svg)
        used = {path.get("class") for path in root.iter("{http://www.w3.org/2000/svg}path")}
        assert used - {"d"} <= set(RULES)


@pytest.mark.parametrize("code", sorted(code for code, drawing in DRAWINGS.items() if drawing.view[1] == 0))
def test_drawn_outline_stays_above_the_floor_and_inside_the_picture(code):
    stage = Stage(DRAWINGS[code])
    for number in range(len(stage.solved)):
        svg = stage.frame(number)
        paths = [
            data for css, data in re.findall(r'class="(\w+)"(?: stroke-width="\d+")? d="([^"]+)"', svg) if css in BODY
        ]
        spots = [spot for data in paths for spot in points_of(data)]
        assert max(y for _, y in spots) <= 22  # 2 cm: soft parts, and caps of tubes that are rounder than rings
        assert all(stage.box.left <= x <= stage.box.right and stage.box.top <= y <= stage.box.bottom for x, y in spots)


def test_picture_is_tight():
    drawing = Drawing("trial", "Trial", (Frame("", STAND),))
    box = Stage(drawing).box
    assert 1700 < box.height < 1900
    assert box.width < 700


@pytest.mark.parametrize("name", sorted(PEOPLE))
@pytest.mark.parametrize("dark", [False, True])
def test_person_stands_out_from_the_page(name, dark):
    page = "#0f1614" if dark else "#fbfaf7"
    shown = colors(PEOPLE[name], dark=dark)
    assert contrast(shown["shirt"], page) >= 3
    assert contrast(shown["muscle"], shown["shorts"]) >= 1.2  # its halo carries the rest
    assert contrast(shown["muscle"], shown["halo"]) >= 3
    assert contrast(shown["arrow"], page) >= 4.5


def test_lone_picture_has_a_dark_and_a_light_palette():
    svg = Stage(DRAWINGS["bridge"]).svg(1)
    assert "prefers-color-scheme:dark" in svg
    assert svg.count("--t:") == 2


def test_mirrored_frame_is_the_same_drawing_turned_over():
    stage = Stage(DRAWINGS["clam"])
    assert stage.frame(1) in stage.svg(1, mirrored=True)
    assert "matrix(-1 0 0 1" in stage.svg(1, mirrored=True)


def test_only_the_muscle_is_coral():
    assert [css for css, (fill, stroke, _) in RULES.items() if "muscle" in (fill, stroke)] == ["m"]


def test_smooth_path_closes_where_it_began_and_runs_one_way_round():
    square = [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)]
    assert smooth(square) == smooth(square[::-1]) or points_of(smooth(square))[0] == points_of(smooth(square))[-1]
    path = points_of(smooth(square))
    assert path[0] == path[-1]


def test_hull_contains_the_centers_of_its_parts():
    stage = Stage(DRAWINGS["bridge"])
    blobs = skull(stage.solved[0].body)
    camera = Camera(10)
    outline = hull(camera, blobs)
    xs, ys = [x for x, _ in outline], [y for _, y in outline]
    assert all(
        min(xs) < x < max(xs) and min(ys) < y < max(ys) for x, y in (camera.point(blob.center) for blob in blobs)
    )


def test_arrow_without_an_earlier_pose_or_a_way_is_refused():
    with pytest.raises(ValueError):
        Stage(Drawing("trial", "Trial", (Frame("", STAND, arrows=(Arrow("head"),)),)))
