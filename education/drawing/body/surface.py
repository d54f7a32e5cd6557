"""The surface of a posed body: cross-sections and ellipsoids that are drawn, rested on and checked alike."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from education.drawing.body.people import Person
from education.drawing.body.proportions import (
    ANKLE_HEIGHT,
    FOREARM,
    HAND,
    LIMB_RINGS,
    SHANK,
    THIGH,
    TRUNK_RINGS,
    UPPER_ARM,
    Ring,
)
from education.drawing.body.skeleton import SIDES, Skeleton
from education.drawing.body.vectors import Frame, Vector

SEGMENTS = {
    "thigh": ("hip", THIGH),
    "shank": ("knee", SHANK),
    "upper": ("shoulder", UPPER_ARM),
    "fore": ("elbow", FOREARM),
    "hand": ("wrist", HAND),
    "fist": ("wrist", HAND),
}


class Blob(NamedTuple):
    """An ellipsoid: center, frame, and half axes ahead, up and right. A ring of a limb has no half axis up."""

    center: Vector
    frame: Frame
    axes: Vector

    def reach(self, direction: Vector) -> float:
        """Return how far the surface reaches from the center in the direction of this unit vector."""
        return math.sqrt(
            sum(
                (axis * sum(a * b for a, b in zip(direction, ray, strict=True))) ** 2
                for axis, ray in zip(self.axes, self.frame, strict=True)
            )
        )


def limb(body: Skeleton, person: Person, segment: str, side: str, upto: float = 1.0, ease: float = 0.0) -> list[Blob]:
    """Return the rings of a limb's segment from its top to the share `upto`, widened by `ease` (clothes)."""
    joint, length = SEGMENTS[segment]
    frame_name = "hand" if segment == "fist" else segment
    origin, frame, k = body.joints[f"{joint}_{side}"], body.frames[f"{frame_name}_{side}"], body.scale
    sign, thick = (1 if side == "r" else -1), k * person.girth
    rings, out = LIMB_RINGS[segment], []
    for before, ring in zip((rings[0], *rings), rings, strict=False):
        if ring.along > upto:
            share = (upto - before.along) / (ring.along - before.along)
            if share > 0.05:
                out.append(_placed(_blend(before, ring, share), origin, frame, -upto * length, k, thick, sign, ease))
            break
        out.append(_placed(ring, origin, frame, -ring.along * length, k, thick, sign, ease))
    return out


def _blend(a: Ring, b: Ring, share: float) -> Ring:
    pairs = ((a.depth, b.depth), (a.width, b.width), (a.ahead, b.ahead), (a.out, b.out))
    return Ring(0.0, *(x + (y - x) * share for x, y in pairs))


def _placed(
    ring: Ring, origin: Vector, frame: Frame, up: float, k: float, thick: float, sign: int, ease: float
) -> Blob:
    center = frame.at(origin, ring.ahead * thick, up * k, sign * ring.out * thick)
    return Blob(center, frame, (ring.depth * thick + ease, 0.0, ring.width * thick + ease))


def trunk(
    body: Skeleton, person: Person, first: int = 0, last: int = len(TRUNK_RINGS), ease: float = 0.0
) -> list[Blob]:
    """Return the rings of the trunk from the crotch to the neck."""
    k, out = body.scale, []
    for segment, ring in TRUNK_RINGS[first:last]:
        origin = "hips" if segment == "pelvis" else segment
        waist = {"pelvis": 1.0, "waist": person.waist, "belly": person.waist}.get(segment, (1 + person.waist) / 2)
        width = {"pelvis": person.hips, "chest": person.shoulders}.get(segment, waist)
        bust = person.bust * {6.0: 1.0, 11.0: 1.1}.get(ring.along, 0.0) if segment == "ribs" else 0.0
        frame, girth = body.frames[segment], k * person.girth
        center = frame.at(body.joints[origin], (ring.ahead + bust) * girth, ring.along * k, 0)
        axes = ((ring.depth * waist + bust) * girth + ease, 0.0, ring.width * width * girth + ease)
        out.append(Blob(center, frame, axes))
    return out


