"""Put a pose into the world: place, free angles and all contacts together by damped least squares."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from education.drawing.body.mass import center_of_mass
from education.drawing.body.people import Person
from education.drawing.body.proportions import STATURE
from education.drawing.body.skeleton import Pose, Skeleton, build
from education.drawing.body.surface import lowest, parts

CLOSE = 0.6  # cm: contacts missed by less are met
STEP = 0.05
PULL = 0.03  # how strongly a free angle is held to its value


@dataclass(frozen=True)
class Solved:
    """A skeleton, what it misses of its contacts (name → cm) and the largest of these."""

    body: Skeleton
    person: Person
    gaps: dict[str, float]

    @property
    def residual(self) -> float:
        return max((abs(gap) for gap in self.gaps.values()), default=0.0)


def _changed(pose: Pose, values: list[float]) -> Pose:
    changes: dict[str, float] = {}
    sides: dict[str, dict[str, float]] = {"r": {}, "l": {}}
    for name, value in zip(pose.free, values, strict=True):
        side, _, angle = name.partition(".")
        if angle:
            sides[side][angle] = value
        else:
            changes[side] = value
    return pose.but(r=sides["r"], l=sides["l"], **changes)


def _value(pose: Pose, name: str) -> float:
    side, _, angle = name.partition(".")
    value: float = getattr(getattr(pose, side), angle) if angle else getattr(pose, side)
    return value


def _contacts(pose: Pose, body: Skeleton, person: Person) -> dict[str, float]:
    """Return the signed gap in cm of every rest, and how far each pinned hand or foot stays from its place."""
    surface = parts(body, person) if pose.rests else {}
    gaps = {part: lowest(surface[part]) - height for part, height in pose.rests.items()}
    return gaps | body.misses


def solve(pose: Pose, person: Person) -> Solved:
    """Return the pose in the world. The residual is 0 to within a few millimeters if all contacts can be met together."""
    scale = person.height / STATURE
    if pose.stands_on and f"{pose.stands_on}.abduction" not in pose.free:
        pose = replace(pose, free=(*pose.free, f"{pose.stands_on}.abduction"))
    start = [_value(pose, name) for name in pose.free]

    def posed(unknowns: list[float]) -> Skeleton:
        changed = _changed(pose, unknowns[3:]) if pose.free else pose
        return build(changed, (unknowns[0], unknowns[1], unknowns[2]), scale)

    def residuals(unknowns: list[float]) -> list[float]:
        body = posed(unknowns)
        joint, x, z = pose.anchor
        at = body.joints[joint]
        held = [at[0] - x, at[2] - z]
        if pose.height is not None:
            held.append(unknowns[1] - pose.height * scale)
        if pose.stands_on:
            held.append(center_of_mass(body)[2] - body.joints["ankle_" + pose.stands_on][2])
        pulls = [PULL * (now - then) for now, then in zip(unknowns[3:], start, strict=True)]
        return [*_contacts(pose, body, person).values(), *(0.5 * gap for gap in held), *pulls]

    first = build(pose, (0.0, 0.0, 0.0), scale)
    at = first.joints[pose.anchor[0]]
    rise = -min(_contacts(replace(pose, pins={}), first, person).values(), default=-pose.height if pose.height else 0.0)
    unknowns = least_squares(residuals, [pose.anchor[1] - at[0], rise, pose.anchor[2] - at[2], *start])
    body = posed(unknowns)
    return Solved(body, person, _contacts(pose, body, person))


def least_squares(residuals: Callable[[list[float]], list[float]], start: list[float]) -> list[float]:
    """Return the unknowns that make the sum of squares small: Levenberg and Marquardt's steps with a numeric slope."""
    now, damping = list(start), 0.01
    errors = residuals(now)
    cost = sum(error * error for error in errors)
    for _ in range(30):
        slopes = []
        for index in range(len(now)):
            moved = list(now)
            moved[index] += STEP
            slopes.append([(b - a) / STEP for a, b in zip(errors, residuals(moved), strict=True)])
        gradient = [sum(s * e for s, e in zip(row, errors, strict=True)) for row in slopes]
        square = [[sum(a * b for a, b in zip(row, other, strict=True)) for other in slopes] for row in slopes]
        for index, row in enumerate(square):
            row[index] += damping * (row[index] + 1e-4)
        step = _solved(square, gradient)
        trial = [value - change for value, change in zip(now, step, strict=True)]
        trial_errors = residuals(trial)
        trial_cost = sum(error * error for error in trial_errors)
        if trial_cost < cost:
            small = cost - trial_cost < 1e-5
            now, errors, cost, damping = trial, trial_errors, trial_cost, damping / 4
            if small:
                break
        else:
            damping *= 8
            if damping > 1e6:
                break
    return now


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve a small system of equations by elimination with pivoting."""
    size = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda index: abs(rows[index][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for index in range(column + 1, size):
            factor = rows[index][column] / rows[column][column]
            rows[index] = [a - factor * b for a, b in zip(rows[index], rows[column], strict=True)]
    out = [0.0] * size
    for index in reversed(range(size)):
        rest = sum(rows[index][other] * out[other] for other in range(index + 1, size))
        out[index] = (rows[index][size] - rest) / rows[index][index]
    return out
