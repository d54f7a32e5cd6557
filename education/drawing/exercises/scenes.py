"""Pictures of the site itself: a runner, a treadmill with a camera, hands on a hip, a desk."""

from dataclasses import replace

from education.drawing.body.skeleton import Pin, Pose, Side
from education.drawing.exercises.running import FLOAT, MIDSTANCE, TOE_OFF
from education.drawing.exercises.starts import SUPINE, soles
from education.drawing.painting.props import Block, chair
from education.drawing.pictures import Drawing, Frame

SHORE_RUNNER = Drawing("shore-runner", "A runner", (Frame("A runner in the air.", FLOAT),), "maya", floor=False)

HIP_RUNNER = Drawing(
    "hip-runner",
    "A runner at push-off",
    (Frame("The foot pushes off. The front of the hip is marked.", TOE_OFF, ("hip flexors r",)),),
    "maya",
)

CHAIN = Drawing(
    "chain",
    "Places that may pass on work",
    (
        Frame(
            "The trunk, the back of the thigh, the shin and the front of the hip are marked.",
            TOE_OFF,
            ("side of the trunk r", "hamstrings r", "shin r", "hip flexors r"),
        ),
    ),
    "marcus",
)

_DECK = 16.0
TREADMILL = Drawing(
    "treadmill",
    "A runner on a treadmill, filmed from behind",
    (Frame("A runner on a treadmill. A camera films from behind.", replace(MIDSTANCE, rests={"foot_r": _DECK})),),
    "marcus",
    props=(
        Block((-82, 0, -36), (88, _DECK, 36)),
        Block((74, _DECK, -34), (80, 118, -28), solid=False),
        Block((52, 112, -30), (84, 118, 30), solid=False),
        Block((-168, 0, -3), (-165, 92, 3), solid=False),
        Block((-182, 0, -3), (-151, 2.5, 3), solid=False),
        Block((-176, 92, -6), (-157, 106, 6), solid=False),
    ),
)

_TABLE = 70.0
_LYING = SUPINE.but(
    rests={"back": _TABLE, "seat": _TABLE, "head": _TABLE + 0.5},
    pins={
        "foot_l": Pin((40, _TABLE, -9), pole=(1, 1, 0)),
        "foot_r": None,
        "hand_r": Pin(("hips", 11, 24, 0), along=(0.7, 0.1, -0.7), palm=(0, -1, 0), pole=(0, 0.4, 1)),
        "hand_l": Pin(("hips", 11, 30, 0), along=(0.7, 0.1, 0.7), palm=(0, -1, 0), pole=(0, 0.4, -1)),
    },
    r={"hip": 2, "knee": 2, "ankle": -6},
)
_THERAPIST = Pose(
    turn=90,
    lean=16,
    waist=10,
    ribs=8,
    neck=-2,
    height=88,
    anchor=("hips", -2, -58),
    leans=True,
    r=Side(sole=0),
    l=Side(sole=0),
    pins={
        "foot_r": Pin((-12, 0, -52), heading=(0, 0, 1), pole=(0, 0, 1)),
        "foot_l": Pin((8, 0, -52), heading=(0, 0, 1), pole=(0, 0, 1)),
        "hand_r": Pin((-2, _TABLE + 21, 4), along=(0.5, -0.35, 0.8), palm=(0, -1, 0), pole=(-1, 0.1, -0.2)),
        "hand_l": Pin((13, _TABLE + 19, 3), along=(-0.3, -0.3, 0.9), palm=(0, -1, 0), pole=(1, 0.1, -0.2)),
    },
)
HANDS_ON_HIP = Drawing(
    "hands-on-hip",
    "An exam of the hip",
    (Frame("A therapist lays both hands on the front of a runner’s hip.", _LYING, partner=("june", _THERAPIST)),),
    "tom",
    view=(0, 9),
    props=(
        Block((-98, _TABLE - 9, -32), (100, _TABLE, 32), solid=False),
        Block((-84, 0, -24), (-78, _TABLE - 9, 24), solid=False),
        Block((80, 0, -24), (86, _TABLE - 9, 24), solid=False),
    ),
)

_TYPING = Pose(
    rests={"hip_l": 43.5},
    anchor=("hips", 2, 0),
    tilt=-10,
    waist=12,
    ribs=16,
    neck=6,
    head=-16,
    pins={
        **soles(44),
        "hand_r": Pin((54, 76.6, 8), along=(1, -0.05, -0.2), palm=(0, -1, 0), pole=(-0.4, -1, 0.3)),
        "hand_l": Pin((54, 76.6, -8), along=(1, -0.05, 0.2), palm=(0, -1, 0), pole=(-0.4, -1, -0.3)),
    },
)
DESK = Drawing(
    "desk",
    "At a desk",
    (Frame("A person at a desk. The shoulders round forward.", _TYPING),),
    "ana",
    props=(
        *chair(-18),
        Block((36, 70, -40), (112, 73.4, 40), solid=False),
        Block((104, 0, -36), (109, 70, 36), solid=False),
        Block((50, 73.4, -16), (74, 75, 16), solid=False),
        Block((74, 73.4, -16), (76, 96, 16), solid=False),
    ),
)

ALL = (SHORE_RUNNER, HIP_RUNNER, CHAIN, TREADMILL, HANDS_ON_HIP, DESK)
