"""Search terms: known phrases, and questions about the clinic. Pure."""

import re
from dataclasses import dataclass

WORD = re.compile(r"[^\W_]+")
MOST_WORDS = 8

# Known phrases, as `WORD` splits them, and the PostgreSQL tsquery for each. Outside a phrase, "it" is a stop word, and
# "band" means an elastic band.
_IT_BAND = "(iliotibial | itb | itbs)"
_RUNNERS_KNEE = "(patellofemoral | pfps | (runner <-> knee))"  # "runners, the knee" must not match
_JUMPERS_KNEE = "((patellar <-> tendinopathy) | (jumper <-> knee))"
PHRASES = {
    "it band": _IT_BAND,
    "it bands": _IT_BAND,
    "iliotibial band": _IT_BAND,
    "itb": _IT_BAND,
    "itbs": _IT_BAND,
    "pt": "((physical <-> therapy) | (physical <-> therapist))",
    "si joint": "(sacroiliac | (si <-> joint))",
    "runner s knee": _RUNNERS_KNEE,
    "runners knee": _RUNNERS_KNEE,
    "jumper s knee": _JUMPERS_KNEE,
    "jumpers knee": _JUMPERS_KNEE,
    "tennis ball": "(tennis <-> ball)",
    "tennis elbow": "(tennis <-> elbow)",
    "lacrosse ball": "(lacrosse <-> ball)",
    "massage ball": "(massage <-> ball)",
}
_LONGEST_PHRASE = 3  # words

CLINIC_WORDS = frozenset(
    word
    for line in (
        "address appointment appointments book booking cancel canceling cancellation cancellations cancelling claim claims contact",
        "copay copays cost costs deductible directions discount discounts fee fees fsa hours hsa insurance insured insurer invoice",
        "location medicaid medicare open opening park parking pay payment payments phone price prices pricing receipt refund refunds",
        "reschedule rescheduling superbill telephone",
    )
    for word in line.split()
)
_FILLERS = frozenset(
    word
    for line in (
        "a accept an and any are at call can change clinic closed closing do does evaluation first for have how i in is it me much my",
        "near of on or out plan plans take the there to today tomorrow visit visits weekend what when where with you your",
        "monday tuesday wednesday thursday friday saturday sunday",
    )
    for word in line.split()
)


@dataclass(frozen=True)
class Term:
    """A search term: `shown` as typed but in lower case, `query` as a tsquery. A phrase is never corrected."""

    shown: str
    query: str
    is_phrase: bool = False


def read_terms(text: str) -> list[Term]:
    """Split `text` into terms in lower case; a known phrase is one term. Reads at most MOST_WORDS words."""
    words, terms = WORD.findall(text.lower())[:MOST_WORDS], []
    while words:
        lengths = range(min(_LONGEST_PHRASE, len(words)), 0, -1)
        length = next((count for count in lengths if " ".join(words[:count]) in PHRASES), 0)
        shown = " ".join(words[: length or 1])
        terms.append(Term(shown, PHRASES.get(shown, shown), is_phrase=bool(length)))
        words = words[length or 1 :]
    return terms


def is_about_clinic(words: list[str]) -> bool:
    """Whether a search for `words` is about the clinic (such as prices or hours) and not about the body."""
    return not CLINIC_WORDS.isdisjoint(words) and set(words) <= CLINIC_WORDS | _FILLERS
