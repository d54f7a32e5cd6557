"""Drawings in motion: bones keep their lengths, nothing jumps, and the file stands still on paper."""

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from education.drawing.body.surface import lowest, parts
from education.drawing.exercises.catalog import DRAWINGS
from education.drawing.motion import CHAIN, blend, motion_svg
from education.drawing.pictures import Stage

MOVING = sorted(code for code, drawing in DRAWINGS.items() if drawing.loop)
MOST_BYTES = 100 * 1024
MOST_SUNK = 3.5  # cm, in passing


@pytest.mark.parametrize("code", MOVING)
def test_body_between_two_frames_keeps_its_bones_and_stays_above_the_floor(code):
    stage = Stage(DRAWINGS[code])
    first, last = stage.solved[0], stage.solved[1]
    for share in (0.25, 0.5, 0.75):
        between = blend(first, last, share)
        for parent, child in CHAIN:
            long = math.dist(first.body.joints[parent], first.body.joints[child])
            assert math.dist(between.body.joints[parent], between.body.joints[child]) == pytest.approx(long, abs=0.1)
        assert min(lowest(blobs) for blobs in parts(between.body, between.person).values()) > -MOST_SUNK


def test_blend_begins_and_ends_at_its_poses():
    stage = Stage(DRAWINGS["bridge"])
    first, last = stage.solved
    for share, solved in ((0, first), (1, last)):
        joints = blend(first, last, share).body.joints
        assert all(math.dist(joints[name], solved.body.joints[name]) < 1.0 for name in joints)


@pytest.mark.parametrize("code", ["bridge", "sit-to-stand", "running-loop"])
def test_motion_is_one_small_file_that_shows_one_pose_at_a_time(code):
    svg = motion_svg(Stage(DRAWINGS[code]))
    assert len(svg.encode()) < MOST_BYTES
    groups = ElementTree.fromstring(svg).findall("{http://www.w3.org/2000/svg}g")
    spans = []
    for number in range(len(groups)):
        frames = re.search(rf"@keyframes k{number}\{{(.*?\}})\}}", svg)[1]
        stops = [(float(at), what) for at, what in re.findall(r"([\d.]+)%\{visibility:(\w+)\}", frames)]
        for (start, what), (end, _) in zip(stops, [*stops[1:], (100.0, "")], strict=True):
            if what == "visible":
                spans.append((start, end))
    spans.sort()
    assert spans[0][0] == 0 and spans[-1][1] == 100
    assert all(a[1] == pytest.approx(b[0], abs=0.02) for a, b in pairwise(spans))


def test_motion_stands_still_in_print():
    assert "@media print" in motion_svg(Stage(DRAWINGS["clam"]))


def test_frames_without_an_order_do_not_move():
    with pytest.raises(ValueError):
        motion_svg(Stage(DRAWINGS["warm-up"]))
