"""Five phases of a running stride and the moves of a warm-up.

The phases follow Novacheck 1998 (10.1016/S0966-6362(97)00038-6): contact, mid-stance, toe-off, and flight with a leg in
swing; the angles are drawn, not measured.
"""

from typing import Any

from education.drawing.body.skeleton import Pin, Pose, Side, mirrored
from education.drawing.exercises.starts import STAND
from education.drawing.painting.props import wall
from education.drawing.pictures import Arrow, Drawing, Frame


def _stride(r: dict[str, Any], l: dict[str, Any], arms: float, lean: float = 7, **more: Any) -> Pose:  # noqa: E741
    """Return a running pose; `arms` is how far the left arm is ahead, in degrees."""
    return Pose(
        lean=lean,
        tilt=3,
        ribs=4,
        moving=True,
        neck=-6,
        ribs_twist=-arms / 6,
        r=Side(shoulder=-arms - 4, elbow=92 - arms / 5, fist=True, raised=10, **r),
        l=Side(shoulder=arms - 4, elbow=92 + arms / 5, fist=True, raised=10, **l),
        **more,
    )


CONTACT = _stride({"hip": 36, "knee": 18, "sole": -8}, {"hip": 6, "knee": 92, "ankle": -18}, 26, rests={"foot_r": 0})
MIDSTANCE = _stride({"hip": 26, "knee": 42, "sole": 0}, {"hip": 34, "knee": 112, "ankle": -10}, 2, rests={"foot_r": 0})
TOE_OFF = _stride({"hip": -6, "knee": 18, "sole": 44}, {"hip": 64, "knee": 96, "ankle": 2}, -38, rests={"foot_r": 0})
FLOAT = _stride({"hip": -8, "knee": 62, "ankle": -28}, {"hip": 60, "knee": 58, "ankle": 4}, -40, height=101)
SWING = _stride({"hip": 46, "knee": 108, "ankle": 0}, {"hip": 18, "knee": 34, "sole": 0}, -4, rests={"foot_l": 0})
STRIDE = Drawing(
    "running-stride",
    "A running stride",
    (
        Frame("Contact: the foot lands close under the body, the knee soft.", CONTACT),
        Frame("Mid-stance: hip, knee and ankle give a little and carry you.", MIDSTANCE),
        Frame("Toe-off: the hip opens behind and the foot pushes.", TOE_OFF),
        Frame("Float: both feet are in the air.", FLOAT),
        Frame("Swing: the hip flexors bring the knee through.", SWING, ("hip flexors r",)),
    ),
    "maya",
)


_HALF = (CONTACT, MIDSTANCE, TOE_OFF, FLOAT)
LOOP = Drawing(
    "running-loop",
    "Running",
    tuple(Frame(f"Moment {number}", pose) for number, pose in enumerate((*_HALF, *map(mirrored, _HALF)), 1)),
    "maya",
    loop=tuple(range(8)),
)

_LEG_SWING = STAND.but(
    rests={"foot_l": 0},
    anchor=("ankle_l", 0, -9),
    leans=True,
    l={"shoulder": 50, "elbow": 40},
    pins={"hand_l": Pin((34, 122, -24), along=(0.2, 1, 0), palm=(1, 0, 0))},
)
_SWING_FRONT = _LEG_SWING.but(r={"hip": 48, "knee": 8, "sole": None, "ankle": 4, "shoulder": -24, "elbow": 20})
_SWING_BACK = _LEG_SWING.but(tilt=8, r={"hip": -18, "knee": 34, "sole": None, "ankle": -6, "shoulder": 28, "elbow": 30})

_LUNGE = Pose(
    height=60,
    anchor=("hips", 0, 0),
    tilt=4,
    waist=-4,
    ribs=-4,
    r=Side(shoulder=168, elbow=8, raised=6),
    l=Side(shoulder=168, elbow=8, raised=6),
    pins={"foot_r": Pin((40, 0, 9)), "foot_l": Pin((-44, 1, -9), tilt=62, pole=(1, -0.8, 0))},
    moving=True,
)
_MARCH = STAND.but(
    rests={"foot_l": 0},
    stands_on="l",
    moving=True,
    anchor=("ankle_l", 0, -9),
    l={"sole": 0, "hip": 0, "shoulder": 40, "elbow": 92, "fist": True},
    r={"hip": 94, "knee": 96, "sole": None, "ankle": 8, "shoulder": -40, "elbow": 86, "fist": True},
)
_BOUNCE = STAND.but(
    rests={"foot_r": 3, "foot_l": 3},
    moving=True,
    r={"sole": 34, "knee": 6, "hip": 4, "shoulder": 2, "elbow": 74, "fist": True},
    l={"sole": 34, "knee": 6, "hip": 4, "shoulder": 2, "elbow": 74, "fist": True},
)
WARM_UP = Drawing(
    "warm-up",
    "Warm-up",
    (
        Frame(
            "Swing one leg forward and back, holding on to something.",
            _SWING_FRONT,
            ghost=_SWING_BACK,
            arrows=(Arrow("ankle_r", (2, -8), bow=-0.22),),
            props=(wall(39, 150, (-46, -10)),),
        ),
        Frame("Walking lunge, arms reaching up.", _LUNGE),
        Frame("High-knee march: knee up, toes up, stand tall.", _MARCH),
        Frame("Ankle bounces: small, quick and light.", _BOUNCE, arrows=(Arrow("ankle_r", (-20, 0), by=(0, 12)),)),
    ),
    "marcus",
)

ALL = (STRIDE, LOOP, WARM_UP)
