"""The head: a face, an ear and a cut of hair, drawn for four directions and set on the projected skull."""

import math

from education.drawing.body.people import Person
from education.drawing.body.skeleton import Skeleton
from education.drawing.body.vectors import Vector, add, dot, unit
from education.drawing.painting.outlines import UNITS, Camera, Point, smooth

type Art = tuple[tuple[float, float], ...]

# Points are cm from the middle of the head at 170 cm: towards the face (or the figure's right), and up.
FACE: dict[str, Art] = {
    "profile": (
        (2, 9.8), (6.2, 8.6), (8.3, 5.6), (8.9, 3.4), (8.5, 1.4), (9.2, -0.2), (10.6, -2.4), (11.0, -3.3), (9.3, -4.0),
        (9.2, -4.7), (9.7, -5.6), (9.0, -6.3), (9.3, -7.2), (8.5, -8.2), (8.8, -9.8), (7.6, -11.2), (5.4, -11.2),
        (1.6, -9.4), (-1.6, -7.2), (-4.4, -6.8), (-6, -2), (-5, 6),
    ),
    "turned": (
        (1, 10), (5.4, 8.8), (7.4, 5.4), (7.5, 2.6), (7.1, 0.9), (7.8, -1.6), (7.3, -4.2), (6.7, -7.4), (5.2, -10.4),
        (3.2, -11.3), (0.8, -10.6), (-3.4, -7.6), (-5.2, -3.2), (-6.6, 1), (-4, 8),
    ),
    "front": (
        (0, 10.4), (5.2, 8.8), (7.1, 4), (7.1, -1), (6.4, -5.6), (4.3, -9.4), (1.9, -11.2), (-1.9, -11.2), (-4.3, -9.4),
        (-6.4, -5.6), (-7.1, -1), (-7.1, 4), (-5.2, 8.8),
    ),
}  # fmt: skip
FACE["back"] = tuple((x, min(y, 2.0) if y > 2 else y) for x, y in FACE["front"])
EAR: dict[str, tuple[tuple[float, float], ...]] = {
    "profile": ((-1.5, -1.2),),
    "turned": ((-4.9, -1.4),),
    "front": ((-7.4, -1), (7.4, -1)),
    "back": ((-7.4, -1), (7.4, -1)),
}
EYES = {"profile": ((6.9, 0.9),), "turned": ((5.4, 0.7), (1.3, 0.7)), "front": ((-2.9, 0.5), (2.9, 0.5)), "back": ()}
LINES: dict[str, tuple[Art, ...]] = {  # brows, nose and mouth
    "profile": (((5.6, 3.2), (7, 3.8), (8.2, 3.1)), ((9.1, -6.2), (8.2, -6.4), (7.3, -5.9))),
    "turned": (
        ((4.3, 3.1), (5.6, 3.6), (6.7, 2.9)), ((0, 3.0), (1.4, 3.7), (2.7, 3.2)), ((4.3, 0.4), (5.6, -3.2), (3.9, -3.4)),
        ((2.2, -6.1), (3.8, -7), (5.5, -6.0)),
    ),
    "front": (
        ((-4.3, 2.9), (-2.9, 3.6), (-1.6, 3.1)), ((4.3, 2.9), (2.9, 3.6), (1.6, 3.1)), ((-0.9, -3.2), (0, -3.8), (0.9, -3.2)),
        ((-2.2, -6.1), (0, -7.4), (2.2, -6.1)),
    ),
    "back": (),
}  # fmt: skip

