"""Exercises for the trunk and the side of the hip, lying, on all fours and standing."""

from dataclasses import replace

from education.drawing.body.skeleton import Pin, Pose, Side
from education.drawing.exercises.starts import SUPINE
from education.drawing.painting.props import Mat
from education.drawing.pictures import Arrow, Drawing, Frame

_TABLE = SUPINE.but(
    r={"hip": 92, "knee": 92, "ankle": 6, "shoulder": 90, "raised": 4, "elbow": 4},
    l={"hip": 92, "knee": 92, "ankle": 6, "shoulder": 90, "raised": 4, "elbow": 4},
    pins={"hand_r": None, "hand_l": None},
)
_REACH = _TABLE.but(r={"hip": 16, "knee": 8}, l={"shoulder": 164})
_ARCHED = _REACH.but(
    rests={"seat": 0, "back": 0, "head": 0.5},
    free=("lean", "neck", "waist"),
    waist=-22,
    ribs=-6,
    tilt=16,
    r={"hip": 30},
)
DEAD_BUG = Drawing(
    "dead-bug",
    "Dead bug",
    (
        Frame("Arms up, knees over the hips, back heavy on the mat.", _TABLE),
        Frame(
            "Reach one leg and the opposite arm away. The back does not move.",
            _REACH,
            ("abdomen r",),
            ghost=_TABLE,
            arrows=(Arrow("ankle_r", (2, 12), bow=-0.25), Arrow("wrist_l", (-4, 8), bow=0.25, end=0.8)),
            mark="right",
        ),
        Frame("Common mistake: the back arches off the mat.", _ARCHED, mark="wrong"),
    ),
    "june",
    props=(Mat(-100, 92),),
    loop=(0, 1),
)

_FOREARMS = {
    f"hand_{side}": Pin((72, 2.9, z * 0.8), along=(1, -0.02, 0), palm=(0, -1, 0), pole=(-1, -0.6, 0))
    for side, z in (("r", 17), ("l", -17))
}
_PLANK = Pose(
    base="prone",
    rests={"elbow_r": 0, "foot_r": 0},
    free=("lean",),
    anchor=("shoulder_r", 44, 17),
    tilt=-2,
    neck=-10,
    r=Side(hip=-2, knee=2, ankle=4, toe=66),
    l=Side(hip=-2, knee=2, ankle=4, toe=66),
    pins=_FOREARMS,
)
_SAG = _PLANK.but(waist=-30, ribs=-10, tilt=26, r={"hip": -14}, l={"hip": -14}, neck=4)
PLANK = Drawing(
    "front-plank",
    "Front plank",
    (
        Frame("Elbows under the shoulders, one line from head to heels.", _PLANK, ("abdomen r",), mark="right"),
        Frame("Common mistake: the hips sag and the back arches.", _SAG, mark="wrong"),
    ),
    "marcus",
    props=(Mat(-100, 88),),
)

_FOURS = Pose(
    base="prone",
    rests={"knee_r": 0, "knee_l": 0},
    anchor=("hips", 0, 0),
    tilt=-9,
    neck=-12,
    r=Side(hip=80, knee=94, ankle=-50),
    l=Side(hip=80, knee=94, ankle=-50),
    pins={
        f"hand_{side}": Pin((60, 2.7, z), along=(1, -0.05, 0), palm=(0, -1, 0), pole=(-1, 0, 0.4 * z / 17))
        for side, z in (("r", 17), ("l", -17))
    },
)
_BIRD = _FOURS.but(
    rests={"knee_l": 0}, r={"hip": -4, "knee": 3, "ankle": 4}, l={"shoulder": 166, "elbow": 4}, pins={"hand_l": None}
)
BIRD_DOG = Drawing(
    "bird-dog",
    "Bird dog",
    (
        Frame("Hands under the shoulders, knees under the hips.", _FOURS),
        Frame(
            "Reach one leg and the opposite arm away. Hips stay level, as if a cup stood on them.",
            _BIRD,
            ("glutes r", "back r"),
            ghost=_FOURS,
            arrows=(Arrow("ankle_r", (-4, -14), bow=-0.2, start=0.2, end=0.8),),
        ),
    ),
    "ana",
    props=(Mat(-70, 92),),
    loop=(0, 1),
)

