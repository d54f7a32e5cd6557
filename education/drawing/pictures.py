"""A drawing of several frames: what each shows, and each frame as one small SVG in a common, tight picture."""

import math
import re
from dataclasses import dataclass, field
from html import escape

from education.drawing.body.people import PEOPLE, Person
from education.drawing.body.skeleton import Pose
from education.drawing.body.solving import Solved, solve
from education.drawing.body.surface import parts
from education.drawing.painting.figure import figure_svg, hands_svg, trace_svg
from education.drawing.painting.outlines import UNITS, Camera, Point
from education.drawing.painting.palette import other_person, style
from education.drawing.painting.props import Prop, Spot, draw_props

MARGIN = 70
CLASS = re.compile(r'class="(\w+)"')


@dataclass(frozen=True)
class Arrow:
    """A movement: from where a joint was in the earlier pose to where it is, both moved by (right, up) in the picture.

    `start` and `end` are the shares of the way that are drawn; `by` replaces the earlier pose by a way of its own.
    """

    joint: str
    beside: Point = (0.0, 0.0)
    bow: float = 0.0
    start: float = 0.08
    end: float = 0.92
    by: Point | None = None


@dataclass(frozen=True)
class Frame:
    """One still: what to do, the pose, the working muscles, arrows, and lines such as the pelvis.

    `ghost` shows an earlier pose behind it, `mark` is "right" or "wrong", `over` moves segments nearer to the reader.
    `partner` is a second person, who stands behind and reaches over.
    """

    words: str
    pose: Pose
    muscles: tuple[str, ...] = ()
    ghost: Pose | None = None
    arrows: tuple[Arrow, ...] = ()
    lines: tuple[tuple[Spot, Spot], ...] = ()
    mark: str = ""
    props: tuple[Prop, ...] | None = None
    over: dict[str, float] = field(default_factory=dict)
    partner: tuple[str, Pose] | None = None


@dataclass(frozen=True)
class Drawing:
    """The frames of an exercise, who shows it, from where it is seen (yaw, elevation) and with what."""

    code: str
    name: str
    frames: tuple[Frame, ...]
    person: str = "ana"
    view: tuple[float, float] = (10.0, 0.0)
    props: tuple[Prop, ...] = ()
    loop: tuple[int, ...] = ()  # the order of the frames in motion; empty if the frames do not follow each other
    floor: bool = True

    @property
    def who(self) -> Person:
        return PEOPLE[self.person]

    def props_of(self, frame: Frame) -> tuple[Prop, ...]:
        return self.props if frame.props is None else frame.props


