"""The therapist's summary of one response: flags, then load, hypotheses, goals, scores, then every answer.

Each line shows the answers it goes by, its rule with version, and its source. Never a diagnosis, never a probability.
"""

from dataclasses import dataclass
from decimal import Decimal

from clinic.audit.access import record_access
from clinic.audit.models import Action

from .definitions import read_rules
from .enablement import keep_enabled
from .models import Flag, Response
from .questionnaire import Questionnaire
from .reading import Section, answer_text, read_sections
from .red_flags import Rules, Signal, holding_signals, read_inputs, rules_read
from .training_load import spike_band, spike_ratio

SECTIONS = {
    "bone": "Bone",
    "load": "Load against capacity",
    "compensation": "Compensation: hypotheses to test",
    "acute and joint": "Acute onset and joint",
    "goals": "Goals and confidence",
}
GOALS = (
    "goal.1",
    "goal.1.now",
    "goal.2",
    "goal.2.now",
    "goal.3",
    "goal.3.now",
    "psy.confidence",
    "psy.worry",
    "psy.hope",
)


@dataclass(frozen=True)
class FlagLine:
    """One flag with what raised it."""

    flag: Flag
    title: str
    concern: str
    source: str
    deadline: str
    is_conservative: bool
    inputs: list[tuple[str, str]]


@dataclass(frozen=True)
class SignalLine:
    """One rule of ours that holds, with the answers it goes by."""

    signal: Signal
    inputs: list[tuple[str, str]]


@dataclass(frozen=True)
class SignalSection:
    """`lines` hold; `silent` are the rules of this section that do not, with what they looked at; `facts` the numbers behind."""

    title: str
    lines: list[SignalLine]
    silent: list[SignalLine]
    facts: list[tuple[str, str]]


@dataclass(frozen=True)
class Summary:
    response: Response
    sign_off: str
    flags: list[FlagLine]
    sections: list[SignalSection]
    scores: list[tuple[str, str]]
    pages: list[Section]


def read_summary(*, response: Response, by, now) -> Summary:
    """The summary of `response` for `by`, of the clinic's staff; that it was read is written to the audit trail."""
    record_access(actor=by, action=Action.READ, subject=response, patient_id=response.patient_id, now=now)
    rules, parsed = read_rules(), response.questionnaire.parsed
    answers = keep_enabled(parsed, response.answers)
    flags = list(response.flags.select_related("staff_acknowledged_by").worst_first())
    fired = frozenset(flag.rule_id for flag in flags if flag.current_level)
    return Summary(
        response=response,
        sign_off=rules.sign_off,
        flags=[describe_flag(flag, parsed) for flag in flags],
        sections=[_read_section(name, rules, fired, parsed, answers) for name in SECTIONS],
        scores=_read_scores(response, parsed),
        pages=read_sections(parsed, answers),
    )


def describe_flag(flag: Flag, questionnaire: Questionnaire) -> FlagLine:
    """`flag` in the therapist's words, with the answers it was raised by."""
    rule = read_rules().by_id.get(flag.rule_id)
    if rule is None:  # the rule was withdrawn since; the record stays readable
        return FlagLine(flag, "A rule that is no longer in use", "", "", flag.action, False, [])
    case = next((case for case in rule.cases if case.level == flag.level), rule.cases[0])
    return FlagLine(
        flag=flag,
        title=rule.question,
        concern=rule.concern,
        source=rule.source,
        deadline=flag.action,
        is_conservative=case.is_conservative,
        inputs=_read_inputs(questionnaire, flag.snapshot),
    )


def _read_section(
    name: str, rules: Rules, fired: frozenset[str], parsed: Questionnaire, answers: dict
) -> SignalSection:
    held = holding_signals(rules, fired, answers)
    lines = {True: [], False: []}
    for signal in (signal for signal in rules.signals if signal.section == name):
        inputs = _read_inputs(parsed, read_inputs(rules, signal.when, answers))
        if flags := sorted(fired & rules_read(rules, signal.when)):
            inputs.insert(0, ("Flags", ", ".join(flags)))
        lines[signal in held].append(SignalLine(signal, inputs))
    facts = FACTS[name](parsed, answers) if name in FACTS else []
    return SignalSection(SECTIONS[name], lines[True], lines[False], facts)


def _read_inputs(parsed: Questionnaire, answers: dict[str, list]) -> list[tuple[str, str]]:
    return [
        (parsed.items[name].label, answer_text(parsed.items[name], values).replace("\n", "; "))
        for name, values in answers.items()
        if name in parsed.items
    ]


def _read_load(parsed: Questionnaire, answers: dict[str, list]) -> list[tuple[str, str]]:
    """Running in numbers, and the run when it began against the longest of the month before."""
    names = [name for name in parsed.items if name.startswith("run.")]
    facts = _read_inputs(parsed, {name: answers[name] for name in names if answers.get(name)})
    run, longest = (answers.get(name) for name in ("run.last_long", "run.longest30"))
    if run and longest:
        ratio = spike_ratio(Decimal(run[0]), Decimal(longest[0]))
        band = spike_band(ratio).replace("_", " ")
        facts.append(("Single run against the month before", f"{ratio:.2f}, {band}" if ratio is not None else band))
    return facts


def _read_goals(parsed: Questionnaire, answers: dict[str, list]) -> list[tuple[str, str]]:
    return _read_inputs(parsed, {name: answers[name] for name in GOALS if name in answers})


FACTS = {"load": _read_load, "goals": _read_goals}


def _read_scores(response: Response, parsed: Questionnaire) -> list[tuple[str, str]]:
    titles = {rule.measure: rule.title for rule in parsed.scores}
    return [
        (
            titles.get(score.measure, score.measure),
            f"{score.result['value'] or 'no score'} ({score.result['answered']} of {score.result['of']} answered)",
        )
        for score in response.scores.all()
    ]
