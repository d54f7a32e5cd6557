"""The checks of poses: the drawings pass, and poses that are broken on purpose do not."""

from dataclasses import replace

import pytest

from education.drawing.body.skeleton import Pin, Pose, Side
from education.drawing.checks import problems
from education.drawing.exercises.catalog import DRAWINGS
from education.drawing.painting.props import Block
from education.drawing.pictures import Drawing, Frame, Stage

FLAT = Side(sole=0)
STANDING = Pose(rests={"foot_r": 0, "foot_l": 0}, r=FLAT, l=FLAT)


def faults(pose, *props) -> str:
    """Return the problems of a pose as one text."""
    return "; ".join(problems(Stage(Drawing("trial", "Trial", (Frame("", pose),), props=props)), 0))


@pytest.mark.parametrize("code", sorted(DRAWINGS))
def test_drawing_has_no_problems(code):
    stage = Stage(DRAWINGS[code])
    assert [problems(stage, number) for number in range(len(stage.solved))] == [[] for _ in stage.solved]


def test_plain_standing_has_no_problems():
    assert faults(STANDING) == ""


@pytest.mark.parametrize(
    ("joint", "side"),
    [
        ("knee", Side(knee=-12, sole=0)),
        ("hip", Side(hip=140, knee=120)),
        ("ankle", Side(ankle=48)),
        ("elbow", Side(sole=0, elbow=165)),
        ("shoulder", Side(sole=0, shoulder=-80)),
        ("abduction", Side(abduction=70)),
    ],
)
def test_joint_past_its_limit_is_found(joint, side):
    assert f"{joint}_r is at" in faults(replace(STANDING, rests={"foot_l": 0}, r=side))


def test_missed_pin_is_found():
    assert "foot_r misses its place" in faults(STANDING.but(rests={"foot_l": 0}, pins={"foot_r": Pin((120, 0, 9))}))


def test_foot_under_the_floor_is_found():
    lifted = STANDING.but(rests={"foot_l": 10})
    assert "foot_r is" not in faults(lifted)
    assert "under the floor" in faults(STANDING.but(rests={"foot_l": 0}, list=-14, l={"abduction": -14}))


def test_leg_inside_a_box_is_found():
    assert "inside a block" in faults(STANDING, Block((-20, 0, -30), (20, 30, 30)))


def test_hand_inside_the_thigh_is_found():
    pose = STANDING.but(pins={"hand_r": Pin(("hip_r", 0, -20, 0), along=(0, -1, 0), palm=(0, 0, -1))})
    assert "hand_r is inside thigh_r" in faults(pose)


def test_falling_forward_and_sideways_are_found():
    assert "would fall" in faults(STANDING.but(lean=35))
    assert "would fall" in faults(STANDING.but(rests={"foot_r": 0}, l={"sole": None, "hip": 20, "knee": 60}))


def test_moving_body_need_not_balance():
    assert faults(STANDING.but(lean=12, moving=True)) == ""