_CROWN_PROFILE: Art = (
    (7.2, 7.2), (6.6, 9.4), (3.4, 11.6), (-1.5, 12), (-6.6, 10.6), (-9.8, 6.8), (-10.6, 2.2), (-9.8, -2.2), (-8.2, -5),
    (-5.6, -5.6), (-3.6, -3.8), (-3.3, -0.6), (-2.4, 1.4), (-0.6, 1.2), (0.3, -1.6), (1.6, -1.4), (1.9, 2), (3.4, 5),
    (5.6, 6.2),
)  # fmt: skip
_CROWN_TURNED: Art = (
    (6.9, 6.4), (6.7, 9.2), (3.6, 11.7), (-1.4, 12), (-6.2, 10.4), (-8.9, 6.4), (-9.2, 1.6), (-8.2, -3.4), (-6.4, -5.2),
    (-5.6, -3), (-5.4, 0.8), (-4.2, 1.2), (-3.7, -1), (-2.9, 2), (-1.6, 5.2), (2, 6.9), (5, 6.6),
)  # fmt: skip
_CROWN_FRONT: Art = (
    (7.5, 0.8), (8.1, 4.4), (7.4, 8.4), (4.4, 11.4), (0, 12.2), (-4.4, 11.4), (-7.4, 8.4), (-8.1, 4.4), (-7.5, 0.8),
    (-6.8, 4.2), (-5.2, 6.6), (-1.5, 7.2), (2.5, 7), (5.4, 6.2), (6.8, 4.2),
)  # fmt: skip
_BACK: Art = (
    (8, 3), (7.4, 8.4), (4.4, 11.4), (0, 12.2), (-4.4, 11.4), (-7.4, 8.4), (-8, 3), (-7.4, -2), (-6, -5.4), (-3, -6.6),
    (3, -6.6), (6, -5.4), (7.4, -2),
)  # fmt: skip
HAIR: dict[str, dict[str, tuple[Art, ...]]] = {
    "short": {"profile": (_CROWN_PROFILE,), "turned": (_CROWN_TURNED,), "front": (_CROWN_FRONT,), "back": (_BACK,)},
    "bob": {
        "profile": (
            (
                (7.4, 6.6), (6.8, 9.6), (3.4, 12), (-1.5, 12.4), (-7, 10.8), (-10.6, 6.8), (-11.4, 1.4), (-11, -4.6), (-8.8, -8.4),
                (-4.4, -8.8), (-0.6, -7.8), (0.8, -5), (0.6, -1), (1.6, 2.4), (3.4, 4.8), (5.6, 6),
            ),
        ),
        "turned": (
            (
                (7.2, 5.2), (7, 9.4), (3.6, 12), (-1.4, 12.4), (-6.8, 10.8), (-9.8, 6.4), (-10.2, 0.6), (-9.6, -5), (-7.6, -8.8),
                (-4.6, -8.2), (-3.6, -4), (-3.8, 0), (-2.6, 3.6), (1, 6.6), (4.6, 6.2),
            ),
        ),
        "front": (
            (
                (6.4, -7), (8.4, -6), (8.9, 0), (8.6, 5), (7.4, 9), (4.4, 11.8), (0, 12.6), (-4.4, 11.8), (-7.4, 9), (-8.6, 5),
                (-8.9, 0), (-8.4, -6), (-6.4, -7), (-6.2, -1), (-6, 3.4), (-3, 6.4), (2, 7), (5, 5), (6.2, 2),
            ),
        ),
        "back": (
            (
                (8.6, 3), (7.6, 8.6), (4.4, 11.8), (0, 12.6), (-4.4, 11.8), (-7.6, 8.6), (-8.6, 3), (-8.8, -4), (-7.4, -8.4),
                (7.4, -8.4), (8.8, -4),
            ),
        ),
    },
}  # fmt: skip
BUN = {"profile": (-10.9, 5.6), "turned": (-8.4, 7.4), "front": (0, 13), "back": (0, 6)}
TAIL = {"profile": (-9.6, 6), "turned": (-8.2, 6.4), "front": (-3, 11), "back": (0, 5)}


