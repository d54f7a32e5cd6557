"""Answers and the flags that they raise."""

from hypothesis import strategies as st


@st.composite
def some_answers(draw, items):
    """Draw any options for some of the questions that the rules read."""
    chosen = {}
    for item in draw(st.lists(st.sampled_from(items), max_size=8, unique_by=lambda item: item.link_id)):
        chosen[item.link_id] = [draw(st.sampled_from([option.code for option in item.options]))]
    return chosen


LEG, BODY, MOVE, SIGNS, HEALTH = "rf.leg", "rf.body", "rf.move", "rf.signs", "med.conditions"

KNEE = {"loc.map": ["knee"]}

SUDDEN = {"on.mode": ["sudden"]}


# rule, level, deadline, and the answers that differ from QUIET, the runner who raises no flag
ROWS = [
    ("RF01", "E", "now", {LEG: ["saddle"]}),
    ("RF02", "E", "now", {LEG: ["bladder"]}),
    ("RF03", "E", "now", {LEG: ["both-legs"]}),
    ("RF04", "E", "now", {BODY: ["unwell"], "rf.unwell.hip": ["yes"]}),
    ("RF05", "E", "now", {LEG: ["cannot-stand"]}),
    ("RF06", "E", "now", {LEG: ["crack"]}),
    ("RF07", "E", "now", {LEG: ["no-weight"]}),
    ("RF08", "E", "now", {BODY: ["chest"]}),
    ("RF09", "E", "now", {BODY: ["testicle"]}),
    ("RF10", "E", "now", {BODY: ["bulge"]}),
    ("RF11", "E", "now", {BODY: ["belly"]}),
    ("RF12", "E", "now", {BODY: ["pregnant-belly"]}),
    ("RF13", "E", "now", {LEG: ["cold-leg"]}),
    ("RF14", "E", "now", {LEG: ["thinner-pain"]}),
    ("RF14", "E", "now", {HEALTH: ["thinner"], **SUDDEN, "on.sudden": ["bruise"]}),
    ("RF14", "E", "now", {HEALTH: ["thinner"], "mech": ["give-way"]}),
    ("RF15", "E", "now", {BODY: ["dark-urine"]}),
    ("RF16", "U", "24 h", {MOVE: ["walk-groin"]}),
    ("RF16", "U", "24 h", {MOVE: ["limp"]}),
    ("RF17", "U", "24 h", {MOVE: ["landing"]}),
    ("RF18", "U", "48 h", {MOVE: ["rest-night"]}),
    ("RF19", "U", "48 h", {MOVE: ["earlier-worse"]}),
    ("RF20", "U", "48 h", {"hist.bsi": ["hip"]}),
    ("RF20", "U", "48 h", {"hist.bsi": ["several"]}),
    ("RF21", "U", "48 h", {"bone.periods": ["yes"]}),
    ("RF21", "T", "at the visit", {"bone.periods": ["yes"], **KNEE}),
    ("RF22", "U", "48 h", {"bone.fuel": ["yes"], MOVE: ["rest-night"]}),
    ("RF22", "T", "at the visit", {"bone.fuel": ["yes"]}),
    ("RF23", "U", "48 h", {HEALTH: ["bone-weak"]}),
    ("RF23", "U", "48 h", {HEALTH: ["steroid-tablets"]}),
    ("RF24", "U", "1 week", {HEALTH: ["bone-blood"], "rf.deep": ["yes"]}),
    ("RF25", "U", "same day", {"about.age": ["under-18"], MOVE: ["limp"], "rf.young.pop": ["no"], **KNEE}),
    ("RF25", "E", "now", {"about.age": ["under-18"], LEG: ["no-weight"], "rf.young.pop": ["no"]}),
    ("RF26", "U", "24 h", {"about.age": ["18-20"], "rf.young.pop": ["yes"]}),
    ("RF26", "U", "24 h", {"about.age": ["under-18"], "rf.young.pop": ["yes"]}),
    ("RF27", "U", "same day", {SIGNS: ["calf-swollen"]}),
    ("RF28", "U", "48 h", {SIGNS: ["cancer"]}),
    ("RF29", "U", "48 h", {SIGNS: ["weight-sweats"]}),
    ("RF30", "U", "24 h", {MOVE: ["foot-slap"], "rf.foot.fast": ["no"]}),
    ("RF30", "E", "now", {MOVE: ["foot-slap"], "rf.foot.fast": ["yes"]}),
    ("RF30", "U", "24 h", {"comp": ["toes"], "comp.toes.new": ["yes"], "comp.toes.fast": ["no"]}),
    ("RF30", "E", "now", {"comp": ["toes"], "comp.toes.new": ["yes"], "comp.toes.fast": ["yes"]}),
    ("RF31", "U", "48 h", {SIGNS: ["lump"]}),
    ("RF32", "U", "24 h", {SIGNS: ["urine"]}),
    ("RF32", "E", "now", {SIGNS: ["urine"], BODY: ["unwell"], "rf.unwell.hip": ["no"]}),
    ("RF33", "U", "48 h", {SIGNS: ["pregnancy-standing"]}),
    ("RF34", "U", "same day", {MOVE: ["fall-sore"], "about.age": ["50-up"]}),
    ("RF34", "U", "same day", {MOVE: ["fall-sore"], HEALTH: ["bone-weak"], **KNEE}),
    ("RF35", "T", "at the visit", {HEALTH: ["inflammatory"]}),
    ("RF36", "T", "at the visit", {"mech": ["lock"]}),
    ("RF36", "T", "at the visit", {"mech": ["give-way"]}),
    ("RF37", "T", "at the visit", {**SUDDEN, "on.sudden": ["bruise"]}),
    ("RF38", "T", "at the visit", {HEALTH: ["antibiotic"]}),
    ("RF39", "T", "at the visit", {HEALTH: ["painkillers"]}),
    ("RF40", "T", "at the visit", {HEALTH: ["hip-surgery"], "rf.hip.new": ["no"]}),
    ("RF40", "U", "24 h", {HEALTH: ["hip-surgery"], "rf.hip.new": ["yes"]}),
    ("RF41", "T", "at the visit", {HEALTH: ["immune"]}),
]
