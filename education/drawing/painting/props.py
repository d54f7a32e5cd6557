"""Things that a figure stands on, holds or stretches, as blocks, balls, bands and weights."""

import math
from dataclasses import dataclass, field
from itertools import pairwise

from education.drawing.body.skeleton import Skeleton
from education.drawing.body.surface import Blob
from education.drawing.body.vectors import UP, WORLD, Vector, add
from education.drawing.painting.outlines import UNITS, Camera, Point, hull, smooth

type Spot = Vector | tuple[str, float, float, float]


@dataclass(frozen=True)
class Block:
    """A box between two corners, in cm. `solid` blocks may not be entered by the body."""

    low: Vector
    high: Vector
    solid: bool = True

    def corners(self) -> list[Vector]:
        return [
            (x, y, z)
            for x in (self.low[0], self.high[0])
            for y in (self.low[1], self.high[1])
            for z in (self.low[2], self.high[2])
        ]

    def is_thin(self) -> bool:
        return self.high[2] - self.low[2] < 4

    def svg(self, camera: Camera) -> str:
        """Return its visible faces; those that look along x are darker."""
        dark, light = "", ""
        for axis in (0, 2, 1):
            toward = camera.toward[axis]
            if abs(toward) < 0.02 or (abs(toward) < 0.3 and self.is_thin()):
                continue
            fixed = self.high[axis] if toward > 0 else self.low[axis]
            a, b = [other for other in range(3) if other != axis]
            ring = []
            for first, second in ((0, 0), (1, 0), (1, 1), (0, 1)):
                point = [0.0, 0.0, 0.0]
                point[axis] = fixed
                point[a] = (self.low, self.high)[first][a]
                point[b] = (self.low, self.high)[second][b]
                ring.append(camera.point((point[0], point[1], point[2])))
            if axis == 0:
                dark = _polygon(ring)
            else:
                light += _polygon(ring)
        return "".join(f'<path class="{css}" d="{data}"/>' for css, data in (("q", dark), ("r", light)) if data)


def _polygon(points: list[Point]) -> str:
    spots = [(round(x), round(y)) for x, y in points]
    steps = (f"{b[0] - a[0]} {b[1] - a[1]}" for a, b in pairwise(spots))
    return f"M{spots[0][0]} {spots[0][1]}l{' '.join(steps)}z".replace(" -", "-")


@dataclass(frozen=True)
class Ball:
    """A ball: center and radius in cm."""

    center: Spot
    radius: float


@dataclass(frozen=True)
class Band:
    """A loop of elastic band around two limbs or from a limb to the world; `round` are the limbs' radii in cm."""

    start: Spot
    end: Spot
    round: tuple[float, float] = (4.5, 4.5)


@dataclass(frozen=True)
class Weight:
    """A dumbbell in a hand, or a kettlebell that hangs from a spot."""

    kind: str
    spot: Spot
    side: str = "r"


@dataclass(frozen=True)
class Mat:
    """A mat on the floor from x to x and from z to z, in cm."""

    left: float
    right: float
    back: float = -34.0
    front: float = 38.0


type Prop = Block | Ball | Band | Weight | Mat


@dataclass
class Drawn:
    """What of the props lies behind the figure, before it or among its limbs (with its depth), and the points that a picture must hold."""

    behind: str = ""
    before: str = ""
    among: list[tuple[float, str]] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)


def chair(x: float, seat: float = 44.0, width: float = 42.0, depth: float = 40.0) -> tuple[Block, ...]:
    """Return a chair that faces +x, its back at x."""
    z = width / 2
    legs = [
        Block((lx, 0, lz - 1.6), (lx + 3.2, seat - 3, lz + 1.6), solid=False)
        for lx in (x + 1, x + depth - 4)
        for lz in (-z + 3, z - 3)
    ]
    back = Block((x - 1, seat - 3, -z), (x + 2.4, seat + 42, z), solid=False)
    return (*legs, back, Block((x, seat - 4, -z), (x + depth, seat, z)))


def bench(x: float, long: float = 44.0, top: float = 42.0, z: tuple[float, float] = (-16.0, 16.0)) -> tuple[Block, ...]:
    """Return a bench from x on."""
    z_leg = z[1] - 3
    legs = [Block((lx, 0, z_leg - 1.8), (lx + 3.6, top - 4, z_leg + 1.8), solid=False) for lx in (x + 3, x + long - 7)]
    return (*legs, Block((x, top - 6, z[0]), (x + long, top, z[1])))


def step(x: float, long: float, top: float, z: tuple[float, float] = (-24.0, 24.0)) -> Block:
    return Block((x, 0, z[0]), (x + long, top, z[1]))


