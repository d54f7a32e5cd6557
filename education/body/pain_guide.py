"""What the pain guide says about a run, for muscle and tendon only. Pure.

Up to 2 of 10 is comfortable, up to 5 acceptable if it settles by the next morning and does not rise from week to week. Borrowed
from sore Achilles tendons: doi:10.1177/0363546506298279. It must never be used where bone may be hurt.
"""

ACCEPTABLE = 5
MORNINGS = ("usual", "gone-by-noon", "worse")


def judge_run(*, worst: int, morning: str, is_rising: bool) -> str:
    """The guide's answer, the most careful that fits: "stop", "step-back", "repeat" or "carry-on".

    `worst` is the highest pain from 0 to 10 during the run and in the evening; `morning` is one of MORNINGS. Do not call
    it for a reader with a warning sign.
    """
    if worst > ACCEPTABLE:
        return "stop"
    if morning == "worse" or is_rising:
        return "step-back"
    return "repeat" if morning == "gone-by-noon" else "carry-on"
