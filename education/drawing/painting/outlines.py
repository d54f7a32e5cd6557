"""Camera and outlines: blobs to smooth, compact SVG path data. One unit of a picture is one millimeter."""

import math
from collections.abc import Sequence
from itertools import pairwise

from education.drawing.body.surface import Blob
from education.drawing.body.vectors import UP, Vector, add, cross, dot, unit

type Point = tuple[float, float]

UNITS = 10.0  # millimeters of a picture for each centimeter


class Camera:
    """A parallel projection: `yaw` turns about the vertical (0 from the figure's right, 90 from its front)."""

    def __init__(self, yaw: float, elevation: float = 0.0) -> None:
        a, e = math.radians(yaw), math.radians(elevation)
        back = (math.sin(a), 0.0, math.cos(a))
        self.across: Vector = (math.cos(a), 0.0, -math.sin(a))
        self.toward = unit(add((back[0] * math.cos(e), 0.0, back[2] * math.cos(e)), UP, math.sin(e)))
        self.above = cross(self.toward, self.across)
        self.tilted = elevation > 1

    def point(self, p: Vector) -> Point:
        return (UNITS * dot(p, self.across), -UNITS * dot(p, self.above))

    def depth(self, p: Vector) -> float:
        """Return how near p is to the reader."""
        return dot(p, self.toward)

    def sideways(self, normal: Point) -> Vector:
        """Return the direction in the world of a unit vector of the picture."""
        a, b = self.across, self.above
        return (
            a[0] * normal[0] - b[0] * normal[1],
            a[1] * normal[0] - b[1] * normal[1],
            a[2] * normal[0] - b[2] * normal[1],
        )

    def reach(self, blob: Blob, normal: Point) -> float:
        return UNITS * blob.reach(self.sideways(normal))

    def extreme(self, blob: Blob, normal: Point) -> Point:
        """Return the point of the blob's outline that is farthest in this direction of the picture."""
        way = self.sideways(normal)
        far = blob.reach(way) or 1.0
        point = blob.center
        for axis, ray in zip(blob.axes, blob.frame, strict=True):
            point = add(point, ray, axis * axis * dot(ray, way) / far)
        return self.point(point)


