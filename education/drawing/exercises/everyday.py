"""Stretches for the front of the hip, and everyday poses: sitting, standing, standing on one leg."""

from education.drawing.body.skeleton import Pin, Pose, Side
from education.drawing.exercises.starts import STAND, soles
from education.drawing.painting.props import Block, Mat, chair
from education.drawing.pictures import Drawing, Frame

_HALF_KNEEL = Pose(
    rests={"knee_r": 0, "foot_r": 0},
    free=("r.knee",),
    anchor=("knee_r", -14, 9),
    tilt=-12,
    waist=8,
    r=Side(hip=-14, knee=96, ankle=4, toe=66),
    pins={
        "foot_l": Pin((32, 0, -9)),
        "hand_r": Pin(("hip_l", 9.2, -26, 3), along=(0.9, -0.25, -0.4), palm=(0, -1, 0)),
        "hand_l": Pin(("hip_l", 9.2, -25, -2), along=(0.9, -0.25, 0.2), palm=(0, -1, 0)),
    },
    leans=True,
)
_BELT = (("hips", -9, 9, 0), ("hips", 9, 9, 0))
_ARCHED = _HALF_KNEEL.but(tilt=18, waist=-28, ribs=-8, neck=6, r={"hip": 2})
HIP_STRETCH = Drawing(
    "half-kneeling-stretch",
    "Half-kneeling hip stretch",
    (
        Frame(
            "Kneel, one foot ahead. Tuck the tail under first; then move forward a little.",
            _HALF_KNEEL,
            ("hip flexors r",),
            lines=(_BELT,),
            mark="right",
        ),
        Frame("Common mistake: the pelvis tips forward and the back arches.", _ARCHED, lines=(_BELT,), mark="wrong"),
    ),
    "june",
    props=(Mat(-66, 62),),
)

_COUCH = _HALF_KNEEL.but(
    rests={"knee_r": 0},
    free=(),
    anchor=("knee_r", -14, 9),
    tilt=-6,
    waist=6,
    r={"hip": -8, "knee": 134, "ankle": -42, "toe": 0},
)
COUCH = Drawing(
    "couch-stretch",
    "Couch stretch",
    (Frame("Kneel with the back foot up on a couch or wall. Stay tall, tail tucked.", _COUCH, ("quads r",)),),
    "tom",
    props=(Mat(-40, 62), Block((-78, 0, -34), (-40, 40, 34), solid=False)),
)

_EDGE = Pose(
    base="supine",
    rests={"back": 60, "head": 60.5},
    free=("lean", "neck"),
    anchor=("hips", 34, 0),
    tilt=-4,
    waist=4,
    neck=6,
    l=Side(hip=122, knee=128),
    r=Side(hip=-16, knee=62, ankle=-18),
    pins={
        "hand_l": Pin(("knee_l", 5.6, -7, -2), along=(0.2, 0.9, 0.5), palm=(-1, -0.1, 0), pole=(-0.2, -0.4, -1)),
        "hand_r": Pin(("knee_l", 5.6, -9, 4), along=(0.2, 0.9, -0.5), palm=(-1, -0.1, 0), pole=(-0.2, -0.4, 1)),
    },
)
EDGE_OF_BED = Drawing(
    "edge-of-bed-stretch",
    "Edge-of-bed stretch",
    (Frame("Lie back at the edge of a firm bed, hold one knee, let the other leg hang.", _EDGE, ("hip flexors r",)),),
    "ana",
    props=(
        Block((-66, 38, -44), (40, 60, 44), solid=False),
        *(Block((x, 0, z), (x + 5, 38, z + 5), solid=False) for x in (-62, 30) for z in (-42, 37)),
    ),
)

_SIT_TALL = Pose(
    rests={"hip_l": 43.5},
    anchor=("hips", 2, 0),
    tilt=-2,
    waist=2,
    pins={
        **soles(44),
        "hand_r": Pin(("hip_r", 10.6, -24, 0), along=(1, -0.25, -0.1), palm=(0.2, -1, 0)),
        "hand_l": Pin(("hip_l", 10.6, -24, 0), along=(1, -0.25, 0.1), palm=(0.2, -1, 0)),
    },
)
_RISE = Pose(
    height=62,
    anchor=("hips", 6, 0),
    tilt=38,
    waist=6,
    neck=-14,
    pins=soles(30),
    r=Side(shoulder=60, elbow=30),
    l=Side(shoulder=60, elbow=30),
)
SIT_TO_STAND = Drawing(
    "sit-to-stand",
    "Sit and stand",
    (
        Frame("Sit tall near the front of a chair.", _SIT_TALL),
        Frame("Feet back, lean forward, push through both heels.", _RISE),
        Frame("Stand tall. Sit down again slowly.", STAND.but(anchor=("ankle_r", 30, 9))),
    ),
    "june",
    props=chair(-16),
    loop=(0, 1, 2),
)

_ONE_LEG = STAND.but(
    rests={"foot_r": 0},
    anchor=("ankle_r", 0, 0),
    stands_on="r",
    r={"raised": 14},
    l={"hip": 66, "knee": 84, "sole": None, "ankle": 2, "raised": 14, "abduction": 3},
)
_LEVEL = (("hips", 10, 7, -13.0), ("hips", 10, 7, 13.0))
_DROP = _ONE_LEG.but(list=-10, waist_side=16, r={"raised": 20}, l={"abduction": 2})
STANCE = Drawing(
    "single-leg-stance",
    "Standing on one leg",
    (
        Frame(
            "Stand on one leg, pelvis level, trunk quiet.",
            _ONE_LEG,
            ("side of the hip r",),
            lines=(_LEVEL,),
            mark="right",
        ),
        Frame("Common mistake: the free hip drops and the trunk leans over.", _DROP, lines=(_LEVEL,), mark="wrong"),
    ),
    "ana",
    view=(56, 0),
)

ALL = (HIP_STRETCH, COUCH, EDGE_OF_BED, SIT_TO_STAND, STANCE)
