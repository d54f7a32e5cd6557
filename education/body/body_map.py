"""The regions of the drawing `templates/education/_body_map.html`: ellipses, by answer code. Pure.

The left figure is seen from the front, the right one from the back. Regions do not distinguish left from right, which
is a separate question.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spot:
    """An ellipse in the drawing's units: center (`x`, `y`), and radii `width` and `height`.

    `left` and `top` are the corner of its bounding box, which is the touch target.
    """

    x: int
    y: int
    width: int
    height: int

    @property
    def left(self) -> int:
        return self.x - self.width

    @property
    def top(self) -> int:
        return self.y - self.height


@dataclass(frozen=True, slots=True)
class Region:
    """A body site on the drawing: its number there and in the list, and the ID of the input that a tap selects."""

    code: str
    number: int
    box_id: str
    spots: tuple[Spot, ...]


FRONT_AXIS, BACK_AXIS = 90, 270


def _both(axis: int, away: int, y: int, width: int, height: int) -> tuple[Spot, Spot]:
    return Spot(axis - away, y, width, height), Spot(axis + away, y, width, height)


SPOTS: dict[str, tuple[Spot, ...]] = {
    "front-hip": _both(FRONT_AXIS, 27, 112, 12, 14),
    "groin": _both(FRONT_AXIS, 13, 142, 9, 11),
    "pubic": (Spot(FRONT_AXIS, 118, 11, 9),),
    "outer-hip": _both(FRONT_AXIS, 44, 140, 8, 15),
    "inner-thigh": _both(FRONT_AXIS, 11, 184, 8, 22),
    "front-thigh": _both(FRONT_AXIS, 34, 186, 12, 32),
    "knee": _both(FRONT_AXIS, 27, 246, 14, 14),
    "shin": _both(FRONT_AXIS, 26, 300, 10, 28),
    "foot": _both(FRONT_AXIS, 33, 363, 15, 9),
    "low-back": (Spot(BACK_AXIS, 72, 28, 22),),
    "buttock": _both(BACK_AXIS, 22, 130, 19, 20),
    "back-thigh": _both(BACK_AXIS, 27, 196, 15, 34),
    "calf": _both(BACK_AXIS, 27, 292, 13, 30),
}


def place_regions(boxes: Iterable[tuple[str, str]]) -> list[Region]:
    """Return the regions for `boxes`, the (code, ID) of each input, numbered in their order.

    Codes without a region are omitted.
    """
    drawn = [box for box in boxes if box[0] in SPOTS]
    return [Region(code, number, box_id, SPOTS[code]) for number, (code, box_id) in enumerate(drawn, 1)]
