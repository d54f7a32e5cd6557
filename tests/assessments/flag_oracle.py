"""Test oracle: the red-flag table and the rules of the summary as plain code, written from the clinical table.

It covers the current intake, including which questions are hidden, and shares no code or rule data with the engine.
"""

UNSURE = "unsure"
HIP, GROIN = {"front-hip", "groin", "pubic", "outer-hip"}, {"front-hip", "groin", "pubic"}
YOUNG_PLACES = HIP | {"inner-thigh", "front-thigh", "back-thigh", "buttock", "knee"}


class Told:
    """The answers of one runner to the questions that were shown."""

    def __init__(self, answers: dict[str, list]):
        self.answers = answers

    def all(self, question: str) -> set:
        return set(self.answers.get(question, []))

    def ticked(self, question: str, sign: str) -> bool:
        return sign in self.all(question)

    def maybe(self, question: str, sign: str) -> bool:
        """Return whether the sign is checked, or named as the one they are not sure about."""
        named = UNSURE in self.all(question) and sign in self.all(f"{question}.unsure")
        return self.ticked(question, sign) or named

    def yes_or_unsure(self, question: str, *yes: str) -> bool:
        return bool(self.all(question) & {*(yes or ("yes",)), UNSURE})

    def hurts_in(self, places: set, *, is_careful: bool = True) -> bool:
        return bool(self.all("loc.map") & (places | ({UNSURE} if is_careful else set())))

    @property
    def age(self) -> str:
        return next(iter(self.all("about.age")), "")

    def number(self, question: str) -> float | None:
        given = self.answers.get(question)
        return float(given[0]) if given else None


LEG = {
    "RF01": "saddle",
    "RF02": "bladder",
    "RF03": "both-legs",
    "RF05": "cannot-stand",
    "RF06": "crack",
    "RF07": "no-weight",
    "RF13": "cold-leg",
}
BODY = {
    "RF08": "chest",
    "RF09": "testicle",
    "RF10": "bulge",
    "RF11": "belly",
    "RF12": "pregnant-belly",
    "RF15": "dark-urine",
}
MOVE = {"RF17": "landing", "RF18": "rest-night", "RF19": "earlier-worse"}
SIGNS = {
    "RF27": "calf-swollen",
    "RF28": "cancer",
    "RF29": "weight-sweats",
    "RF31": "lump",
    "RF33": "pregnancy-standing",
}
LISTS = {
    "UN01": ("rf.leg", "E"),
    "UN02": ("rf.body", "E"),
    "UN03": ("rf.move", "U"),
    "UN04": ("rf.signs", "U"),
    "UN05": ("med.conditions", "U"),
}


def expect_flags(answers: dict[str, list]) -> dict[str, str]:
    """Return {rule: level} of all flags that must fire on `answers`."""
    told = Told(answers)
    hits = {
        rule: level
        for rule, (question, level) in LISTS.items()
        if UNSURE in told.all(question) and not told.all(f"{question}.unsure")
    }
    hits |= {rule: "E" for rule, sign in LEG.items() if told.maybe("rf.leg", sign)}
    hits |= {rule: "E" for rule, sign in BODY.items() if told.maybe("rf.body", sign)}
    hits |= {rule: "U" for rule, sign in MOVE.items() if told.maybe("rf.move", sign)}
    hits |= {rule: "U" for rule, sign in SIGNS.items() if told.maybe("rf.signs", sign)}
    return hits | {rule: level for rule, level in (*_bone(told), *_young_and_old(told), *_others(told)) if level}


def _bone(told: Told):
    walking = told.maybe("rf.move", "walk-groin") or told.maybe("rf.move", "limp")
    bone_pain = walking or any(told.maybe("rf.move", sign) for sign in MOVE.values())
    weak = told.maybe("med.conditions", "bone-weak") or told.maybe("med.conditions", "steroid-tablets")
    deep = told.maybe("med.conditions", "bone-blood") and told.yes_or_unsure("rf.deep")
    eats_little = told.ticked("bone.fuel", "yes")
    yield "RF16", "U" if walking else ""
    yield "RF20", "U" if told.yes_or_unsure("hist.bsi", "hip", "several") and told.hurts_in(HIP) else ""
    if told.yes_or_unsure("bone.periods") and told.hurts_in(HIP):
        yield "RF21", "U"
    else:
        yield "RF21", "T" if told.ticked("bone.periods", "yes") else ""
    if told.yes_or_unsure("bone.fuel") and bone_pain:
        yield "RF22", "U"
    else:
        yield "RF22", "T" if eats_little else ""
    yield "RF23", "U" if weak and told.hurts_in(GROIN) else ""
    yield "RF24", "U" if deep else ""


