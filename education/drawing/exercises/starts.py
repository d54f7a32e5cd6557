"""Poses and pins that several exercises start from."""

from education.drawing.body.skeleton import Pin, Pose, Side

FLOOR = 0.0


def palm_down(x: float, z: float, height: float = 2.7) -> Pin:
    """Return a pin for a hand that lies flat, fingers pointing to +x; z is positive on the figure's right."""
    return Pin((x, height, z), along=(1.0, -0.05, 0.0), palm=(0.0, -1.0, 0.0), pole=(-0.2, 0.8, 1.0 if z > 0 else -1.0))


def sole(x: float, side: str = "r", height: float = FLOOR, tilt: float = 0.0, z: float = 9.0) -> Pin:
    """Return a pin for a foot on the ground under x."""
    return Pin((x, height, z if side == "r" else -z), tilt=tilt, pole=(1.0, 0.6, 0.0))


def soles(x: float, **how: float) -> dict[str, Pin]:
    return {"foot_r": sole(x, "r", **how), "foot_l": sole(x, "l", **how)}


STAND = Pose(
    rests={"foot_r": 0, "foot_l": 0},
    anchor=("ankle_r", 0, 9),
    r=Side(sole=0, shoulder=2, elbow=12),
    l=Side(sole=0, shoulder=6, elbow=14),
)
SUPINE = Pose(
    base="supine",
    rests={"back": 0, "seat": 0, "head": 0.5},
    anchor=("hips", 0, 0),
    tilt=3,
    neck=6,
    head=6,
    free=("lean", "neck"),
    pins={"hand_r": palm_down(6, 25), "hand_l": palm_down(6, -25)},
)
