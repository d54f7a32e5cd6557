"""The center of mass of a posed body."""

from education.drawing.body.proportions import CENTER, MASS
from education.drawing.body.skeleton import SIDES, Skeleton
from education.drawing.body.vectors import Vector, between

SEGMENTS = (
    ("thigh", "hip", "knee"),
    ("shank", "knee", "ankle"),
    ("foot", "ankle", "ball"),
    ("upper", "shoulder", "elbow"),
    ("fore", "elbow", "wrist"),
)


def center_of_mass(body: Skeleton) -> Vector:
    """Return the center of mass of the whole body (Winter 2009, table 4.1)."""
    joints = body.joints
    weights = [(MASS["trunk"], between(joints["hips"], joints["neck"], 0.5)), (MASS["head"], joints["head"])]
    for side, _ in SIDES:
        for segment, top, low in SEGMENTS:
            spot = between(joints[f"{top}_{side}"], joints[f"{low}_{side}"], CENTER[segment])
            weights.append((MASS[segment], spot))
        weights.append((MASS["hand"], joints["wrist_" + side]))
    total = sum(mass for mass, _ in weights)
    x, y, z = (sum(mass * spot[axis] for mass, spot in weights) / total for axis in range(3))
    return (x, y, z)
