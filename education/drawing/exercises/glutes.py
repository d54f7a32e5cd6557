"""Exercises for the glutes: bridges, steps, hinge and split squat."""

from education.drawing.body.skeleton import Pin, mirrored
from education.drawing.exercises.starts import STAND, SUPINE, palm_down, sole, soles
from education.drawing.painting.props import Mat, Weight, step
from education.drawing.pictures import Arrow, Drawing, Frame

_DOWN = SUPINE.but(pins={**soles(40)})
_UP = _DOWN.but(
    tilt=-34,
    waist=4,
    neck=26,
    head=8,
    rests={"back": 0, "head": 0.5},
    anchor=("shoulder_r", -50, 17),
    free=("lean", "neck"),
    pins={"hand_r": palm_down(2, 25), "hand_l": palm_down(2, -25)},
)
BRIDGE = Drawing(
    "bridge",
    "Bridge",
    (
        Frame("Lie on your back, feet flat, heels near you.", _DOWN),
        Frame(
            "Squeeze the buttocks and lift the hips: knee, hip and shoulder make one line.",
            _UP,
            ("glutes r",),
            ghost=_DOWN,
            arrows=(Arrow("hips", (-4, 17), by=(0, 15)),),
        ),
    ),
    "tom",
    props=(Mat(-92, 70),),
    loop=(0, 1),
)

_ONE_DOWN = _DOWN.but(l={"hip": 50, "knee": 14, "ankle": 4}, pins={"foot_l": None})
_ONE_UP = _UP.but(l={"hip": 18, "knee": 8, "ankle": 4}, pins={"foot_l": None})
SINGLE_BRIDGE = Drawing(
    "single-leg-bridge",
    "Single-leg bridge",
    (
        Frame("One foot flat, the other leg long.", _ONE_DOWN),
        Frame(
            "Push through the heel and lift. Both thighs stay side by side.",
            _ONE_UP,
            ("glutes r",),
            ghost=_ONE_DOWN,
            arrows=(Arrow("hips", (-4, 17), by=(0, 15)),),
        ),
    ),
    "marcus",
    props=(Mat(-92, 84),),
    loop=(0, 1),
)

_STEP = step(16, 50, 22)
_LOW = STAND.but(
    rests={},
    height=82,
    anchor=("hips", 12, 0),
    tilt=16,
    waist=2,
    r={"sole": None, "shoulder": -24, "elbow": 78, "fist": True},
    l={"sole": None, "shoulder": 34, "elbow": 78, "fist": True},
    pins={"foot_r": sole(30, "r", height=22), "foot_l": Pin((-16, 0, -9), tilt=22)},
)
_ON_TOP = STAND.but(
    rests={"foot_r": 22},
    stands_on="r",
    anchor=("ankle_r", 30, 9),
    tilt=2,
    r={"hip": 2, "knee": 4, "shoulder": 34, "elbow": 82, "fist": True},
    l={"hip": 78, "knee": 84, "sole": None, "ankle": 4, "shoulder": -28, "elbow": 82, "fist": True},
)
STEP_UP = Drawing(
    "step-up",
    "Step-up",
    (
        Frame("Whole foot on the step, lean a little forward.", _LOW),
        Frame(
            "Push through that heel and stand tall. Step down slowly.",
            _ON_TOP,
            ("glutes r", "quads r"),
            ghost=_LOW,
            arrows=(Arrow("hips", (-26, 2), by=(6, 22)),),
        ),
    ),
    "june",
    props=(_STEP,),
    loop=(0, 1),
)

_HINGE_START = STAND.but(
    rests={"foot_l": 0},
    stands_on="l",
    anchor=("ankle_l", 0, -9),
    l={"knee": 8, "hip": 4, "shoulder": 14, "elbow": 30, "raised": 12},
    r={"sole": None, "hip": 4, "knee": 62, "ankle": -10, "shoulder": 4, "elbow": 6, "fist": True},
)
_HINGE = _HINGE_START.but(
    tilt=66,
    waist=2,
    neck=-22,
    l={"hip": 78, "knee": 20, "shoulder": 60, "elbow": 20, "raised": 40},
    r={"hip": -6, "knee": 6, "ankle": -6, "shoulder": 68, "elbow": 4},
)
_ROUNDED = _HINGE.but(
    tilt=34, waist=34, ribs=36, neck=-4, l={"hip": 46, "shoulder": 76}, r={"hip": 4, "knee": 40, "shoulder": 84}
)
_HINGE_START, _HINGE, _ROUNDED = (mirrored(pose) for pose in (_HINGE_START, _HINGE, _ROUNDED))  # on the near leg
_BELL = (Weight("kettlebell", ("wrist_l", 0.5, -8, 0)),)
DEADLIFT = Drawing(
    "single-leg-deadlift",
    "Single-leg deadlift",
    (
        Frame("Stand on one leg, knee soft, weight in the opposite hand.", _HINGE_START),
        Frame(
            "Fold at the hip; head, back and free leg stay one long line.",
            _HINGE,
            ("hamstrings r", "glutes r"),
            ghost=_HINGE_START,
            arrows=(Arrow("head", (10, 4), bow=-0.25, start=0.15, end=0.8),),
            mark="right",
        ),
        Frame("Common mistake: the back rounds and the leg hangs.", _ROUNDED, mark="wrong"),
    ),
    "tom",
    props=_BELL,
    loop=(0, 1),
)

_LONG = STAND.but(
    rests={},
    height=85,
    anchor=("hips", 0, 0),
    r={"sole": None, "shoulder": 4, "elbow": 10, "fist": True},
    l={"sole": None, "shoulder": 4, "elbow": 10, "fist": True},
    pins={"foot_r": sole(30), "foot_l": Pin((-38, 0.8, -9), tilt=46, pole=(1, -0.4, 0))},
)
_SUNK = _LONG.but(
    height=56, anchor=("hips", 0, 0), tilt=8, pins={"foot_l": Pin((-38, 1, -9), tilt=64, pole=(1, -1, 0))}
)
SPLIT_SQUAT = Drawing(
    "split-squat",
    "Split squat",
    (
        Frame("A long stance, the back heel up.", _LONG),
        Frame(
            "Sink straight down until the back knee is near the floor. Push up through the front heel.",
            _SUNK,
            ("quads r", "glutes r"),
            ghost=_LONG,
            arrows=(Arrow("chest", (-24, 0), by=(0, -24)),),
        ),
    ),
    "maya",
    props=(Weight("dumbbell", ("wrist_r", 0.5, -7, 0), "r"), Weight("dumbbell", ("wrist_l", 0.5, -7, 0), "l")),
    loop=(0, 1),
)

ALL = (BRIDGE, SINGLE_BRIDGE, STEP_UP, DEADLIFT, SPLIT_SQUAT)
