"""The pain guide: judge a run by the pain, for muscle and tendon only. Pure.

On a scale of 0 to 10, pain up to ACCEPTABLE is acceptable if it settles by the next morning and does not increase from
week to week. Source: a trial on Achilles tendinopathy, doi:10.1177/0363546506298279. Never use the guide if a bone may
be injured.
"""

ACCEPTABLE = 5
MORNINGS = ("usual", "gone-by-noon", "worse")


def judge_run(*, worst: int, morning: str, is_rising: bool) -> str:
    """Return the most cautious answer that applies: "stop", "step-back", "repeat" or "carry-on".

    `worst` is the highest pain from 0 to 10 during the run and in the evening. `morning` is one of MORNINGS. Do not call
    this for a reader with a warning sign.
    """
    if worst > ACCEPTABLE:
        return "stop"
    if morning == "worse" or is_rising:
        return "step-back"
    return "repeat" if morning == "gone-by-noon" else "carry-on"
