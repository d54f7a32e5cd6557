"""Exercises on the feet: side of the hip, inner thigh, calf and shin."""

from education.drawing.body.skeleton import Pin, Pose, Side
from education.drawing.exercises.starts import STAND, SUPINE, soles
from education.drawing.painting.props import Ball, Band, Block, Mat, bench, step, wall
from education.drawing.pictures import Arrow, Drawing, Frame

_ON_HIPS = {
    f"hand_{side}": Pin(
        ("hips", 4, 11, sign * 15), along=(0.5, -0.5, -sign * 0.5), palm=(0, -0.4, -sign), pole=(-0.4, -0.1, sign)
    )
    for side, sign in (("r", 1), ("l", -1))
}
_PELVIS = (("hips", 10, 7, -13.0), ("hips", 10, 7, 13.0))


def _soft_knees(right: float, left: float) -> Pose:
    return Pose(
        tilt=20,
        waist=-2,
        height=81,
        anchor=("hips", -6, (right + left) / 2),
        pins={
            "foot_r": Pin((0, 0, right), pole=(1, 0, 0.25)),
            "foot_l": Pin((0, 0, left), pole=(1, 0, -0.25)),
            **_ON_HIPS,
        },
    )


_NARROW, _WIDE = _soft_knees(13, -13), _soft_knees(38, -13)
_KNEE_BAND = (Band(("ankle_r", 0, 6, 0), ("ankle_l", 0, 6, 0), (4, 4)),)
SIDE_STEPS = Drawing(
    "band-side-steps",
    "Band side steps",
    (
        Frame("Band around the ankles, knees soft, hands on the hips.", _NARROW),
        Frame(
            "Step out against the band. Pelvis level, knees over the toes. Bring the other foot in slowly.",
            _WIDE,
            ("side of the hip r", "side of the hip l"),
            arrows=(Arrow("ankle_r", (-16, 22), by=(-20, 0)),),
            lines=(_PELVIS,),
        ),
    ),
    "ana",
    view=(82, 0),
    props=_KNEE_BAND,
    loop=(0, 1),
)

_HITCH_DOWN = STAND.but(
    rests={"foot_r": 16},
    stands_on="r",
    anchor=("ankle_r", 0, 8),
    list=-11,
    waist_side=11,
    r={"abduction": -11, "raised": 12},
    l={"abduction": 17, "sole": 0, "raised": 14, "knee": 0},
)
_HITCH_UP = _HITCH_DOWN.but(list=9, waist_side=-9, r={"abduction": 9}, l={"abduction": -9})
HIP_HITCH = Drawing(
    "hip-hitch",
    "Hip hitch on a step",
    (
        Frame("Stand on one leg at the edge of a step. Let the free hip sink.", _HITCH_DOWN, lines=(_PELVIS,)),
        Frame(
            "Draw the free hip up until the pelvis is a little above level. Both knees stay straight.",
            _HITCH_UP,
            ("side of the hip r",),
            arrows=(Arrow("ankle_l", (14, 6), by=(0, 14)),),
            lines=(_PELVIS,),
        ),
    ),
    "tom",
    view=(90, 0),
    props=(Block((-16, 0, 3.4), (30, 16, 29)),),
    loop=(0, 1),
)

_STANCE = STAND.but(
    rests={"foot_r": 0},
    stands_on="r",
    anchor=("ankle_r", 0, 2),
    r={"abduction": -4, "raised": 12},
    l={"hip": 34, "knee": 62, "sole": None, "ankle": 4, "raised": 12, "abduction": 4},
    list=0,
)
_SQUAT = Pose(
    tilt=36,
    waist=2,
    height=65,
    anchor=("hips", -19, 1),
    l=Side(hip=112, knee=52, ankle=6, shoulder=62, elbow=12, raised=4),
    r=Side(shoulder=62, elbow=12, raised=4),
    pins={"foot_r": Pin((0, 0, 4), pole=(1, 0, 0.12))},
)
_CAVE = _SQUAT.but(
    list=-12,
    waist_side=14,
    turn=-8,
    anchor=("hips", -18, 6),
    pins={"foot_r": Pin((0, 0, 4), pole=(1, 0, -0.72))},
)
_BOX = Block((-52, 0, -26), (-14, 40, 26))
BOX_SQUAT = Drawing(
    "single-leg-squat",
    "Single-leg squat",
    (
        Frame("Stand on one leg before a high box or chair.", _STANCE.but(l={"hip": 24, "knee": 34})),
        Frame(
            "Sit back slowly until you touch the box. Knee over the foot, pelvis level.",
            _SQUAT,
            ("glutes r",),
            lines=(_PELVIS,),
            mark="right",
        ),
        Frame("Common mistake: the knee falls in and the other hip drops.", _CAVE, lines=(_PELVIS,), mark="wrong"),
    ),
    "maya",
    view=(60, 0),
    props=(_BOX,),
    loop=(0, 1),
)

