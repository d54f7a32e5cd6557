"""The people in the pictures: height, build, hair, skin and clothes as data."""

from dataclasses import dataclass

SKIN = {  # skin, its edge, skin of the far limbs
    "fair": ("#ebc3a4", "#b97f5e", "#d9ab89"),
    "tan": ("#d9a679", "#9c6540", "#c18c60"),
    "brown": ("#a66e47", "#6b4024", "#8e5a37"),
    "deep": ("#7a4c33", "#452616", "#643b27"),
}
HAIR = {
    "dark": ("#33261f", "#54433a"),
    "brown": ("#6a452c", "#7d5638"),
    "gray": ("#9aa19d", "#c3cac5"),
}  # on a light, on a dark screen


@dataclass(frozen=True)
class Person:
    """Height in cm; the other measures are factors of the usual figure. Hair is a cut of `head.py` and a color."""

    height: float = 170.0
    girth: float = 1.0
    shoulders: float = 1.0
    waist: float = 1.0
    hips: float = 1.0
    bust: float = 0.0
    skin: str = "tan"
    cut: str = "short"
    hair: str = "dark"
    sleeve: float = 0.42
    shorts: float = 0.46


ANA = Person(166, 0.95, 0.93, 0.92, 1.04, 1.0, "tan", "bun", "dark", 0.2, 0.4)
MARCUS = Person(178, 1.0, 1.03, 1.0, 0.97, 0.0, "deep", "short", "dark", 0.42, 0.5)
JUNE = Person(164, 0.99, 0.95, 0.99, 1.05, 0.9, "fair", "bob", "gray", 0.4, 0.72)
TOM = Person(176, 1.06, 1.02, 1.1, 1.0, 0.0, "fair", "short", "brown", 0.42, 0.5)
MAYA = Person(168, 0.97, 0.93, 0.93, 1.05, 1.0, "brown", "ponytail", "dark", 0.2, 0.86)

PEOPLE = {"ana": ANA, "marcus": MARCUS, "june": JUNE, "tom": TOM, "maya": MAYA}