def wall(x: float, top: float = 185.0, z: tuple[float, float] = (-30.0, 30.0)) -> Block:
    """Return a wall whose face stands at x, to the right of the figure."""
    return Block((x, 0, z[0]), (x + 7, top, z[1]))


def draw_props(camera: Camera, body: Skeleton, props: tuple[Prop, ...]) -> Drawn:
    """Return the props as SVG behind and before the figure."""
    out = Drawn()
    for prop in props:
        if isinstance(prop, Block):
            out.behind += prop.svg(camera)
            out.points += [camera.point(corner) for corner in prop.corners()]
        elif isinstance(prop, Mat):
            _draw_mat(camera, prop, out)
        elif isinstance(prop, Ball):
            center, r = body.place(prop.center), prop.radius
            shape = Blob(center, WORLD, (r, r, r))
            svg = f'<path class="ba" d="{smooth(hull(camera, [shape], 16))}"/>'
            out.among.append((camera.depth(center), svg))
            x, y = camera.point(center)
            out.points += [(x - r * UNITS, y - r * UNITS), (x + r * UNITS, y + r * UNITS)]
        elif isinstance(prop, Band):
            _draw_band(camera, body, prop, out)
        else:
            _draw_weight(camera, body, prop, out)
    return out


def _draw_mat(camera: Camera, mat: Mat, out: Drawn) -> None:
    if camera.tilted:
        ring = [
            camera.point((x, 0, z))
            for x, z in ((mat.left, mat.back), (mat.right, mat.back), (mat.right, mat.front), (mat.left, mat.front))
        ]
        out.behind += f'<path class="q" d="{_polygon(ring)}"/>'
        out.points += ring
    else:
        out.behind += Block((mat.left, -2.2, mat.back), (mat.right, 0, mat.front)).svg(camera)
        out.points += [camera.point((x, -2.2, z)) for x in (mat.left, mat.right) for z in (mat.back, mat.front)]


def _draw_band(camera: Camera, body: Skeleton, band: Band, out: Drawn) -> None:
    a, b = camera.point(body.place(band.start)), camera.point(body.place(band.end))
    apart = math.dist(a, b) or 1.0
    way = ((b[0] - a[0]) / apart, (b[1] - a[1]) / apart)
    start = (a[0] - way[0] * band.round[0] * UNITS, a[1] - way[1] * band.round[0] * UNITS)
    end = (b[0] + way[0] * band.round[1] * UNITS, b[1] + way[1] * band.round[1] * UNITS)
    line = f"M{start[0]:.0f} {start[1]:.0f}L{end[0]:.0f} {end[1]:.0f}"
    slack = f"M{start[0]:.0f} {start[1] + 14:.0f}L{end[0]:.0f} {end[1] + 14:.0f}"
    out.behind += f'<path class="j" d="{slack}"/>'
    out.before += f'<path class="f" d="{line}"/>'
    out.points += [start, end]


def _draw_weight(camera: Camera, body: Skeleton, weight: Weight, out: Drawn) -> None:
    spot, k = body.place(weight.spot), body.scale
    if weight.kind == "dumbbell":
        frame = body.frames["hand_" + weight.side]
        ends = []
        for sign in (-1, 1):
            middle = add(spot, frame.ahead, sign * 7.5 * k)
            plates = [Blob(add(middle, frame.ahead, sign * d), frame, (0.4, 5.0 * k, 5.0 * k)) for d in (-1.6, 1.6)]
            ends.append(smooth(hull(camera, plates, 14)))
        bar = hull(camera, [Blob(add(spot, frame.ahead, d * k), frame, (0.5, 1.3, 1.3)) for d in (-7, 7)], 10)
        svg, size = f'<path class="b" d="{smooth(bar)}{"".join(ends)}"/>', 12
    else:
        low = add(spot, UP, -12 * k)
        bell = Blob(low, WORLD, (7.5 * k, 7.0 * k, 7.5 * k))
        x, y = camera.point(spot)
        reach = 52 * k
        handle = f"M{x - reach:.0f} {y + 80 * k:.0f}Q{x - reach:.0f} {y:.0f} {x:.0f} {y - 4 * k:.0f}T{x + reach:.0f} {y + 80 * k:.0f}"
        svg, size = f'<path class="i" d="{handle}"/><path class="b" d="{smooth(hull(camera, [bell], 16))}"/>', 20
    out.among.append((camera.depth(spot) + 3, svg))
    x, y = camera.point(spot)
    out.points += [(x - size * UNITS, y - size * UNITS), (x + size * UNITS, y + size * UNITS)]