def neck(body: Skeleton, person: Person) -> list[Blob]:
    frame, k = body.frames["neck"], body.scale
    slim = k * (0.88 if person.shoulders < 1 else 1.0)
    return [
        Blob(frame.at(body.joints["neck"], a * k, u * k, 0), frame, (d * slim, 0.0, w * slim))
        for a, u, d, w in ((0.8, -4.0, 6.2, 7.4), (1.2, 0.0, 5.6, 5.8), (1.6, 5.0, 5.4, 5.3), (2.0, 10.0, 5.2, 5.0))
    ]


def skull(body: Skeleton) -> list[Blob]:
    """Return the head: skull and jaw, 0.130 of stature from crown to chin."""
    frame, k = body.frames["head"], body.scale
    return [
        Blob(frame.at(body.joints["head"], a * k, u * k, 0), frame, (x * k, y * k, z * k))
        for a, u, x, y, z in ((-0.6, 1.6, 9.6, 9.6, 7.6), (4.4, -7.6, 3.6, 3.4, 4.0))
    ]


SHOE = {  # (part, ahead of the ankle, above the sole) and half axes ahead, up, out; toes are set from the ball
    "heel": ((-3.4, 3.8), (3.7, 3.0, 3.4)),
    "collar": ((-0.8, 7.9), (4.2, 2.2, 3.5)),
    "instep": ((4.6, 4.9), (4.4, 3.4, 3.8)),
    "ball": ((10.6, 3.1), (3.8, 2.4, 4.7)),
}
TOES = ((4.9, 2.7), (3.6, 2.0, 4.0))
SOLE = {"heel": ((-3.0, 1.25), (4.6, 1.25, 3.7)), "ball": ((10.4, 1.15), (3.6, 1.15, 5.0))}
TOE_SOLE = ((4.8, 1.35), (4.4, 1.0, 4.2))


def shoe(body: Skeleton, side: str) -> tuple[dict[str, Blob], dict[str, Blob]]:
    """Return the blobs of the upper and of the sole of a running shoe."""
    ankle, ball, k = body.joints["ankle_" + side], body.joints["ball_" + side], body.scale
    foot, toes = body.frames["foot_" + side], body.frames["toes_" + side]

    def blob(origin: Vector, frame: Frame, low: float, row: tuple[tuple[float, float], Vector]) -> Blob:
        (ahead, up), (x, y, z) = row
        return Blob(frame.at(origin, ahead * k, (up + low) * k, 0), frame, (x * k, y * k, z * k))

    upper = {name: blob(ankle, foot, -ANKLE_HEIGHT, row) for name, row in SHOE.items()}
    sole = {name: blob(ankle, foot, -ANKLE_HEIGHT, row) for name, row in SOLE.items()}
    upper["toe"], sole["toe"] = blob(ball, toes, 0.0, TOES), blob(ball, toes, 0.0, TOE_SOLE)
    return upper, sole


def parts(body: Skeleton, person: Person) -> dict[str, list[Blob]]:
    """Return the surface by the names that a pose rests on."""
    rings = trunk(body, person)
    out = {
        "seat": rings[1:4],
        "belly": rings[4:8],
        "back": rings[7:12],
        "head": skull(body),
        "neck": neck(body, person),
    }
    for side, _ in SIDES:
        thigh, shank = limb(body, person, "thigh", side), limb(body, person, "shank", side)
        upper, fore = limb(body, person, "upper", side), limb(body, person, "fore", side)
        shoe_upper, sole = shoe(body, side)
        fist = getattr(body.pose, side).fist
        out |= {
            "hip_" + side: thigh[:2],
            "thigh_" + side: thigh[2:5],
            "knee_" + side: [thigh[-1], *shank[:2]],
            "shin_" + side: shank[2:],
            "heel_" + side: [sole["heel"], shoe_upper["heel"]],
            "ball_" + side: [sole["ball"], shoe_upper["ball"]],
            "toe_" + side: [sole["toe"], shoe_upper["toe"]],
            "shoulder_" + side: upper[:2],
            "arm_" + side: upper[2:-1],
            "elbow_" + side: [upper[-1], fore[0], fore[1]],
            "fore_" + side: fore[2:],
            "hand_" + side: limb(body, person, "fist" if fist else "hand", side),
        }
        out["foot_" + side] = out["heel_" + side] + out["ball_" + side] + out["toe_" + side]
    return out


def lowest(blobs: Sequence[Blob]) -> float:
    return min(blob.center[1] - blob.reach((0.0, 1.0, 0.0)) for blob in blobs)