_BALL_AT = ("knee_r", 3, 3, -12.0)
_SQUEEZE = SUPINE.but(pins={**soles(40, z=10.0)}, r={}, l={})
_SQUEEZE = _SQUEEZE.but(
    pins={
        "foot_r": Pin((40, 0, 15), pole=(0.6, 1, 0.12)),
        "foot_l": Pin((40, 0, -15), pole=(0.6, 1, -0.12)),
    }
)
SQUEEZE = Drawing(
    "ball-squeeze",
    "Ball squeeze",
    (
        Frame(
            "Press the knees into a ball or a folded pillow. Hold, breathe, let go.",
            _SQUEEZE,
            ("adductors l",),
        ),
    ),
    "june",
    view=(38, 16),
    props=(Mat(-94, 72, -42, 42), Ball(_BALL_AT, 11)),
)

_COPENHAGEN_DOWN = Pose(
    base="side",
    rests={"elbow_r": 0, "knee_l": 42},
    free=("list",),
    anchor=("shoulder_r", -42, 0),
    waist_side=-8,
    r=Side(hip=8, abduction=4, knee=84, ankle=-30),
    l=Side(hip=8, abduction=16, knee=84, ankle=-30),
    pins={
        "hand_r": Pin((-30, 2.9, 30), along=(0.3, -0.03, 1), palm=(0, -1, 0), pole=(-0.4, -1, -0.6)),
        "hand_l": Pin(("hips", 6, 10, -15), along=(0.3, -0.6, 0.4), palm=(0, -1, 0.2), pole=(-0.3, 1, 0.1)),
    },
)
_COPENHAGEN_UP = _COPENHAGEN_DOWN.but(waist_side=0, r={"abduction": 14}, l={"abduction": -4})
COPENHAGEN = Drawing(
    "copenhagen",
    "Copenhagen side lift",
    (
        Frame("Forearm on the floor, top knee on a bench.", _COPENHAGEN_DOWN),
        Frame(
            "Lift the hips and bring the lower knee up beside the bench.",
            _COPENHAGEN_UP,
            ("adductors l",),
            arrows=(Arrow("hips", (-2, 25), by=(0, 14)),),
        ),
    ),
    "june",
    view=(0, 6),
    props=bench(44, 40, 42, (-30, 10)),
    loop=(0, 1),
)


def _calf(tilt: float, height: float, hands: float) -> Pose:
    return Pose(
        tilt=1,
        height=height,
        anchor=("hips", 3, 0),
        pins={
            "foot_r": Pin((-2, 18, 9), tilt=tilt, ball=True),
            "foot_l": Pin((-2, 18, -9), tilt=tilt, ball=True),
            **{f"hand_{s}": Pin((45, hands, z), along=(0.3, 1, 0), palm=(1, 0, 0)) for s, z in (("r", 15), ("l", -15))},
        },
    )


_HEELS_LOW, _HEELS_HIGH = _calf(-14, 104.5, 146), _calf(36, 114.5, 154)
CALF_RAISE = Drawing(
    "calf-raise",
    "Calf raise",
    (
        Frame("Balls of the feet on a step, heels low.", _HEELS_LOW),
        Frame(
            "Rise over the big toes, pause, and lower slowly.",
            _HEELS_HIGH,
            ("calf r",),
            arrows=(Arrow("ankle_r", (-17, 0), by=(0, 14)),),
        ),
    ),
    "tom",
    props=(step(5, 28, 18), wall(52)),
    loop=(0, 1),
)

_LEAN = STAND.but(
    lean=-13,
    tilt=4,
    leans=True,
    waist=4,
    rests={"heel_r": 0},
    anchor=("ankle_r", 22, 9),
    r={"sole": 0, "shoulder": 2, "hip": 0},
    l={"sole": 0, "shoulder": 2, "hip": 0},
)
_TOES_UP = _LEAN.but(r={"sole": -24}, l={"sole": -24})
TOE_RAISE = Drawing(
    "wall-toe-raise",
    "Toe raise at a wall",
    (
        Frame("Lean your back against a wall, heels a foot’s length away.", _LEAN),
        Frame(
            "Pull both forefeet up as far as they go. Lower slowly.",
            _TOES_UP,
            ("shin r",),
            arrows=(Arrow("ball_r", (12, 2), by=(-2, 12), bow=-0.2),),
        ),
    ),
    "june",
    props=(wall(-14),),
    loop=(0, 1),
)

ALL = (SIDE_STEPS, HIP_HITCH, BOX_SQUAT, SQUEEZE, COPENHAGEN, CALF_RAISE, TOE_RAISE)