@dataclass(frozen=True)
class Box:
    """The part of the plane that all frames of a drawing share, in mm."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


class Stage:
    """A drawing with all its poses solved, seen by one camera."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.camera = Camera(*drawing.view)
        self.solved = [solve(frame.pose, drawing.who) for frame in drawing.frames]
        self.ghosts = [solve(frame.ghost, drawing.who) if frame.ghost else None for frame in drawing.frames]
        self.partners = [
            solve(frame.partner[1], PEOPLE[frame.partner[0]]) if frame.partner else None for frame in drawing.frames
        ]
        self.props = [
            draw_props(self.camera, solved.body, drawing.props_of(frame))
            for solved, frame in zip(self.solved, drawing.frames, strict=True)
        ]
        self.box = self._box()

    def outline_points(self, solved: Solved) -> list[Point]:
        """Return the corners of the boxes around the parts of a figure, in mm."""
        points: list[Point] = []
        camera = self.camera
        for blobs in parts(solved.body, solved.person).values():
            for blob in blobs:
                x, y = camera.point(blob.center)
                wide, high = camera.reach(blob, (1.0, 0.0)), camera.reach(blob, (0.0, 1.0))
                points += [(x - wide, y - high), (x + wide, y + high)]
        return points

    def _box(self) -> Box:
        points: list[Point] = []
        for number, frame in enumerate(self.drawing.frames):
            points += self.outline_points(self.solved[number]) + self.props[number].points
            partner = self.partners[number]
            points += self.outline_points(partner) if partner else []
            for arrow in frame.arrows:
                points += self._arrow_ends(number, arrow)
            if frame.mark:
                points.append((max(x for x, _ in points), min(y for _, y in points) - 40))
        if self.drawing.floor and not self.camera.tilted:
            points.append((points[0][0], 10.0))
        xs, ys = [x for x, _ in points], [y for _, y in points]
        sides = (min(xs) - MARGIN, min(ys) - MARGIN, max(xs) + MARGIN, max(ys) + MARGIN - 20)
        return Box(*(math.floor(side) for side in sides))

    def plain_frame(self, solved: Solved, number: int) -> str:
        """Return the figure in any pose with the things of a frame, without marks and arrows."""
        frame = self.drawing.frames[number]
        drawn = draw_props(self.camera, solved.body, self.drawing.props_of(frame))
        floor = self._floor(solved) if self.drawing.floor else ""
        figure = figure_svg(self.camera, solved.body, solved.person, (), frame.over, drawn.among)
        return floor + drawn.behind + figure + drawn.before

    def frame(self, number: int) -> str:
        """Return the shapes of one frame, from the floor to the arrows."""
        frame, solved, drawn = self.drawing.frames[number], self.solved[number], self.props[number]
        partner = self.partners[number]
        out = [self._floor(solved) if self.drawing.floor else ""]
        if partner:
            out.append(f'<g class="p2">{figure_svg(self.camera, partner.body, partner.person)}</g>')
        out.append(drawn.behind)
        ghost = self.ghosts[number]
        if ghost:
            out.append(trace_svg(self.camera, ghost.body, solved.body, ghost.person))
        out += [
            figure_svg(self.camera, solved.body, solved.person, frame.muscles, frame.over, drawn.among),
            drawn.before,
        ]
        if partner:
            out.append(f'<g class="p2">{hands_svg(self.camera, partner.body, partner.person)}</g>')
        for a, b in frame.lines:
            (x, y), (u, v) = (self.camera.point(solved.body.place(spot)) for spot in (a, b))
            line = f"M{x:.0f} {y:.0f}L{u:.0f} {v:.0f}"
            out.append(f'<path class="n" d="{line}"/><path class="vl" d="{line}"/>')
        out += [_arrow_svg(*self._arrow_ends(number, arrow), arrow.bow) for arrow in frame.arrows]
        if frame.mark:
            out.append(_mark_svg(frame.mark, self.box))
        return "".join(out)

    def svg(self, number: int, *, mirrored: bool = False) -> str:
        """Return one frame as a lone SVG; `mirrored` shows the other side of the body."""
        inner = self.frame(number)
        if mirrored:
            inner = f'<g transform="matrix(-1 0 0 1 {self.box.left + self.box.right} 0)">{inner}</g>'
        partner = self.partners[number]
        more = other_person(partner.person) if partner else ""
        return lone(self.drawing.who, self.box, inner, self.drawing.name, more)

    def _floor(self, solved: Solved) -> str:
        if self.camera.tilted:
            return ""
        low = [x for x, y in self.outline_points(solved) if y > -90]
        shadow = ""
        if low:
            left, half = min(low) - 30, (max(low) - min(low)) / 2 + 30
            arc = f"a{half:.0f} 22 0 0 0 "
            shadow = f'<path class="gg" d="M{left:.0f} 8{arc}{2 * half:.0f} 0{arc}{-2 * half:.0f} 0z"/>'
        return shadow + f'<path class="e" d="M{self.box.left + 25} 6H{self.box.right - 25}"/>'

    def _arrow_ends(self, number: int, arrow: Arrow) -> tuple[Point, Point]:
        to = self.camera.point(self.solved[number].body.joints[arrow.joint])
        ghost = self.ghosts[number]
        if arrow.by is not None:
            since = (to[0] - arrow.by[0] * UNITS, to[1] + arrow.by[1] * UNITS)
        elif ghost:
            since = self.camera.point(ghost.body.joints[arrow.joint])
        else:
            raise ValueError(f"{self.drawing.code}: an arrow without an earlier pose needs a way of its own")
        aside = (arrow.beside[0] * UNITS, -arrow.beside[1] * UNITS)
        first, last = (
            (since[0] + (to[0] - since[0]) * share + aside[0], since[1] + (to[1] - since[1]) * share + aside[1])
            for share in (arrow.start, arrow.end)
        )
        return first, last


def lone(person: Person, box: Box, inner: str, title: str, more: str = "") -> str:
    """Return a whole SVG file with its own colors."""
    used = set(CLASS.findall(inner))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box.left} {box.top} {box.width} {box.height}" '
        f'role="img"><title>{escape(title)}</title>'
        f"<style>{style(person, used)}{more}</style>{inner}</svg>"
    )


def _arrow_svg(a: Point, b: Point, bow: float) -> str:
    """Return an arrow from a to b; `bow` is how far it bends to its left, as a share of its length."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    control = ((a[0] + b[0]) / 2 + dy * bow, (a[1] + b[1]) / 2 - dx * bow)
    way = math.atan2(b[1] - control[1], b[0] - control[0])
    tip = (b[0] + 34 * math.cos(way), b[1] + 34 * math.sin(way))
    wings = [(b[0] - 30 * math.cos(way + turn), b[1] - 30 * math.sin(way + turn)) for turn in (1.05, -1.05)]
    head = f"M{tip[0]:.0f} {tip[1]:.0f}L{wings[0][0]:.0f} {wings[0][1]:.0f}L{wings[1][0]:.0f} {wings[1][1]:.0f}z"
    return (
        f'<path class="a" d="M{a[0]:.0f} {a[1]:.0f}Q{control[0]:.0f} {control[1]:.0f} {b[0]:.0f} {b[1]:.0f}"/>'
        f'<path class="c" d="{head}"/>'
    )


def _mark_svg(mark: str, box: Box) -> str:
    x, y = box.right - 110, box.top + 110
    circle = f"M{x - 75} {y}a75 75 0 1 0 150 0a75 75 0 1 0-150 0z"
    if mark == "right":
        return f'<path class="o" d="{circle}"/><path class="a" d="M{x - 36} {y + 2}l26 30 46-58"/>'
    return f'<path class="z" d="{circle}"/><path class="i" d="M{x - 30} {y - 30}l60 60m0-60l-60 60"/>'
