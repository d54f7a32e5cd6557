"""Poses in the world: contacts met together, reaches, mirrored sides, and poses that cannot be met."""

import math

import pytest

from education.drawing.body.mass import center_of_mass
from education.drawing.body.people import ANA, PEOPLE, Person
from education.drawing.body.proportions import MASS, SHANK, STATURE, THIGH
from education.drawing.body.skeleton import Pin, Pose, Side, build, mirrored
from education.drawing.body.solving import least_squares, solve
from education.drawing.body.surface import lowest, parts

FLAT = Side(sole=0)
STANDING = Pose(rests={"foot_r": 0, "foot_l": 0}, r=FLAT, l=FLAT)


def test_standing_figure_is_as_tall_as_its_person():
    solved = solve(STANDING, Person(170))
    top = max(blob.center[1] + blob.reach((0, 1, 0)) for blob in parts(solved.body, solved.person)["head"])
    assert top == pytest.approx(STATURE, abs=3)
    assert solved.residual < 0.1


def test_masses_add_up_to_the_whole_body():
    both = {"thigh", "shank", "foot", "upper", "fore", "hand"}
    assert sum(mass * (2 if name in both else 1) for name, mass in MASS.items()) == pytest.approx(1.0, abs=0.002)


def test_center_of_mass_of_a_standing_figure_is_in_the_middle_and_above_the_hips():
    body = solve(STANDING, ANA).body
    _, y, z = center_of_mass(body)
    assert abs(z) < 0.5
    assert body.joints["hips"][1] < y < body.joints["chest"][1]


def test_reach_meets_the_ankle_and_keeps_the_lengths_of_the_bones():
    pose = Pose(height=70, pins={"foot_r": Pin((10, 0, 9))})
    body = solve(pose, Person(170)).body
    assert body.misses["foot_r"] < 0.01
    joints = body.joints
    assert math.dist(joints["hip_r"], joints["knee_r"]) == pytest.approx(THIGH, abs=0.01)
    assert math.dist(joints["knee_r"], joints["ankle_r"]) == pytest.approx(SHANK, abs=0.01)


def test_contact_out_of_reach_is_reported_as_residual():
    pose = Pose(height=85, pins={"foot_r": Pin((90, 0, 9)), "foot_l": Pin((-90, 0, -9))})
    assert solve(pose, ANA).residual > 10


def test_free_angle_lets_two_rests_be_met_together():
    shared = {"base": "supine", "rests": {"back": 0, "head": 6}, "tilt": 3}
    stiff, free = solve(Pose(**shared), ANA), solve(Pose(**shared, free=("neck",)), ANA)
    assert stiff.residual > 0.5
    assert free.residual < 0.1


def test_standing_on_one_leg_shifts_the_body_over_that_foot():
    body = solve(STANDING.but(rests={"foot_r": 0}, stands_on="r"), ANA).body
    assert center_of_mass(body)[2] == pytest.approx(body.joints["ankle_r"][2], abs=0.5)


@pytest.mark.parametrize("name", sorted(PEOPLE))
def test_every_person_stands_on_the_floor(name):
    solved = solve(STANDING, PEOPLE[name])
    assert min(lowest(blobs) for blobs in parts(solved.body, solved.person).values()) == pytest.approx(0, abs=0.05)


def test_sides_mirror_each_other():
    right, left = (build(Pose(**{side: Side(hip=40, abduction=12, knee=30)}), (0, 0, 0)) for side in "rl")
    for joint in ("knee", "ankle", "ball"):
        x, y, z = right.joints[joint + "_r"]
        assert left.joints[joint + "_l"] == pytest.approx((x, y, -z))


def test_least_squares_finds_the_minimum():
    found = least_squares(lambda at: [at[0] - 3, 2 * (at[1] + 1), at[0] + at[1] - 2], [0, 0])
    assert found == pytest.approx([3, -1], abs=1e-3)


def test_mirrored_pose_solves_to_the_mirrored_body():
    pose = Pose(
        rests={"foot_r": 0},
        anchor=("ankle_r", 3, 9),
        stands_on="r",
        waist_side=8,
        r=FLAT,
        l=Side(hip=40, knee=60),
        pins={"hand_l": Pin(("hip_r", 9, -20, 4), along=(0.8, -0.4, 0.2), palm=(0, -1, 0))},
    )
    body, other = solve(pose, ANA).body, solve(mirrored(pose), ANA).body
    assert mirrored(mirrored(pose)) == pose
    for name in ("knee_l", "wrist_l", "ankle_r", "shoulder_r"):
        x, y, z = body.joints[name]
        swapped = name[:-1] + ("l" if name[-1] == "r" else "r")
        assert other.joints[swapped] == pytest.approx((x, y, -z), abs=0.05)