_LOWER_ARM = Side(shoulder=158, raised=0, elbow=84, girdle=(2, 5, -8))
_ON_SIDE = Pose(
    base="side",
    rests={"hip_r": 0, "back": 0},
    free=("list",),
    anchor=("hips", 0, 0),
    neck_side=-4,
    r=replace(_LOWER_ARM, hip=26, knee=50),
    l=Side(hip=-4, abduction=-2, knee=2, ankle=6, girdle=(3, 0, -4)),
    pins={"hand_l": Pin((-24, 2.9, 36), along=(-0.9, -0.1, 0.4), palm=(0, -1, 0), pole=(0.6, 0.8, 0.5))},
)
_LIFTED = _ON_SIDE.but(l={"abduction": 36})
SIDE_RAISE = Drawing(
    "side-leg-raise",
    "Side-lying leg raise",
    (
        Frame("Lie on your side, top leg long and in line with the body.", _ON_SIDE),
        Frame(
            "Lift the top leg from the side of the hip. Toes point ahead, not up.",
            _LIFTED,
            ("side of the hip l",),
            ghost=_ON_SIDE,
            arrows=(Arrow("ankle_l", (7, 8), bow=0.2, end=0.85),),
        ),
    ),
    "june",
    view=(0, 16),
    props=(Mat(-96, 100, front=46),),
    loop=(0, 1),
)

_CLOSED = _ON_SIDE.but(r={"hip": 46, "knee": 88}, l={"hip": 46, "knee": 88, "abduction": -8})
_OPEN = _CLOSED.but(l={"abduction": 24, "rotation": 34})
CLAM = Drawing(
    "clam",
    "Clam",
    (
        Frame("On your side, hips and knees bent, feet together.", _CLOSED),
        Frame(
            "Open the top knee like a shell. The hips do not roll back.",
            _OPEN,
            ("side of the hip l",),
            ghost=_CLOSED,
            arrows=(Arrow("knee_l", (9, 4), bow=0.2, end=0.9),),
        ),
    ),
    "ana",
    view=(0, 26),
    props=(Mat(-96, 64, front=46),),
    loop=(0, 1),
)

_PROPPED = Pose(
    base="side",
    rests={"foot_r": 0, "elbow_r": 0},
    free=("list",),
    anchor=("shoulder_r", -50, 0),
    r=Side(ankle=0),
    l=Side(abduction=-6, ankle=0),
    pins={
        "hand_r": Pin((-38, 2.9, 30), along=(0.3, -0.03, 1), palm=(0, -1, 0), pole=(-0.4, -1, -0.6)),
        "hand_l": Pin(("hips", 6, 10, -15), along=(0.3, -0.6, 0.4), palm=(0, -1, 0.2), pole=(-0.3, 1, 0.1)),
    },
)
_HIP_DOWN = _PROPPED.but(
    list=4,
    waist_side=-22,
    ribs_side=-18,
    rests={"hip_r": 0, "foot_r": 0, "elbow_r": 0},
    free=("list", "r.abduction", "waist_side"),
    l={"abduction": -2},
)
SIDE_PLANK = Drawing(
    "side-plank",
    "Side plank",
    (
        Frame("On your forearm, elbow under the shoulder, legs long.", _HIP_DOWN),
        Frame(
            "Lift the hips until head, hip and feet are one line.",
            _PROPPED,
            ("side of the trunk r",),
            ghost=_HIP_DOWN,
            arrows=(Arrow("hips", (8, 24), by=(0, 16)),),
        ),
    ),
    "marcus",
    view=(0, 8),
    props=(Mat(-90, 100),),
    loop=(0, 1),
)

ALL = (DEAD_BUG, PLANK, BIRD_DOG, SIDE_RAISE, CLAM, SIDE_PLANK)