def smooth(points: Sequence[Point], *, closed: bool = True) -> str:
    """Return a smooth path along the points (a quadratic B-spline).

    Closed paths run one way round, so that overlapping ones unite. Control points are even, so that the points half-way
    between are whole numbers and the short command `t` does not drift.
    """
    turn = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, [*points[1:], points[0]], strict=True))
    ordered = list(reversed(points)) if closed and turn < 0 else list(points)
    spots = [(2 * round(x / 2), 2 * round(y / 2)) for x, y in ordered]
    spots = [spots[0], *(spot for before, spot in pairwise(spots) if spot != before)]
    if len(spots) < 3:
        return "M" + "L".join(f"{x} {y}" for x, y in spots)
    if closed:
        x, y = (spots[-1][0] + spots[0][0]) // 2, (spots[-1][1] + spots[0][1]) // 2
        corners = spots
    else:
        (x, y), corners = spots[0], spots[1:-1]
    out, numbers = f"M{x} {y}q", [corners[0][0] - x, corners[0][1] - y]
    ends = [((a[0] + b[0]) // 2, (a[1] + b[1]) // 2) for a, b in pairwise(corners)]
    for to in [*ends, (x, y) if closed else spots[-1]]:
        numbers += [to[0] - x, to[1] - y]
        x, y = to
    text = [f"{n}" if n < 0 or i in (0, 4) else f" {n}" for i, n in enumerate(numbers)]
    tail = "".join(text[4:])
    return out + "".join(text[:4]) + (f"t{tail}" if tail else "") + ("z" if closed else "")


def hull(camera: Camera, blobs: Sequence[Blob], steps: int = 16) -> list[Point]:
    """Return the outline of the convex hull of ellipsoids; long straight edges keep their ends."""
    points: list[Point] = []
    for index in range(steps):
        angle = 2 * math.pi * (index + 0.5) / steps
        normal = (math.cos(angle), math.sin(angle))
        points.append(
            max((camera.extreme(blob, normal) for blob in blobs), key=lambda p: p[0] * normal[0] + p[1] * normal[1])
        )
    out = []
    for a, b in zip(points, [*points[1:], points[0]], strict=True):
        out.append(a)
        apart = math.dist(a, b)
        if apart > 45:
            out += [(a[0] + (b[0] - a[0]) * r, a[1] + (b[1] - a[1]) * r) for r in (14 / apart, 1 - 14 / apart)]
    return out


def sides(camera: Camera, rings: Sequence[Blob]) -> tuple[list[Point], list[Point]]:
    """Return the left and the right edge of a limb through its rings."""
    spots = [camera.point(ring.center) for ring in rings]
    left, right = [], []
    for index, ring in enumerate(rings):
        a, b = spots[max(0, index - 1)], spots[min(len(spots) - 1, index + 1)]
        length = math.dist(a, b) or 1.0
        normal = (-(b[1] - a[1]) / length, (b[0] - a[0]) / length)
        half = camera.reach(ring, normal)
        x, y = spots[index]
        left.append((x + normal[0] * half, y + normal[1] * half))
        right.append((x - normal[0] * half, y - normal[1] * half))
    return left, right


def _cap(camera: Camera, rings: Sequence[Blob], edge: Point, other: Point, outward: Point, bulge: float) -> list[Point]:
    """Return the points that round an end from one edge to the other."""
    middle = ((edge[0] + other[0]) / 2, (edge[1] + other[1]) / 2)
    half = (edge[0] - middle[0], edge[1] - middle[1])
    long = bulge * math.hypot(*half)
    return [
        (middle[0] + half[0] * m + outward[0] * long * q, middle[1] + half[1] * m + outward[1] * long * q)
        for m, q in ((0.82, 0.72), (0.0, 1.12), (-0.82, 0.72))
    ]


def tube(camera: Camera, rings: Sequence[Blob], start: float = 1.0, end: float = 1.0) -> list[Point]:
    """Return the outline of a tapered limb, rounded at both ends; one that points at the reader is a hull."""
    spots = [camera.point(ring.center) for ring in rings]
    widest = UNITS * max(ring.axes[0] for ring in rings)
    if math.dist(spots[0], spots[-1]) < 0.7 * widest:
        return hull(
            camera,
            [Blob(r.center, r.frame, (r.axes[0], min(r.axes[0], r.axes[2]) * 0.9, r.axes[2])) for r in rings],
            14,
        )
    left, right = sides(camera, rings)
    ways = []
    for a, b in ((spots[1], spots[0]), (spots[-2], spots[-1])):
        length = math.dist(a, b) or 1.0
        ways.append(((b[0] - a[0]) / length, (b[1] - a[1]) / length))
    head = _cap(camera, rings, right[0], left[0], ways[0], start) if start else []
    foot = _cap(camera, rings, left[-1], right[-1], ways[1], end) if end else []
    return [*left, *foot, *reversed(right), *head]


def shade(camera: Camera, rings: Sequence[Blob], inner: float = 0.35) -> list[Point]:
    """Return the strip of a limb that lies in the shade: light comes from above and from the left."""
    left, right = sides(camera, rings)
    lit = sum((a[0] - b[0]) * -0.45 + (a[1] - b[1]) * -0.9 for a, b in zip(left, right, strict=True))
    dark, light = (right, left) if lit > 0 else (left, right)
    share = (1 - inner) / 2
    inside = [(d[0] + (o[0] - d[0]) * share, d[1] + (o[1] - d[1]) * share) for d, o in zip(dark, light, strict=True)]
    return [dark[0], *dark[1:-1:2], dark[-1], *reversed(inside[1:-1:2])]
