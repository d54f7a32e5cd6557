"""From a pose to joints and segment frames: a chain of angles, then two-bone reaches for pinned hands and feet."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

from education.drawing.body.proportions import (
    ANKLE_HEIGHT,
    BALL_AHEAD,
    FOREARM,
    HIP_APART,
    SHANK,
    SHOULDER_APART,
    SHOULDER_UP,
    SPINE,
    STATURE,
    THIGH,
    UPPER_ARM,
)
from education.drawing.body.vectors import (
    UP,
    WORLD,
    Frame,
    Vector,
    across,
    add,
    cross,
    dot,
    frame_along,
    unit,
)

SIDES = (("r", 1), ("l", -1))
BASES = {
    "stand": WORLD,
    "supine": Frame((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
    "prone": Frame((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "side": Frame((0, 0, 1), (-1, 0, 0), (0, -1, 0)),  # on the right side, head to the left, front to the reader
}


@dataclass(frozen=True)
class Side:
    """Angles of one arm and leg against the parent segment: flexion, abduction and outward rotation are positive.

    `sole` is the pitch of the sole in the world (0 flat, heel up positive) instead of an ankle angle. `girdle` moves the
    shoulder up and out, in cm.
    """

    hip: float = 0.0
    abduction: float = 0.0
    rotation: float = 0.0
    knee: float = 0.0
    ankle: float = 0.0
    toe: float = 0.0
    sole: float | None = None
    shoulder: float = 4.0
    raised: float = 8.0
    twist: float = 0.0
    elbow: float = 14.0
    wrist: float = 0.0
    fist: bool = False
    girdle: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Pin:
    """A place that a hand or a foot must reach: a point of the world, or (joint, ahead, up, right) in the joint's frame.

    For a foot it is the point under the ankle, at the height of the sole, when flat; `tilt` raises the heel, or the toes
    if negative. For a hand it is the middle of the palm; `along` is where the fingers point and `palm` what it faces.
    `pole` is where knee or elbow point.
    """

    at: Vector | tuple[str, float, float, float]
    tilt: float = 0.0
    heading: Vector = (1.0, 0.0, 0.0)
    pole: Vector | None = None
    along: Vector | None = None
    palm: Vector | None = None
    ball: bool = False


@dataclass(frozen=True)
class Pose:
    """Angles, pins and what the body rests on.

    `rests` maps a body part to the height of its surface; `anchor` is (joint, x, z or None). `free` names the angles that
    the solver may change to meet all of them together; `height` fixes the hips instead of a rest. A body in motion, or one that leans on
    something, need not balance; `stands_on` (r or l) shifts the body sideways until it balances over that foot.
    """

    base: str = "stand"
    turn: float = 0.0
    lean: float = 0.0
    tilt: float = 0.0
    list: float = 0.0
    waist: float = 0.0
    waist_side: float = 0.0
    waist_twist: float = 0.0
    ribs: float = 0.0
    ribs_side: float = 0.0
    ribs_twist: float = 0.0
    neck: float = 0.0
    neck_side: float = 0.0
    neck_twist: float = 0.0
    head: float = 0.0
    r: Side = Side()
    l: Side = Side()  # noqa: E741
    pins: dict[str, Pin] = field(default_factory=dict)
    rests: dict[str, float] = field(default_factory=dict)
    anchor: tuple[str, float, float] = ("hips", 0.0, 0.0)
    height: float | None = None
    free: tuple[str, ...] = ()
    stands_on: str = ""
    moving: bool = False
    leans: bool = False

    def but(self, r: dict[str, Any] | None = None, l: dict[str, Any] | None = None, **changes: Any) -> "Pose":  # noqa: E741
        """Return a copy with these changes; `r` and `l` change single angles, and a pin of None takes it away."""
        if "pins" in changes:
            pins = {**self.pins, **changes["pins"]}
            changes["pins"] = {name: pin for name, pin in pins.items() if pin is not None}
        return replace(self, r=replace(self.r, **(r or {})), l=replace(self.l, **(l or {})), **changes)


def _swapped(name: str) -> str:
    """Return the name of the same part on the other side of the body."""
    if name[:2] in ("r.", "l."):
        return ("l" if name[0] == "r" else "r") + name[1:]
    return name[:-1] + ("l" if name[-1] == "r" else "r") if name[-2:] in ("_r", "_l") else name


def _turned_over(way: Vector | None) -> Vector | None:
    return (way[0], way[1], -way[2]) if way else None


def _mirrored_pin(pin: Pin) -> Pin:
    at = pin.at
    place = (_swapped(at[0]), at[1], at[2], -at[3]) if len(at) == 4 else (at[0], at[1], -at[2])
    return replace(
        pin,
        at=place,
        heading=(pin.heading[0], pin.heading[1], -pin.heading[2]),
        pole=_turned_over(pin.pole),
        along=_turned_over(pin.along),
        palm=_turned_over(pin.palm),
    )


def mirrored(pose: Pose) -> Pose:
    """Return the same pose on the other side of the body."""
    turns = ("turn", "list", "waist_side", "waist_twist", "ribs_side", "ribs_twist", "neck_side", "neck_twist")
    joint, x, z = pose.anchor
    return replace(
        pose,
        r=pose.l,
        l=pose.r,
        pins={_swapped(name): _mirrored_pin(pin) for name, pin in pose.pins.items()},
        rests={_swapped(name): height for name, height in pose.rests.items()},
        anchor=(_swapped(joint), x, -z),
        free=tuple(_swapped(name) for name in pose.free),
        stands_on={"r": "l", "l": "r"}.get(pose.stands_on, ""),
        **{name: -getattr(pose, name) for name in turns},
    )


@dataclass
class Skeleton:
    """Joints as points, segments as frames, and how far each pinned end is from its place."""

    joints: dict[str, Vector]
    frames: dict[str, Frame]
    misses: dict[str, float]
    pose: Pose
    scale: float = 1.0

    def place(self, spot: Vector | tuple[str, float, float, float]) -> Vector:
        """Return a spot of the world: itself, or the point at these distances (ahead, up, right) from a joint."""
        if not isinstance(spot[0], str):
            return spot
        joint, ahead, up, right = spot
        k = self.scale
        return self.frames[FRAME_AT.get(joint, joint)].at(self.joints[joint], ahead * k, up * k, right * k)


FRAME_AT = {
    f"{joint}_{side}": f"{segment}_{side}"
    for side, _ in SIDES
    for joint, segment in (
        ("hip", "thigh"),
        ("knee", "shank"),
        ("ankle", "foot"),
        ("ball", "toes"),
        ("shoulder", "upper"),
        ("elbow", "fore"),
        ("wrist", "hand"),
    )
} | {"hips": "pelvis"}


def bend(start: Vector, goal: Vector, upper: float, lower: float, pole: Vector) -> tuple[Vector, Vector, Vector]:
    """Return the middle joint (bent towards pole), the end and the hinge axis of a two-bone limb that reaches for goal."""
    line = add(goal, start, -1)
    reach = math.sqrt(dot(line, line))
    along = unit(line)
    reach = max(abs(upper - lower) + 0.5, min(reach, upper + lower - 0.04))
    foot = (upper * upper - lower * lower + reach * reach) / (2 * reach)
    side = across(pole, along)
    middle = add(add(start, along, foot), side, math.sqrt(max(0.0, upper * upper - foot * foot)))
    return middle, add(start, along, reach), cross(along, side)


def _spine(body: Skeleton, root: Vector, k: float) -> None:
    pose, joints, frames = body.pose, body.joints, body.frames
    base = BASES[pose.base].turned(pose.turn).pitched(pose.lean)
    frame = base.rolled(pose.list).pitched(pose.tilt)
    joints["hips"], frames["pelvis"] = root, frame
    point = frame.at(root, -0.8 * k, SPINE["pelvis"] * STATURE * k, 0)
    for name, whole in (("waist", "waist"), ("belly", "waist"), ("ribs", "ribs"), ("chest", "ribs")):
        flex, side, twist = (getattr(pose, whole + key) / 2 for key in ("", "_side", "_twist"))
        frame = frame.pitched(flex).rolled(side).turned(twist)
        joints[name], frames[name] = point, frame
        point = frame.at(point, -0.9 * k if whole == "ribs" else 0, SPINE[name] * STATURE * k, 0)
    frame = frame.pitched(12 + pose.neck).rolled(pose.neck_side).turned(pose.neck_twist)
    joints["neck"], frames["neck"] = point, frame
    skull = frame.at(point, 0, SPINE["neck"] * STATURE * k, 0)
    frame = frame.pitched(pose.head - 12)
    joints["skull"], frames["head"] = skull, frame
    joints["head"] = frame.at(skull, 1.6 * k, 9.2 * k, 0)


def _foot(body: Skeleton, side: str, spec: Side, pin: Pin | None) -> None:
    shank, k = body.frames["shank_" + side], body.scale
    sole = pin.tilt if pin else spec.sole
    if sole is None:
        frame, toe = shank.pitched(-spec.ankle), spec.toe
    else:
        ahead = shank.ahead if abs(shank.ahead[1]) < 0.8 else add((0, 0, 0), shank.up, -1)
        heading = pin.heading if pin else (ahead[0], 0.0, ahead[2])
        flat = unit((heading[0], 0.0, heading[2]))
        frame, toe = Frame(flat, UP, cross(flat, UP)).pitched(sole), max(0.0, min(sole, 70.0))
        toe = spec.toe or toe
    body.frames["foot_" + side], body.frames["toes_" + side] = frame, frame.pitched(-toe)
    body.joints["ball_" + side] = frame.at(body.joints["ankle_" + side], BALL_AHEAD * k, -ANKLE_HEIGHT * k, 0)


def _ankle_goal(body: Skeleton, pin: Pin) -> Vector:
    """Return where the ankle must be: a raised heel pivots on the ball, raised toes pivot on the heel."""
    k = body.scale
    x, y, z = body.place(pin.at)
    heading = unit(pin.heading)
    frame = Frame(heading, UP, cross(heading, UP)).pitched(pin.tilt)
    pivot = (BALL_AHEAD if pin.tilt >= 0 or pin.ball else -3.0) * k
    return frame.at(add((x, y, z), heading, pivot), -pivot, ANKLE_HEIGHT * k, 0)


def _leg(body: Skeleton, side: str, sign: int, spec: Side, pin: Pin | None) -> None:
    joints, frames, k = body.joints, body.frames, body.scale
    pelvis = frames["pelvis"]
    hip = joints["hip_" + side] = pelvis.at(joints["hips"], 0, 0, sign * HIP_APART * k)
    thigh = pelvis.pitched(-spec.hip).rolled(-sign * spec.abduction).turned(sign * spec.rotation)
    knee = thigh.at(hip, 0, -THIGH * k, 0)
    shank = thigh.pitched(spec.knee)
    ankle = shank.at(knee, 0, -SHANK * k, 0)
    if pin:
        goal = _ankle_goal(body, pin)
        knee, ankle, hinge = bend(hip, goal, THIGH * k, SHANK * k, pin.pole or pelvis.ahead)
        right = add((0, 0, 0), hinge, -1) if dot(hinge, pelvis.right) < 0 else hinge
        thigh, shank = frame_along(hip, knee, right), frame_along(knee, ankle, right)
        body.misses["foot_" + side] = math.dist(goal, ankle)
    joints["knee_" + side], joints["ankle_" + side] = knee, ankle
    frames["thigh_" + side], frames["shank_" + side] = thigh, shank
    _foot(body, side, spec, pin)


def _arm(body: Skeleton, side: str, sign: int, spec: Side, pin: Pin | None) -> None:
    joints, frames, k = body.joints, body.frames, body.scale
    chest = frames["chest"]
    ahead, up, out = spec.girdle
    shoulder = chest.at(joints["chest"], (ahead - 0.6) * k, SHOULDER_UP * k + up * k, sign * (SHOULDER_APART + out) * k)
    joints["shoulder_" + side] = shoulder
    upper = chest.pitched(-spec.shoulder).rolled(-sign * spec.raised).turned(sign * spec.twist)
    elbow = upper.at(shoulder, 0, -UPPER_ARM * k, 0)
    fore = upper.pitched(-spec.elbow)
    wrist = fore.at(elbow, 0, -FOREARM * k, 0)
    hand = fore.pitched(-spec.wrist)
    if pin:
        at = body.place(pin.at)
        along = unit(pin.along) if pin.along else unit(add(at, shoulder, -1))
        goal = add(at, along, (-5.0 if spec.fist else -7.0) * k)
        pole = pin.pole or chest.at((0, 0, 0), -0.7, -0.4, sign * 0.5)
        elbow, wrist, hinge = bend(shoulder, goal, UPPER_ARM * k, FOREARM * k, pole)
        right = add((0, 0, 0), hinge, -1) if dot(hinge, chest.right) < 0 else hinge
        upper, fore = frame_along(shoulder, elbow, right), frame_along(elbow, wrist, right)
        palm = pin.palm or ((0.0, -1.0, 0.0) if abs(along[1]) < 0.7 else (-1.0, 0.0, 0.0))
        hand = frame_along((0, 0, 0), along, (-sign * palm[0], -sign * palm[1], -sign * palm[2]))
        body.misses["hand_" + side] = math.dist(goal, wrist)
    joints["elbow_" + side], joints["wrist_" + side] = elbow, wrist
    frames["upper_" + side], frames["fore_" + side], frames["hand_" + side] = upper, fore, hand


def build(pose: Pose, root: Vector, scale: float = 1.0) -> Skeleton:
    """Return the skeleton of a pose with its hips at `root`; `scale` is the person's height against 170 cm."""
    body = Skeleton({}, {}, {}, pose, scale)
    _spine(body, root, scale)
    for side, sign in SIDES:
        _leg(body, side, sign, getattr(pose, side), pose.pins.get("foot_" + side))
    for side, sign in SIDES:
        _arm(body, side, sign, getattr(pose, side), pose.pins.get("hand_" + side))
    return body
