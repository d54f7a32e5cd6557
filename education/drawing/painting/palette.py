"""Colors and strokes of the pictures: two greens, paper and skin; coral only for the working muscle.

Variables carry the colors, so that a page can change them; a lone file has its own for a light and a dark screen, and
prints in the light ones.
"""

from education.drawing.body.people import HAIR, SKIN, Person

LIGHT = {
    "shirt": "#226751", "shirt-far": "#174f3e", "shirt-edge": "#0f3b2e",
    "shorts": "#9cc7b4", "shorts-far": "#7dab97", "shorts-edge": "#477b68",
    "shoe": "#2f413c", "sole": "#f6f1e6", "shoe-edge": "#1a2622",
    "muscle": "#d24e26", "halo": "#fffdf8", "arrow": "#1d5c4b", "line": "#88a79a", "soft": "#c5d8ce",
    "prop": "#dde7e1", "prop-top": "#eef3ef", "prop-edge": "#7b9a8d", "band": "#3f8f76", "ink": "#24302c",
}  # fmt: skip
DARK = LIGHT | {
    "shirt": "#2f846a", "shirt-far": "#236551", "shoe": "#c7d5cd",
    "muscle": "#ff8a62", "halo": "#18221f", "arrow": "#9be0c8", "line": "#5d776c", "soft": "#2a3a34",
    "prop": "#2b3d36", "prop-top": "#3a5048", "prop-edge": "#6d8a7e", "band": "#66b89d", "ink": "#e9efec",
}  # fmt: skip
EDGE = 11
NAMES = {  # the variable of each color: short, as every picture carries them
    "shirt": "t", "shirt-far": "tf", "shirt-edge": "te", "shorts": "p", "shorts-far": "pf", "shorts-edge": "pe",
    "shoe": "b", "sole": "w", "shoe-edge": "be", "muscle": "m", "halo": "o", "arrow": "a", "line": "l", "soft": "g",
    "prop": "q", "prop-top": "r", "prop-edge": "qe", "band": "f", "ink": "i",
    "skin": "s", "skin-edge": "se", "skin-far": "sf", "hair": "h", "mark": "x",
}  # fmt: skip
RULES = {  # class: fill, stroke, width of the stroke (0: inherited or none); "d" is shade
    "s": ("skin", "skin-edge", EDGE), "sf": ("skin-far", "skin-edge", EDGE),  # skin, and that of far limbs
    "u": ("skin", "", 0), "uf": ("skin-far", "", 0),  # patch on a joint
    "t": ("shirt", "shirt-edge", EDGE), "tf": ("shirt-far", "shirt-edge", EDGE), "y": ("shirt", "", 0),
    "p": ("shorts", "shorts-edge", EDGE), "pf": ("shorts-far", "shorts-edge", EDGE), "v": ("shorts", "", 0),
    "k": ("sole", "shorts-edge", EDGE), "b": ("shoe", "shoe-edge", EDGE), "w": ("sole", "shoe-edge", EDGE),  # sock, shoe, sole
    "h": ("hair", "", 0), "x": ("mark", "", 0), "l": ("", "mark", 8),  # hair, eyes, lines of the face
    "m": ("muscle", "halo", 18),
    "a": ("", "arrow", 22), "c": ("arrow", "", 0),  # arrow and its tip
    "n": ("", "halo", 30), "vl": ("", "arrow", 16),  # a line such as the pelvis, with its halo below
    "o": ("halo", "arrow", 12), "z": ("halo", "ink", 12), "i": ("", "ink", 22),  # marks of right and wrong; handles
    "g": ("", "soft", 0), "gg": ("soft", "", 0), "e": ("", "line", 12),  # where a limb was, shadow, floor
    "q": ("prop", "prop-edge", 10), "r": ("prop-top", "prop-edge", 10), "ba": ("band", "shirt-edge", EDGE),  # blocks, ball
    "f": ("", "band", 40), "j": ("", "prop-edge", 40),  # band, and its far side
}  # fmt: skip


def colors(person: Person, *, dark: bool) -> dict[str, str]:
    """Return the variables of a person's picture on a light or a dark screen."""
    skin, edge, far = SKIN[person.skin]
    mark = "#2a1710" if person.skin == "deep" else "#4c2a1b"
    own = {"skin": skin, "skin-edge": edge, "skin-far": far, "hair": HAIR[person.hair][dark], "mark": mark}
    return (DARK if dark else LIGHT) | own


def style(person: Person, used: set[str]) -> str:
    """Return the style sheet of a lone picture, with only the classes that it uses."""
    rules = {css: RULES[css] for css in RULES if css in used}
    names = {name for fill, stroke, _ in rules.values() for name in (fill, stroke) if name}
    light, dark = colors(person, dark=False), colors(person, dark=True)
    day, night = (
        ";".join(
            f"--{NAMES[name]}:{shown[name]}"
            for name in shown
            if name in names and (shown is light or shown[name] != light[name])
        )
        for shown in (light, dark)
    )
    lines = f"stroke-linejoin:round;stroke-linecap:round;paint-order:stroke;stroke-width:{EDGE}"
    out = [f"svg{{{lines};{day}}}@media screen and (prefers-color-scheme:dark){{svg{{{night}}}}}"]
    if "d" in used:
        out.append(".d{fill:#2a1208;opacity:.14}")
    for css, (fill, stroke, width) in rules.items():
        parts = [f"fill:var(--{NAMES[fill]})" if fill else "fill:none"]
        if stroke:
            parts.append(f"stroke:var(--{NAMES[stroke]})")
        if stroke and width and width != EDGE:
            parts.append(f"stroke-width:{width}")
        out.append(f".{css}{{{';'.join(parts)}}}")
    return "".join(out)


def other_person(person: Person) -> str:
    """Return the rule that gives a second person in a picture their own skin and hair."""
    own = colors(person, dark=False)
    names = ("skin", "skin-edge", "skin-far", "hair", "mark")
    return ".p2{" + ";".join(f"--{NAMES[name]}:{own[name]}" for name in names) + "}"