def _young_and_old(told: Told):
    cannot_walk = any(told.maybe("rf.leg", sign) for sign in ("cannot-stand", "crack", "no-weight"))
    if told.age == "under-18" and told.hurts_in(YOUNG_PLACES):
        yield "RF25", "E" if cannot_walk else "U" if told.maybe("rf.move", "limp") else ""
    is_young = told.age in ("under-18", "18-20")
    yield "RF26", "U" if is_young and told.yes_or_unsure("rf.young.pop") else ""
    is_frail = told.age == "50-up" or told.maybe("med.conditions", "bone-weak")
    yield "RF34", "U" if is_frail and told.maybe("rf.move", "fall-sore") else ""
    pulled = told.ticked("on.mode", "sudden") and told.all("on.sudden") & {"bruise", "weak"}
    yield (
        "RF37",
        "T" if pulled and not any(told.ticked("rf.leg", s) for s in ("cannot-stand", "crack", "no-weight")) else "",
    )


def _others(told: Told):
    unwell = told.maybe("rf.body", "unwell")
    infection = told.maybe("med.conditions", "immune")
    yield "RF04", "E" if unwell and (told.yes_or_unsure("rf.unwell.hip") or infection) else ""
    bleeding = told.all("on.sudden") & {"bruise", "weak"} or told.ticked("mech", "give-way")
    is_new = told.all("on.when") & {"days", "weeks"}
    at_risk = told.maybe("med.conditions", "thinner") and told.hurts_in({"front-hip", "groin", "front-thigh"})
    yield "RF14", "E" if told.maybe("rf.leg", "thinner-pain") or (at_risk and is_new and bleeding) else ""
    foot, toes = told.maybe("rf.move", "foot-slap"), told.yes_or_unsure("comp.toes.new")
    fast = (foot and told.yes_or_unsure("rf.foot.fast")) or (toes and told.yes_or_unsure("comp.toes.fast"))
    yield "RF30", "E" if fast else "U" if foot or toes else ""
    urine = told.maybe("rf.signs", "urine")
    yield "RF32", "E" if urine and unwell else "U" if urine else ""
    yield "RF36", "T" if told.all("mech") & {"lock", "catch", "give-way"} else ""
    operated = told.maybe("med.conditions", "hip-surgery")
    hurts_anew = operated and told.yes_or_unsure("rf.hip.new")
    yield "RF40", "U" if hurts_anew else "T" if told.ticked("med.conditions", "hip-surgery") else ""
    for rule, sign in (("RF35", "inflammatory"), ("RF38", "antibiotic"), ("RF39", "painkillers"), ("RF41", "immune")):
        yield rule, "T" if told.ticked("med.conditions", sign) else ""


def expect_signals(answers: dict[str, list]) -> set[str]:
    """Return the ids of the signals that the summary must show."""
    told, flags = Told(answers), expect_flags(answers)
    found = {name for name, stands in (*_load(told), *_hypotheses(told, flags)) if stands}
    return found | ({"BSI-watch"} if _is_watched(told, flags) else set())


def _spike(told: Told) -> bool:
    run, longest = told.number("run.last_long"), told.number("run.longest30")
    return bool(run and longest) and round(run / longest, 6) > 1.10


def _load(told: Told):
    runs, morning = told.number("pain.run"), told.number("pain.morning")
    still_runs = told.all("run.stopped") & {"as-before", "less"}
    yield "L-1", _spike(told)
    yield "L-2", told.ticked("run.change", "started") and not told.number("run.longest30")
    yield "L-3", still_runs and ((runs or 0) > 5 or (morning or 0) > 2)
    yield "L-4", told.all("run.change") & {"hills", "speed", "shoes", "surface"}


def _hypotheses(told: Told, flags: dict[str, str]):
    confidence, worry = told.number("psy.confidence"), told.number("psy.worry")
    yield "C-1", told.all("hist") & {"back", "hamstring"} or told.ticked("comp.strength", "none")
    yield "C-2", told.all("comp") & {"toes", "shins"} and "RF30" not in flags
    yield "A-1", told.all("on.sudden") & {"pop", "bruise"}
    yield "J-1", told.all("mech") & {"catch", "lock", "pinch"}
    yield "Y-1", (confidence is not None and confidence <= 4) or (worry is not None and worry >= 7)


def _is_watched(told: Told, flags: dict[str, str]) -> bool:
    if set(flags) & {"RF06", "RF07", "RF16", "RF17", "RF18", "RF19", "RF20"}:
        return True
    weak = told.maybe("med.conditions", "bone-weak") or told.maybe("med.conditions", "steroid-tablets")
    risks = ("RF21" in flags, "RF22" in flags, weak, _spike(told), bool(told.all("run.change") & {"hills", "speed"}))
    return told.hurts_in(GROIN) and sum(risks) >= 2
