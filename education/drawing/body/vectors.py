"""Vectors in space and frames of a body segment."""

import math
from typing import NamedTuple

type Vector = tuple[float, float, float]

UP: Vector = (0.0, 1.0, 0.0)


def dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def add(a: Vector, b: Vector, times: float = 1.0) -> Vector:
    """Return a + times · b."""
    return (a[0] + times * b[0], a[1] + times * b[1], a[2] + times * b[2])


def between(a: Vector, b: Vector, share: float) -> Vector:
    """Return the point at `share` of the way from a to b."""
    return add(a, add(b, a, -1), share)


def unit(a: Vector) -> Vector:
    length = math.sqrt(dot(a, a)) or 1.0
    return (a[0] / length, a[1] / length, a[2] / length)


def across(a: Vector, axis: Vector) -> Vector:
    """Return the part of a at right angles to the unit vector `axis`, as a unit vector."""
    return unit(add(a, axis, -dot(a, axis)))


def _turn(a: Vector, b: Vector, degrees: float) -> tuple[Vector, Vector]:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return (
        (a[0] * cosine + b[0] * sine, a[1] * cosine + b[1] * sine, a[2] * cosine + b[2] * sine),
        (b[0] * cosine - a[0] * sine, b[1] * cosine - a[1] * sine, b[2] * cosine - a[2] * sine),
    )


class Frame(NamedTuple):
    """Unit vectors of a segment: ahead (its front), up (along it, towards the head) and right (the figure's right)."""

    ahead: Vector
    up: Vector
    right: Vector

    def pitched(self, degrees: float) -> "Frame":
        """Tip the top of the segment forward."""
        up, ahead = _turn(self.up, self.ahead, degrees)
        return Frame(ahead, up, self.right)

    def rolled(self, degrees: float) -> "Frame":
        """Tip the top of the segment to the figure's right."""
        up, right = _turn(self.up, self.right, degrees)
        return Frame(self.ahead, up, right)

    def turned(self, degrees: float) -> "Frame":
        """Turn the front of the segment to the figure's right."""
        ahead, right = _turn(self.ahead, self.right, degrees)
        return Frame(ahead, self.up, right)

    def at(self, origin: Vector, ahead: float, up: float, right: float) -> Vector:
        """Return the point at these distances from origin along the three axes."""
        f, u, r = self
        return (
            origin[0] + ahead * f[0] + up * u[0] + right * r[0],
            origin[1] + ahead * f[1] + up * u[1] + right * r[1],
            origin[2] + ahead * f[2] + up * u[2] + right * r[2],
        )


def frame_along(top: Vector, bottom: Vector, right: Vector) -> Frame:
    """Return the frame of a segment from top down to bottom, whose right is as near as possible to `right`."""
    up = unit(add(top, bottom, -1))
    right = across(right, up)
    return Frame(cross(up, right), up, right)


WORLD = Frame((1.0, 0.0, 0.0), UP, (0.0, 0.0, 1.0))
