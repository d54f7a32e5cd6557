"""The frames of a drawing in turn, with in-between poses, as one SVG that moves by its own style sheet."""

import math
import re

from education.drawing.body.proportions import ANKLE_HEIGHT, BALL_AHEAD
from education.drawing.body.skeleton import SIDES, Skeleton, bend
from education.drawing.body.solving import Solved
from education.drawing.body.vectors import Frame, Vector, across, add, between, cross, frame_along, unit
from education.drawing.pictures import Stage, lone

HOLD_S, MOVE_S = 0.9, 0.1  # how long a frame, and a pose between two frames, is shown
TWEENS = 5
PLANTED = 4.0  # cm: a hand or foot that moves less between two poses stays where it is
LIMBS = (("hip", "knee", "ankle", "thigh", "shank", "ball"), ("shoulder", "elbow", "wrist", "upper", "fore", ""))
CHAIN = (
    ("hips", "waist"),
    ("waist", "belly"),
    ("belly", "ribs"),
    ("ribs", "chest"),
    ("chest", "neck"),
    ("neck", "skull"),
    ("skull", "head"),
    *(
        (a if a in ("hips", "chest") else f"{a}_{side}", f"{b}_{side}")
        for side, _ in SIDES
        for a, b in (
            ("hips", "hip"),
            ("hip", "knee"),
            ("knee", "ankle"),
            ("ankle", "ball"),
            ("chest", "shoulder"),
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
        )
    ),
)


def blend(a: Solved, b: Solved, share: float) -> Solved:
    """Return the body between two poses: directions are blended, and the bones keep their lengths."""
    first, last = a.body, b.body
    frames = {name: _between_frames(first.frames[name], last.frames[name], share) for name in first.frames}
    joints: dict[str, Vector] = {"hips": between(first.joints["hips"], last.joints["hips"], share)}
    for parent, child in CHAIN:
        straight = [between(first.joints[name], last.joints[name], share) for name in (parent, child)]
        way = add(straight[1], straight[0], -1)
        joints[child] = add(joints[parent], unit(way), math.dist(first.joints[parent], first.joints[child]))
    blended = Skeleton(joints, frames, {}, last.pose, last.scale)
    for top, middle, end, upper, lower, tip in LIMBS:
        for side, _ in SIDES:
            at, there = first.joints[f"{end}_{side}"], last.joints[f"{end}_{side}"]
            if math.dist(at, there) < PLANTED:
                names = (f"{top}_{side}", f"{middle}_{side}", f"{end}_{side}")
                _plant(blended, names, between(at, there, share), (f"{upper}_{side}", f"{lower}_{side}"))
                if tip:
                    ball, foot = f"{tip}_{side}", frames[f"foot_{side}"]
                    joints[ball] = foot.at(joints[names[2]], BALL_AHEAD * last.scale, -ANKLE_HEIGHT * last.scale, 0)
    return Solved(blended, b.person, {})


def _plant(body: Skeleton, names: tuple[str, str, str], goal: Vector, segments: tuple[str, str]) -> None:
    """Bend a limb anew so that a hand or foot that stays on the ground in both poses stays there in between."""
    joints, (top, middle, end) = body.joints, names
    upper, lower = math.dist(joints[top], joints[middle]), math.dist(joints[middle], joints[end])
    pole = add(joints[middle], between(joints[top], joints[end], 0.5), -1)
    joints[middle], joints[end], _ = bend(joints[top], goal, upper, lower, pole)
    for name, high, low in ((segments[0], top, middle), (segments[1], middle, end)):
        body.frames[name] = frame_along(joints[high], joints[low], body.frames[name].right)


def _between_frames(a: Frame, b: Frame, share: float) -> Frame:
    up = unit(between(a.up, b.up, share))
    right = across(between(a.right, b.right, share), up)
    return Frame(cross(up, right), up, right)


def motion_svg(stage: Stage) -> str:
    """Return the drawing in motion. Raises ValueError if its frames do not follow each other."""
    loop = stage.drawing.loop
    if not loop:
        raise ValueError(f"{stage.drawing.code} has no order of motion")
    shown: list[tuple[str, float]] = []
    there_and_back = len(loop) < 3
    steady = stage.drawing.frames[0].pose.moving
    for now, after in zip(loop, (*loop[1:], loop[0]), strict=True):
        shown.append((stage.plain_frame(stage.solved[now], now), 0.12 if steady else HOLD_S))
        tweens = 1 if steady else TWEENS
        for step in range(1, tweens + 1):
            share = step / (tweens + 1)
            body = blend(stage.solved[now], stage.solved[after], share * share * (3 - 2 * share))
            shown.append((stage.plain_frame(body, after), 0.12 if steady else MOVE_S))
    if there_and_back and not steady:  # the way back shows the same poses
        half = len(shown) // 2
        shown = shown[: half + 1]
    return _animated(stage, shown, mirrored_back=there_and_back and not steady)


def _animated(stage: Stage, shown: list[tuple[str, float]], *, mirrored_back: bool) -> str:
    """Return the poses one after the other; with `mirrored_back` also in reverse, each pose written once."""
    order = list(range(len(shown)))
    if mirrored_back:
        order += order[-2:0:-1]
    total = sum(shown[index][1] for index in order)
    spans: dict[int, list[tuple[float, float]]] = {}
    clock = 0.0
    for index in order:
        spans.setdefault(index, []).append((clock, clock + shown[index][1]))
        clock += shown[index][1]
    rules, inner = [], []
    for index, (svg, _) in enumerate(shown):
        stops = ["0%{visibility:hidden}"] if spans[index][0][0] > 0 else []
        for start, end in spans[index]:
            stops += [f"{100 * start / total:.2f}%{{visibility:visible}}"]
            if end < total - 1e-6:
                stops.append(f"{100 * end / total:.2f}%{{visibility:hidden}}")
        rules.append(
            f"@keyframes k{index}{{{''.join(stops)}}}.k{index}{{animation:k{index} {total:.2f}s step-end infinite}}"
        )
        inner.append(f'<g class="k{index}">{svg}</g>')
    css = "".join(rules)
    still = "@media print{g{animation:none!important;visibility:hidden}.k0{visibility:visible}}"
    return lone(
        stage.drawing.who, stage.box, "".join(inner), stage.drawing.name, re.sub(r"(\.\d)0%", r"\1%", css) + still
    )
