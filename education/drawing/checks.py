"""What would be wrong with a pose: joints past their limits, missed contacts, floor, things, balance."""

import math

from education.drawing.body.mass import center_of_mass
from education.drawing.body.proportions import LIMITS
from education.drawing.body.skeleton import SIDES, Skeleton
from education.drawing.body.solving import CLOSE, Solved
from education.drawing.body.surface import Blob, lowest, parts
from education.drawing.body.vectors import Frame, Vector, dot
from education.drawing.painting.props import Block
from education.drawing.pictures import Stage

UNDER = 1.0  # cm that soft parts may sink into the floor
INSIDE = 1.6  # cm that a part may sink into a block
LEAN = 1.0  # cm that the center of mass may be outside the feet


def problems(stage: Stage, number: int) -> list[str]:
    """Return what is wrong with one frame, in words for developers."""
    blocks = [prop for prop in stage.drawing.props_of(stage.drawing.frames[number]) if isinstance(prop, Block)]
    everyone = [solved for solved in (stage.solved[number], stage.partners[number]) if solved]
    return [fault for solved in everyone for fault in _faults(solved, [block for block in blocks if block.solid])]


def _faults(solved: Solved, blocks: list[Block]) -> list[str]:
    surface = parts(solved.body, solved.person)
    return [
        *(f"{name} misses its place by {gap:.1f} cm" for name, gap in solved.gaps.items() if abs(gap) > CLOSE),
        *_past_limits(solved.body),
        *(
            f"{name} is {-lowest(blobs):.1f} cm under the floor"
            for name, blobs in surface.items()
            if lowest(blobs) < -UNDER
        ),
        *_inside(surface, blocks),
        *_through_body(solved.body, surface),
        *_falls(solved, surface),
    ]


def angles(body: Skeleton) -> dict[str, float]:
    """Return the joint angles in degrees, measured on the solved frames, so that reached limbs are measured too."""
    frames, out = body.frames, {}
    for side, sign in SIDES:
        pelvis, thigh, chest = frames["pelvis"], frames["thigh_" + side], frames["chest"]
        out["hip_" + side] = math.degrees(math.atan2(-dot(thigh.up, pelvis.ahead), dot(thigh.up, pelvis.up)))
        out["abduction_" + side] = math.degrees(math.asin(max(-1.0, min(1.0, -sign * dot(thigh.up, pelvis.right)))))
        out["knee_" + side] = _pitch(thigh, frames["shank_" + side])
        out["ankle_" + side] = -_pitch(frames["shank_" + side], frames["foot_" + side])
        out["toe_" + side] = -_pitch(frames["foot_" + side], frames["toes_" + side])
        upper, fore = frames["upper_" + side], frames["fore_" + side]
        out["elbow_" + side] = math.degrees(math.acos(max(-1.0, min(1.0, dot(upper.up, fore.up)))))
        if abs(dot(upper.up, chest.right)) < 0.7:  # no flexion or extension in an arm that is held out
            out["shoulder_" + side] = math.degrees(math.atan2(-dot(upper.up, chest.ahead), dot(upper.up, chest.up)))
    pose = body.pose
    return out | {"waist": pose.waist, "ribs": pose.ribs, "neck": pose.neck, "head": pose.head}


def _pitch(upper: Frame, lower: Frame) -> float:
    return math.degrees(math.atan2(dot(lower.up, upper.ahead), dot(lower.up, upper.up)))


def _past_limits(body: Skeleton) -> list[str]:
    out = []
    for name, value in angles(body).items():
        low, high = LIMITS[name.split("_")[0]]
        turned = value + 360 if name.startswith("shoulder") and value < low else value  # an arm overhead
        if not low <= turned <= high:
            out.append(f"{name} is at {value:.0f}°, outside {low}° to {high}°")
    return out


def _inside(surface: dict[str, list[Blob]], blocks: list[Block]) -> list[str]:
    axes: tuple[Vector, ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    out = []
    for name, blobs in surface.items():
        for block in blocks:
            for blob in blobs:
                depth = min(
                    blob.reach(axis) + min(blob.center[i] - block.low[i], block.high[i] - blob.center[i])
                    for i, axis in enumerate(axes)
                )
                if depth > INSIDE:
                    out.append(f"{name} is {depth:.1f} cm inside a block")
                    break
    return out


def _through_body(body: Skeleton, surface: dict[str, list[Blob]]) -> list[str]:
    """Return the hands whose middle is inside a thigh, a shin or the trunk."""
    out = []
    for side, _ in SIDES:
        wrist, hand = body.joints["wrist_" + side], body.frames["hand_" + side]
        middle = hand.at(wrist, 0, -7 * body.scale, 0)
        for name in ("belly", "back", "seat", "thigh_r", "thigh_l", "shin_r", "shin_l"):
            for blob in surface[name]:
                f, u, r = (
                    dot((middle[0] - blob.center[0], middle[1] - blob.center[1], middle[2] - blob.center[2]), ray)
                    for ray in blob.frame
                )
                if abs(u) < 3 and (f / blob.axes[0]) ** 2 + (r / blob.axes[2]) ** 2 < 0.6:
                    out.append(f"hand_{side} is inside {name}")
                    break
    return out


def _falls(solved: Solved, surface: dict[str, list[Blob]]) -> list[str]:
    """Return whether a standing figure that holds on to nothing would tip over, fore and aft or sideways."""
    pose = solved.body.pose
    held = any(name.startswith("hand") and not isinstance(pin.at[0], str) for name, pin in pose.pins.items())
    if (
        pose.base != "stand"
        or pose.moving
        or pose.leans
        or held
        or {"seat", "hip_r", "hip_l", "knee_r", "knee_l"} & set(pose.rests)
    ):
        return []
    feet = [
        side for side, _ in SIDES if "foot_" + side in pose.pins or {f"foot_{side}", f"heel_{side}"} & set(pose.rests)
    ]
    if not feet:
        return []
    center, out = center_of_mass(solved.body), []
    for axis, way in ((0, (1.0, 0.0, 0.0)), (2, (0.0, 0.0, 1.0))):
        blobs = [blob for side in feet for blob in surface["foot_" + side]]
        low = min(blob.center[axis] - blob.reach(way) for blob in blobs) - LEAN
        high = max(blob.center[axis] + blob.reach(way) for blob in blobs) + LEAN
        if not low <= center[axis] <= high:
            out.append(f"would fall: center of mass at {center[axis]:.0f}, feet from {low:.0f} to {high:.0f}")
    return out
