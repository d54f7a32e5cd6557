"""Lengths, outlines, masses and joint limits of the body.

Segment lengths as a share of stature: Drillis and Contini 1966, in Winter, Biomechanics and Motor Control of Human
Movement, 4th ed. 2009, fig. 4.1 (10.1002/9780470549148). Mass shares and centers of mass: table 4.1 there. Outlines are
drawn, not measured: girths of a slim adult of 170 cm (thigh 53, knee 36, calf 35, ankle 22, upper arm 29, wrist 16 cm).
Limits: ranges of motion of the American Academy of Orthopaedic Surgeons (1965) as clinics use them, hip extension,
toes and spine with the slack of a whole-body pose.
"""

from dataclasses import dataclass

STATURE = 170.0
THIGH = 0.245 * STATURE
SHANK = 0.246 * STATURE
ANKLE_HEIGHT = 0.039 * STATURE
UPPER_ARM = 0.186 * STATURE
FOREARM = 0.146 * STATURE
HAND = 0.108 * STATURE
HIP_APART = 0.052 * STATURE  # from the middle to a hip joint, inside the outer breadth of 0.191
SHOULDER_APART = 0.100 * STATURE  # inside the outer breadth of 0.259
BALL_AHEAD = 11.5  # from the ankle to the ball of the foot

# Heights of the spine's joints above the one below: the shoulder ends at 0.818 and the chin at 0.870 of stature.
SPINE = {"pelvis": 0.060, "waist": 0.050, "belly": 0.050, "ribs": 0.085, "chest": 0.070, "neck": 0.048}
SHOULDER_UP = 0.021 * STATURE  # above the joint between ribs and chest; the acromion, at 0.818, lies over the joint

MASS = {
    "trunk": 0.497,
    "head": 0.081,
    "thigh": 0.100,
    "shank": 0.0465,
    "foot": 0.0145,
    "upper": 0.028,
    "fore": 0.016,
    "hand": 0.006,
}
CENTER = {"thigh": 0.433, "shank": 0.433, "foot": 0.5, "upper": 0.436, "fore": 0.430, "hand": 0.506}  # from the top

LIMITS = {
    "hip": (-30, 130),
    "abduction": (-30, 50),
    "rotation": (-45, 55),
    "knee": (-3, 150),
    "ankle": (-55, 30),
    "toe": (-10, 75),
    "shoulder": (-60, 185),
    "elbow": (-3, 152),
    "waist": (-30, 60),
    "ribs": (-30, 45),
    "neck": (-60, 60),
    "head": (-35, 35),
}


@dataclass(frozen=True)
class Ring:
    """One cross-section: how far along its segment, half depth and half width, and how far it is moved ahead and out."""

    along: float
    depth: float
    width: float
    ahead: float = 0.0
    out: float = 0.0


def _rings(*rows: tuple[float, ...]) -> tuple[Ring, ...]:
    return tuple(Ring(*row) for row in rows)


# Limbs: `along` is the share of the segment's length, from its top.
LIMB_RINGS = {
    "thigh": _rings(
        (0.0, 8.3, 7.0, -0.5, -0.4),
        (0.16, 8.7, 7.6, 0.0, 0.2),
        (0.42, 7.7, 7.0, 0.8, 0.3),
        (0.70, 6.3, 5.9, 0.6, 0.0),
        (0.88, 5.5, 5.2, 0.4, 0.0),
        (1.0, 5.3, 5.1, 0.3, 0.0),
    ),
    "shank": _rings(
        (0.0, 5.3, 5.1, 0.3, 0.0),
        (0.10, 5.0, 5.0, 0.1, 0.0),
        (0.23, 5.5, 5.5, -0.9, 0.1),
        (0.38, 5.5, 5.4, -1.3, 0.2),
        (0.58, 4.3, 4.3, -0.9, 0.0),
        (0.80, 3.3, 3.4, -0.4, 0.0),
        (1.0, 3.2, 3.3, 0.0, 0.0),
    ),
    "upper": _rings(
        (0.0, 4.9, 4.6),
        (0.18, 5.2, 4.8),
        (0.48, 4.7, 4.3, 0.2),
        (0.78, 3.9, 3.7),
        (1.0, 3.7, 3.6),
    ),
    "fore": _rings(
        (0.0, 3.7, 3.6),
        (0.20, 4.1, 3.9, 0.1),
        (0.60, 3.2, 3.0),
        (0.9, 2.5, 2.4),
        (1.0, 2.5, 2.3),
    ),
    "hand": _rings(
        (0.0, 2.5, 2.1),
        (0.22, 3.6, 2.0),
        (0.45, 4.1, 1.9, 0.1),
        (0.68, 3.7, 1.6, 0.0, -0.3),
        (0.86, 3.0, 1.3, -0.1, -0.8),
        (1.0, 1.9, 1.0, -0.2, -1.2),
    ),
    "fist": _rings((0.0, 2.5, 2.2), (0.2, 3.6, 2.7), (0.38, 4.1, 3.2), (0.55, 3.6, 2.9), (0.62, 2.4, 2.0)),
}

# The trunk: (segment, height above the segment's lower joint) and the same numbers, in cm at 170 cm.
TRUNK_RINGS: tuple[tuple[str, Ring], ...] = (
    ("pelvis", Ring(-6.5, 6.2, 8.0, -2.2)),
    ("pelvis", Ring(-3.0, 9.3, 13.2, -2.4)),
    ("pelvis", Ring(1.0, 10.9, 15.2, -1.8)),
    ("pelvis", Ring(5.0, 10.3, 15.0, -1.1)),
    ("pelvis", Ring(9.0, 9.3, 13.9, -0.3)),
    ("waist", Ring(2.5, 8.6, 12.9, 0.6)),
    ("belly", Ring(2.5, 8.5, 12.6, 0.9)),
    ("ribs", Ring(1.0, 9.2, 13.2, 0.9)),
    ("ribs", Ring(6.0, 10.4, 14.5, 0.7)),
    ("ribs", Ring(11.0, 11.0, 15.8, 0.4)),
    ("chest", Ring(2.0, 10.7, 16.9, 0.0)),
    ("chest", Ring(5.5, 9.4, 17.2, -0.6)),
    ("chest", Ring(8.0, 8.0, 16.0, -0.9)),
    ("chest", Ring(9.8, 7.0, 12.8, -1.0)),
    ("chest", Ring(11.4, 6.4, 9.4, -1.0)),
    ("chest", Ring(12.8, 5.9, 7.1, -0.8)),
)
WAISTBAND = 5  # the ring where shorts end and the shirt comes out