class HeadArt:
    """A similarity of the plane that sets the drawn head on the skull, and the direction from which it is drawn."""

    def __init__(self, camera: Camera, body: Skeleton) -> None:
        frame = body.frames["head"]
        up = (dot(frame.up, camera.across), -dot(frame.up, camera.above))
        long = math.hypot(*up) or 1.0
        up = (up[0] / long, up[1] / long)
        aside = (-up[1], up[0])
        ahead = (dot(frame.ahead, camera.across), -dot(frame.ahead, camera.above))
        over = ahead[0] * aside[0] + ahead[1] * aside[1]
        faced = math.degrees(math.atan2(camera.depth(frame.ahead), abs(over)))
        self.view = "profile" if abs(faced) < 27 else "turned" if 0 < faced < 63 else "front" if faced > 0 else "back"
        self.sign = 1 if over >= 0 else -1
        self.center, self.up, self.aside = camera.point(body.joints["head"]), up, aside
        self.size = UNITS * body.scale

    def point(self, spot: tuple[float, float]) -> Point:
        x, y = self.sign * spot[0] * self.size, spot[1] * self.size
        return (
            self.center[0] + x * self.aside[0] + y * self.up[0],
            self.center[1] + x * self.aside[1] + y * self.up[1],
        )

    def path(self, art: Art, *, closed: bool = True) -> str:
        return smooth([self.point(spot) for spot in art], closed=closed)

    def disc(self, spot: tuple[float, float], radius: float, css: str, narrow: float = 1.0) -> str:
        ring = [(math.cos(a * math.pi / 4), math.sin(a * math.pi / 4)) for a in range(8)]
        return f'<path class="{css}" d="{self.path(tuple((spot[0] + narrow * radius * x, spot[1] + radius * y) for x, y in ring))}"/>'


def head_svg(camera: Camera, body: Skeleton, person: Person) -> str:
    """Return the head as SVG, from the back hair to the eyes."""
    art = HeadArt(camera, body)
    view = art.view
    behind, before = "", ""
    if person.cut == "bun":
        behind = art.disc(BUN[view], 4.3, "h")
    elif person.cut == "ponytail":
        behind = f'<path class="h" d="{smooth(_tail(camera, body, art))}"/>'
    if view == "back":
        behind, before = "", behind
    cut = HAIR.get(person.cut, HAIR["short"])
    hair = "".join(art.path(piece) for piece in cut[view])
    ears = "" if person.cut == "bob" else "".join(art.disc(spot, 2.3, "s", 0.62) for spot in EAR[view])
    eyes = "".join(art.disc(spot, 0.95, "x", 0.72) for spot in EYES[view])
    lines = "".join(art.path(line, closed=False) for line in LINES[view])
    face = f'<path class="s" d="{art.path(FACE[view])}"/>'
    lined = f'<path class="l" d="{lines}"/>' if lines else ""
    outer, inner = ("", ears) if view in ("profile", "turned") else (ears, "")
    return f'{behind}{outer}{face}<path class="h" d="{hair}"/>{inner}{lined}{eyes}{before}'


def _tail(camera: Camera, body: Skeleton, art: HeadArt) -> list[Point]:
    """Return the outline of a ponytail that leaves the back of the head and falls."""
    frame, k = body.frames["head"], body.scale
    root = frame.at(body.joints["head"], -9.4 * k, 5 * k, 0)
    back = (-frame.ahead[0], -frame.ahead[1], -frame.ahead[2])
    swing: Vector = add(back, (0.0, -1.0, 0.0), 1.1) if body.pose.moving else add(back, (0.0, -1.0, 0.0), 2.2)
    spots = [root, add(root, back, 3.4 * k)]
    for long in (5.5, 6.0):
        spots.append(add(spots[-1], unit(swing), long * k))
    flat = [camera.point(spot) for spot in spots]
    if art.view != "profile":
        flat[0] = art.point(TAIL[art.view])
    left, right = [], []
    for index, half in enumerate((14, 25, 27, 8)):
        a, b = flat[max(0, index - 1)], flat[min(3, index + 1)]
        long = math.dist(a, b) or 1.0
        normal = (-(b[1] - a[1]) / long * half * k, (b[0] - a[0]) / long * half * k)
        left.append((flat[index][0] + normal[0], flat[index][1] + normal[1]))
        right.append((flat[index][0] - normal[0], flat[index][1] - normal[1]))
    return [*left, *reversed(right)]
