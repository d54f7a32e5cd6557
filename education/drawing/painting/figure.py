"""Paint one figure: its segments sorted by depth, with rules for the seams where they join."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from education.drawing.body.people import Person
from education.drawing.body.proportions import LIMB_RINGS, WAISTBAND
from education.drawing.body.skeleton import SIDES, Skeleton
from education.drawing.body.surface import Blob, limb, neck, shoe, trunk
from education.drawing.body.vectors import between
from education.drawing.painting.head import head_svg
from education.drawing.painting.muscles import muscle_svg
from education.drawing.painting.outlines import UNITS, Camera, hull, shade, smooth, tube

FAR = 0.8  # a limb on the side that faces this much away from the reader is drawn in the shade
SHIRT_FROM = 3
GONE = -1e9
MOVED = 5.0  # cm


@dataclass
class Layer:
    """One segment to paint: its depth, skin, clothes and what lies on top, all as path data or SVG."""

    name: str
    depth: float
    far: bool = False
    skin: str = ""
    cloth: str = ""
    shaded: str = ""
    extra: str = ""
    sewn: list["Layer"] = field(default_factory=list)


def _path(css: str, data: str) -> str:
    return f'<path class="{css}" d="{data}"/>' if data else ""


def _faces_away(camera: Camera, body: Skeleton, segment: str, side: str) -> bool:
    return camera.depth(body.frames[segment].right) * (1 if side == "r" else -1) < -FAR


def _yoke(camera: Camera, body: Skeleton, person: Person, side: str) -> str:
    """Return the patch that melts a sleeve into the shirt at the shoulder."""
    chest, k, sign = body.frames["chest"], body.scale * person.girth, (1 if side == "r" else -1)
    joint = body.joints["shoulder_" + side]
    upper = body.frames["upper_" + side]
    sizes = (
        (joint, (6.4, 6.8, 4.8)),
        (chest.at(joint, 0.2 * k, -0.6 * k, -sign * 5.5 * k), (5.4, 5.4, 5.4)),
        (upper.at(joint, 0, -3.0 * k, 0), (4.7, 4.7, 4.7)),
    )
    blobs = [Blob(spot, upper, (a * k, u * k, r * k)) for spot, (a, u, r) in sizes]
    return smooth(hull(camera, blobs, 14))


def _seam(camera: Camera, body: Skeleton, lower: str) -> str:
    """Return the patch over the line of a knee or an elbow whose two segments are painted apart."""
    joint, half = ("knee", 4.6) if lower.startswith("shank") else ("elbow", 3.3)
    frame, k = body.frames[lower], body.scale
    spot = body.joints[f"{joint}_{lower[-1]}"]
    return smooth(hull(camera, [Blob(spot, frame, (half * k, half * k, half * k))], 10))


def _crease(camera: Camera, body: Skeleton, person: Person, side: str) -> str:
    """Return the patch that melts a thigh into the shorts at the hip."""
    hip, k = body.joints["hip_" + side], body.scale * person.girth
    thigh = body.frames["thigh_" + side]
    blobs = [Blob(thigh.at(hip, 0, up * k, 0), thigh, (size * k,) * 3) for up, size in ((1.0, 8.9), (-5.0, 7.0))]
    return smooth(hull(camera, blobs, 12))


def _hand(camera: Camera, body: Skeleton, person: Person, side: str) -> str:
    fist = getattr(body.pose, side).fist
    sign = 1 if side == "r" else -1
    frame, wrist, k = body.frames["hand_" + side], body.joints["wrist_" + side], body.scale
    palm = smooth(tube(camera, limb(body, person, "fist" if fist else "hand", side), 0.6))
    spots = ((2.6, -4.0, -2.0), (2.0, -7.0, -3.2)) if fist else ((2.4, -3.4, -0.6), (3.7, -8.4, -2.0))
    thumb = [Blob(frame.at(wrist, a * k, u * k, sign * r * k), frame, (1.3 * k, 1.3 * k, 1.2 * k)) for a, u, r in spots]
    return palm + smooth(hull(camera, thumb, 8))


def _shoe_svg(camera: Camera, body: Skeleton, side: str) -> str:
    upper, sole = shoe(body, side)
    bent = body.frames["toes_" + side] != body.frames["foot_" + side]
    back, front = ("heel", "collar", "instep", "ball"), ("ball", "toe")
    groups = (back, front) if bent else ((*back, "toe"),)
    top = "".join(smooth(hull(camera, [upper[name] for name in names], 14)) for names in groups)
    low = (("heel", "ball"), ("ball", "toe")) if bent else (("heel", "ball", "toe"),)
    base = "".join(smooth(hull(camera, [sole[name] for name in names], 12)) for names in low)
    shank, ankle, k = body.frames["shank_" + side], body.joints["ankle_" + side], body.scale
    sock = [Blob(shank.at(ankle, 0, up * k, 0), shank, (3.5 * k, 1.0, 3.5 * k)) for up in (4.6, -2.0)]
    return _path("k", smooth(tube(camera, sock, 0.35))) + _path("b", top) + _path("w", base)


def _leg(camera: Camera, body: Skeleton, person: Person, side: str) -> list[Layer]:
    joints, near = body.joints, camera.depth
    far = _faces_away(camera, body, "pelvis", side)
    thigh, shank = limb(body, person, "thigh", side), limb(body, person, "shank", side)
    short = limb(body, person, "thigh", side, person.shorts, 0.8)
    middle = near(between(joints["hip_" + side], joints["knee_" + side], 0.55))
    low = near(between(joints["knee_" + side], joints["ankle_" + side], 0.5))
    shown = [ring for ring, share in zip(thigh, LIMB_RINGS["thigh"], strict=True) if share.along > person.shorts - 0.3]
    upper = Layer(
        "thigh_" + side, middle, far, smooth(tube(camera, shown, 0.2)), smooth(tube(camera, short, 1.0, 0.15))
    )
    upper.shaded = smooth(shade(camera, shown)) if len(shown) > 3 else ""
    lower = Layer("shank_" + side, low, far, smooth(tube(camera, shank)))
    lower.shaded = smooth(shade(camera, shank))
    lower.extra = _shoe_svg(camera, body, side)
    return [upper, lower]


def _arm(camera: Camera, body: Skeleton, person: Person, side: str) -> list[Layer]:
    joints, near = body.joints, camera.depth
    far = _faces_away(camera, body, "chest", side)
    upper, fore = limb(body, person, "upper", side), limb(body, person, "fore", side)
    sleeve = limb(body, person, "upper", side, person.sleeve, 0.7) if person.sleeve > 0.25 else []
    top = Layer("upper_" + side, near(between(joints["shoulder_" + side], joints["elbow_" + side], 0.55)), far)
    top.skin, top.shaded = smooth(tube(camera, upper)), smooth(shade(camera, upper))
    top.cloth = smooth(tube(camera, sleeve, 1.0, 0.12)) if sleeve else ""
    if sleeve and not far:
        top.extra = _path("y", _yoke(camera, body, person, side))
    low = Layer("fore_" + side, near(between(joints["elbow_" + side], joints["wrist_" + side], 0.6)), far)
    low.skin, low.shaded = smooth(tube(camera, fore)) + _hand(camera, body, person, side), smooth(shade(camera, fore))
    return [top, low]


def _paint(layer: Layer, cloth: str) -> str:
    """Return the SVG of a layer; layers sewn to it share one outline, so that joints show no line."""
    tone = "f" if layer.far else ""
    every = [layer, *layer.sewn]
    skin = "".join(one.skin for one in every)
    out = _path("s" + tone, skin)
    if not layer.far:
        out += _path("d", "".join(one.shaded for one in every))
    out += "".join(one.extra for one in every if one.name.startswith("shank"))
    out += _path(cloth + tone, "".join(one.cloth for one in every))
    return out + "".join(one.extra for one in every if not one.name.startswith("shank"))


def figure_svg(
    camera: Camera,
    body: Skeleton,
    person: Person,
    muscles: tuple[str, ...] = (),
    over: dict[str, float] | None = None,
    among: Sequence[tuple[float, str]] = (),
) -> str:
    """Return one figure as SVG, far segments first.

    `over` moves a segment nearer (or farther), in cm; `among` are things between the limbs, with their depth.
    """
    over, marks = over or {}, muscle_svg(camera, body, muscles)
    limbs = _limbs(camera, body, person, over)
    hips = camera.depth(body.joints["hips"])
    sewn = [part for part in limbs if part.name.startswith("thigh") and not part.far and abs(part.depth - hips) < 14]
    shorts = smooth(tube(camera, trunk(body, person, 0, WAISTBAND + 1, 0.7), 0.5, 0.1))
    shorts += "".join(part.cloth for part in sewn)
    for part in limbs:
        if part in sewn:
            part.cloth = ""
        elif part.name.startswith("thigh") and not part.far:
            part.extra += _path("v", _crease(camera, body, person, part.name[-1]))
    core = _trunk_layers(camera, body, person, over, marks)
    _sew(camera, body, limbs, [depth for depth, _ in core])
    shown = [part for part in limbs if part.depth > GONE]
    top = max([hips, *(part.depth for part in shown if any(one in sewn for one in (part, *part.sewn)))]) + 0.02
    legs = [part.depth for part in shown if part.name.startswith(("thigh", "shank")) and not part.far]
    layers = [*among, *core, (top, _path("p", shorts)), (max([top, *legs]) + 0.02, marks.get("pelvis", ""))]
    for part in shown:
        svg = _paint(part, "p" if part.name.startswith(("thigh", "shank")) else "t")
        layers.append((part.depth, svg + marks.get(part.name, "")))
    return "".join(svg for _, svg in sorted(layers, key=lambda item: item[0]))


def hands_svg(camera: Camera, body: Skeleton, person: Person) -> str:
    """Return only the forearms and hands, for one who reaches over something from behind it."""
    return "".join(_paint(_arm(camera, body, person, side)[1], "t") for side, _ in SIDES)


def _limbs(camera: Camera, body: Skeleton, person: Person, over: dict[str, float]) -> list[Layer]:
    """Return upper and lower segment of each leg and arm, in pairs; arms beside the body lie before it."""
    hips, chest = camera.depth(body.joints["hips"]), camera.depth(body.joints["chest"])
    limbs = [
        part for side, _ in SIDES for part in (_leg(camera, body, person, side) + _arm(camera, body, person, side))
    ]
    for part in limbs:
        middle = hips if part.name.startswith(("thigh", "shank")) else chest
        if not part.far and part.name.startswith(("upper", "fore")) and part.depth > middle - 6:
            part.depth = max(part.depth, middle + 4)
        part.depth += over.get(part.name, 0.0)
    return limbs


def _trunk_layers(
    camera: Camera, body: Skeleton, person: Person, over: dict[str, float], marks: dict[str, str]
) -> list[tuple[float, str]]:
    """Return neck, shirt and head with their depth."""
    chest = camera.depth(body.joints["chest"])
    shirt = [*trunk(body, person, SHIRT_FROM, WAISTBAND, -0.6), *trunk(body, person, WAISTBAND, ease=0.4)]
    cloth = _path("t", smooth(tube(camera, shirt, 0.12, 0.25))) + _path("d", smooth(shade(camera, shirt[1:8], 0.45)))
    at = chest + over.get("chest", 0.0)
    top = max(chest, camera.depth(body.joints["head"])) + 1 + over.get("head", 0.0)
    return [
        (at, _path("s", smooth(tube(camera, neck(body, person))))),
        (at + 0.01, cloth + marks.get("trunk", "")),
        (top, head_svg(camera, body, person)),
    ]


def _sew(camera: Camera, body: Skeleton, limbs: list[Layer], core: list[float]) -> None:
    """Join each limb's two segments into one outline, unless the trunk lies between them: then patch the joint."""
    for upper, lower in zip(limbs[::2], limbs[1::2], strict=True):
        low, high = sorted((upper.depth, lower.depth))
        if high - low < 14 or not any(low < depth < high for depth in core):
            lower.sewn.append(upper)
            lower.depth, upper.depth = high, GONE
        else:
            seam = upper if upper.depth > lower.depth else lower
            seam.extra += _path("u" + ("f" if seam.far else ""), _seam(camera, body, lower.name))


def trace_svg(camera: Camera, before: Skeleton, now: Skeleton, person: Person) -> str:
    """Return the limbs that have moved since an earlier pose as soft strokes where they were."""

    def moved(*joints: str) -> bool:
        return any(math.dist(before.joints[joint], now.joints[joint]) > MOVED for joint in joints)

    def stroke(width: float, *joints: str) -> str:
        points = [camera.point(before.joints[joint]) for joint in joints]
        line = "L".join(f"{x:.0f} {y:.0f}" for x, y in points)
        return f'<path class="g" stroke-width="{UNITS * width * person.girth * now.scale:.0f}" d="M{line}"/>'

    out = ""
    if moved("chest"):  # the whole body: an arrow says it better
        return out
    for side, _ in SIDES:
        if moved("knee_" + side, "ankle_" + side):
            out += stroke(12.5, "hip_" + side, "knee_" + side) + stroke(8.5, "knee_" + side, "ankle_" + side)
        if moved("elbow_" + side, "wrist_" + side):
            out += stroke(8, "shoulder_" + side, "elbow_" + side) + stroke(6, "elbow_" + side, "wrist_" + side)
    return out
