"""Exercises for the hip flexors."""

from education.drawing.body.skeleton import Pin, Pose, Side
from education.drawing.exercises.starts import STAND, SUPINE, sole, soles
from education.drawing.painting.props import Band, Mat, chair
from education.drawing.pictures import Arrow, Drawing, Frame

_SIT = Pose(
    rests={"hip_l": 43.5},
    anchor=("hips", 2, 0),
    tilt=-3,
    waist=2,
    pins={
        **soles(45),
        "hand_r": Pin(("hip_r", 10.6, -25, 0), along=(1, -0.25, -0.1), palm=(0.2, -1, 0)),
        "hand_l": Pin(("hip_l", 10.6, -25, 0), along=(1, -0.25, 0.1), palm=(0.2, -1, 0)),
    },
)
_SIT_LIFT = _SIT.but(
    r={"hip": 110, "knee": 100, "ankle": 4},
    pins={"foot_r": None, "hand_r": Pin(("hip_r", 10.4, -30, 0), along=(0.9, -0.5, -0.1), palm=(-0.3, -1, 0))},
)
SEATED_HOLD = Drawing(
    "seated-hold",
    "Seated hip-flexion hold",
    (
        Frame("Sit tall, both feet flat. Put one hand on your thigh.", _SIT),
        Frame(
            "Press the knee up against your hand. Hold; nothing needs to move far.",
            _SIT_LIFT,
            ("hip flexors r",),
            ghost=_SIT,
            arrows=(Arrow("knee_r", (13, 0), by=(1, 16), bow=0.1),),
        ),
    ),
    "maya",
    props=chair(-16),
    loop=(0, 1),
)

_HEELS = SUPINE.but(pins={**soles(44)})
_MARCH = _HEELS.but(r={"hip": 92, "knee": 92, "ankle": 5}, pins={"foot_r": None})
SUPINE_MARCH = Drawing(
    "supine-march",
    "Lying march",
    (
        Frame("Lie on your back, knees bent, feet flat.", _HEELS),
        Frame(
            "Lift one knee over the hip. Your back stays quiet. Lower, then change sides.",
            _MARCH,
            ("hip flexors r",),
            ghost=_HEELS,
            arrows=(Arrow("knee_r", (-3, 10), bow=-0.35),),
        ),
    ),
    "tom",
    props=(Mat(-92, 74),),
    loop=(0, 1),
)

_UP = SUPINE.but(r={"hip": 92, "knee": 92, "ankle": 8}, l={"hip": 92, "knee": 92, "ankle": 8})
_PRESS = _UP.but(l={"hip": 28, "knee": 24})
_FOOT_BAND = (Band(("ankle_r", 6, -3, 0), ("ankle_l", 6, -3, 0), (3.5, 3.5)),)
BAND_MARCH = Drawing(
    "band-march",
    "Lying band march",
    (
        Frame("Both knees over the hips, a band around both feet.", _UP),
        Frame(
            "Hold one knee still while the other leg pushes the band away.",
            _PRESS,
            ("hip flexors r",),
            ghost=_UP,
            arrows=(Arrow("ankle_l", (2, 13), bow=-0.2),),
        ),
    ),
    "tom",
    props=(Mat(-92, 92), *_FOOT_BAND),
    loop=(0, 1),
)

_TALL = STAND.but(
    anchor=("ankle_l", 0, -9),
    rests={"foot_l": 0, "foot_r": 0},
    l={"shoulder": 12, "elbow": 40},
    r={"shoulder": 0, "elbow": 40},
)
_KNEE_UP = _TALL.but(
    rests={"foot_l": 0},
    stands_on="l",
    tilt=-2,
    r={"hip": 92, "knee": 88, "sole": None, "ankle": 8, "shoulder": -30, "elbow": 80, "fist": True},
    l={"shoulder": 36, "elbow": 88, "fist": True},
)
STANDING_LIFT = Drawing(
    "standing-band-lift",
    "Standing band knee lift",
    (
        Frame(
            "Stand tall, a band around both feet.",
            _TALL,
            props=(Band(("ankle_r", 6, -2.5, 0), ("ankle_l", 6, -2.5, 0), (4, 4)),),
        ),
        Frame(
            "Lift one knee to hip height, slowly. Stay tall on the other leg.",
            _KNEE_UP,
            ("hip flexors r",),
            ghost=_TALL,
            arrows=(Arrow("knee_r", (13, -3), bow=0.25, start=0.2),),
        ),
    ),
    "ana",
    props=_FOOT_BAND,
    loop=(0, 1),
)

_ONE_BENT = SUPINE.but(r={"hip": 4, "knee": 2, "ankle": 8}, pins={"foot_l": sole(42, "l")})
_RAISED = _ONE_BENT.but(r={"hip": 62})
LEG_RAISE = Drawing(
    "straight-leg-raise",
    "Straight-leg raise",
    (
        Frame("One knee bent, the other leg long.", _ONE_BENT),
        Frame(
            "Raise the long leg until both thighs are side by side. Lower slowly.",
            _RAISED,
            ("hip flexors r", "quads r"),
            ghost=_ONE_BENT,
            arrows=(Arrow("ankle_r", (8, 8), bow=0.22, start=0.12, end=0.84),),
        ),
    ),
    "june",
    props=(Mat(-92, 98),),
    loop=(0, 1),
)

_KNEEL = Pose(
    rests={"knee_r": 0, "toe_r": 0},
    anchor=("knee_r", 0, 9),
    free=("lean",),
    tilt=-2,
    r=Side(hip=0, knee=92, ankle=-48, shoulder=20, elbow=100, raised=10),
    l=Side(hip=0, knee=92, ankle=-48, shoulder=20, elbow=100, raised=10),
    pins={
        "hand_r": Pin(("chest", 12, 2, -6), along=(0.15, 0.5, -1), palm=(-1, 0, 0), pole=(0.3, -1, 0.6)),
        "hand_l": Pin(("chest", 13, 4, 6), along=(0.15, 0.5, 1), palm=(-1, 0, 0), pole=(0.3, -1, -0.6)),
    },
)
_LEAN_BACK = _KNEEL.but(r={"hip": -2, "knee": 122}, l={"hip": -2, "knee": 122}, lean=-28)
REVERSE_NORDIC = Drawing(
    "reverse-nordic",
    "Reverse Nordic",
    (
        Frame("Kneel tall on a soft mat.", _KNEEL),
        Frame(
            "Lean back a little from the knees, hips straight. Come back before it strains.",
            _LEAN_BACK,
            ("quads r",),
            ghost=_KNEEL,
            arrows=(Arrow("head", (-14, 6), bow=-0.15),),
        ),
    ),
    "marcus",
    props=(Mat(-60, 40),),
    loop=(0, 1),
)

ALL = (SEATED_HOLD, SUPINE_MARCH, BAND_MARCH, STANDING_LIFT, LEG_RAISE, REVERSE_NORDIC)
