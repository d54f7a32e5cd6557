"""Where the coral accent lies: a soft spindle along the working muscle."""

from education.drawing.body.skeleton import Skeleton
from education.drawing.body.surface import Blob
from education.drawing.body.vectors import Frame, Vector, between
from education.drawing.painting.outlines import Camera, smooth, tube

# name: (layer that it is painted on: over the hips and thighs, the trunk or the shank; stations of (frame, joint, (ahead, up, out)), half width); in cm at 170 cm.
type Station = tuple[str, str, Vector]
MUSCLES: dict[str, tuple[str, tuple[Station, ...], float]] = {
    "quads": ("pelvis", (("thigh", "hip", (3.4, -8, 3)), ("thigh", "hip", (4.2, -20, 3)), ("thigh", "hip", (3.0, -35, 3))), 3.4),
    "hamstrings": ("pelvis", (("thigh", "hip", (-4.4, -9, 3)), ("thigh", "hip", (-3.6, -21, 3)), ("thigh", "hip", (-2.8, -35, 3))), 3.0),
    "adductors": ("pelvis", (("thigh", "hip", (0.5, -4, -4)), ("thigh", "hip", (0.5, -16, -3.6)), ("thigh", "hip", (0.2, -30, -3))), 3.0),
    "hip flexors": ("pelvis", (("pelvis", "hip", (3.0, 9, 4)), ("thigh", "hip", (3.8, -14, 4))), 3.4),
    "glutes": ("pelvis", (("pelvis", "hip", (-4.6, 9, 4)), ("pelvis", "hip", (-6.0, 1, 5)), ("thigh", "hip", (-3.6, -8, 4))), 4.6),
    "side of the hip": ("pelvis", (("pelvis", "hip", (-0.6, 9.5, 2.6)), ("pelvis", "hip", (0, 4, 3.6)), ("pelvis", "hip", (0.4, -3, 3.2))), 3.6),
    "calf": ("shank", (("shank", "knee", (-2.4, -4, 2)), ("shank", "knee", (-3.4, -13, 2)), ("shank", "knee", (-1.8, -25, 2))), 2.6),
    "shin": ("shank", (("shank", "knee", (2.2, -6, 2)), ("shank", "knee", (2.2, -15, 2)), ("shank", "knee", (1.4, -28, 2))), 1.9),
    "abdomen": ("trunk", (("ribs", "ribs", (7.4, 6, 3)), ("belly", "belly", (6.2, 2, 4)), ("pelvis", "hips", (5.4, 9, 4))), 2.8),
    "side of the trunk": ("trunk", (("ribs", "ribs", (1.5, 4, 10)), ("waist", "waist", (2, 3, 10)), ("pelvis", "hips", (1.5, 9, 11))), 3.2),
    "back": ("trunk", (("ribs", "ribs", (-6.0, 5, 3)), ("waist", "waist", (-5.4, 3, 4)), ("pelvis", "hips", (-6.4, 8, 4))), 2.4),
}  # fmt: skip


def muscle_svg(camera: Camera, body: Skeleton, names: tuple[str, ...]) -> dict[str, str]:
    """Return the marks of the named muscles ("glutes r") by the layer that they lie on."""
    out: dict[str, str] = {}
    for name in names:
        muscle, side = name[:-2], name[-1]
        layer, stations, width = MUSCLES[muscle]
        rings = [_station(body, station, side) for station in stations]
        if len(rings) == 2:  # straight between the two, however the joint is bent
            rings.insert(1, _half_way(rings[0], rings[1]))
        rings.insert(1, _half_way(rings[0], rings[1]))
        rings.insert(3, _half_way(rings[2], rings[3]))
        k = body.scale
        blobs = [
            Blob(point, frame, (width * share * k, width * share * k, width * share * k))
            for (point, frame), share in zip(rings, (0.3, 0.8, 1.0, 0.8, 0.3), strict=True)
        ]
        key = f"{layer}_{side}" if layer == "shank" else layer
        out[key] = out.get(key, "") + f'<path class="m" d="{smooth(tube(camera, blobs))}"/>'
    return out


def _station(body: Skeleton, station: Station, side: str) -> tuple[Vector, Frame]:
    name, joint, (ahead, up, right) = station
    frame = body.frames.get(name) or body.frames[f"{name}_{side}"]
    origin = body.joints.get(joint) or body.joints[f"{joint}_{side}"]
    k, sign = body.scale, (1 if side == "r" else -1)
    return frame.at(origin, ahead * k, up * k, sign * right * k), frame


def _half_way(a: tuple[Vector, Frame], b: tuple[Vector, Frame]) -> tuple[Vector, Frame]:
    return between(a[0], b[0], 0.5), b[1]
