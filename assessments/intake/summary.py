"""The therapist's summary of one response: flags, then load, hypotheses, goals, scores, then every answer.

Each line shows the answers that it is based on, its rule with version, and its source. The summary gives no diagnosis
and no probability.
"""

from dataclasses import dataclass
from datetime import datetime

from assessments.intake.trend import Trend, count_other_versions, read_trends
from assessments.known_questions import (
    CONFIDENCE,
    GOALS,
    GUARDIAN_CONSENT,
    GUARDIAN_NAME,
    GUARDIAN_RELATION,
    LONGEST_RUN,
    ONSET_DATE,
    RUN_AT_ONSET,
    RUNNING,
    is_minor,
)
from assessments.models import Flag, Response
from assessments.questionnaire.enablement import keep_enabled
from assessments.questionnaire.model import Questionnaire
from assessments.questionnaire.readable import Section, answer_text, read_sections
from assessments.red_flag_rules.evaluation import (
    Rule,
    Rules,
    Signal,
    answered_ratio,
    evaluate,
    holding_signals,
    leaves,
    narrow_inputs,
    read_inputs,
    rules_read,
)
from assessments.red_flag_rules.format import SECTIONS as SECTION_NAMES
from assessments.red_flag_rules.near_misses import describe_nearness, is_close, measure_nearness
from assessments.red_flag_rules.states import Judge, State
from assessments.red_flags.definitions import read_rules
from assessments.red_flags.sign_off import describe_sign_off
from clinic.audit.access import record_read
from clinic.practice.models import Clinic, User
from education.body.load_bands import load_band

TITLES = (
    "Load against capacity",
    "Compensation: hypotheses to test",
    "Acute onset and joint",
    "Bone",
    "Goals and confidence",
)
SECTIONS = dict(zip(SECTION_NAMES, TITLES, strict=True))


@dataclass(frozen=True)
class FlagLine:
    """A flag with its rule and the answers that raised it."""

    flag: Flag
    title: str
    concern: str
    source: str
    deadline: str
    is_conservative: bool
    inputs: list[tuple[str, str]]


@dataclass(frozen=True)
class SignalLine:
    """A signal with the answers that it read and the questions that it lacks."""

    signal: Signal
    inputs: list[tuple[str, str]]
    why_not: str = ""
    missing: str = ""


@dataclass(frozen=True)
class SignalSection:
    """A section of the summary.

    `lines` are the signals that hold, `silent` those that do not, and `not_asked` those that are unknown. `facts` are
    answers shown without interpretation.
    """

    title: str
    lines: list[SignalLine]
    silent: list[SignalLine]
    not_asked: list[SignalLine]
    facts: list[tuple[str, str]]


@dataclass(frozen=True)
class CloseRule:
    """A rule that did not fire although part of its condition holds."""

    rule: Rule
    why_not: str


@dataclass(frozen=True)
class OpenRule:
    """A rule that cannot be decided yet, with the questions it reads that are unanswered or not asked."""

    rule: Rule
    missing: str


@dataclass(frozen=True)
class Summary:
    """The summary of one response.

    `calm_rules` were asked and raise no flag. `open_rules` cannot be decided yet. `is_guarded`: the runner is a minor.
    `guardian` has the name and relation of the parent or guardian. `watches` are the bone signals that hold, repeated
    at the top.
    """

    response: Response
    sign_off: str
    guardian: list[str]
    has_guardian_agreed: bool
    is_guarded: bool
    flags: list[FlagLine]
    calm_rules: list[Rule]
    open_rules: list[OpenRule]
    close_rules: list[CloseRule]
    sections: list[SignalSection]
    watches: list[Signal]
    trends: list[Trend]
    other_versions: int
    pages: list[Section]


def read_summary(*, response: Response, by: User | None, now: datetime) -> Summary:
    """Return the summary of `response`, and record in the audit log that staff member `by` read it."""
    record_read(actor=by, subject=response, patient_ids=[response.patient_id], now=now)
    rules, parsed = read_rules(), response.questionnaire.parsed
    answers = keep_enabled(parsed, response.answers)
    flags = list(response.flags.select_related("staff_acknowledged_by").worst_first())
    fired = frozenset(flag.rule_id for flag in flags if flag.current_level)
    held = holding_signals(rules, fired, answers)
    judge = Judge(rules, parsed, answers)
    calm_rules, open_rules = _read_unraised(rules, judge, parsed, flags)
    return Summary(
        response=response,
        sign_off=describe_sign_off(zone=Clinic.objects.current().zone),
        guardian=_read_guardian(parsed, answers),
        has_guardian_agreed=answers.get(GUARDIAN_CONSENT) == [True],
        is_guarded=is_minor(answers),
        flags=[describe_flag(flag, parsed) for flag in flags],
        calm_rules=calm_rules,
        open_rules=open_rules,
        close_rules=find_close_rules(rules, parsed, answers),
        sections=[_read_section(name, judge, fired, held, parsed) for name in SECTIONS],
        watches=[signal for signal in held if signal.section == "bone"],
        trends=read_trends(response),
        other_versions=count_other_versions(response),
        pages=read_sections(parsed, answers),
    )


def describe_flag(flag: Flag, questionnaire: Questionnaire) -> FlagLine:
    """Describe `flag` for the therapist, with the answers that raised it."""
    rule = read_rules().by_id.get(flag.rule_id)
    if rule is None:  # the rule was withdrawn
        return FlagLine(flag, "A rule that is no longer in use", "", "", flag.action, False, [])
    case = next((case for case in rule.cases if case.level == flag.level), rule.cases[0])
    snapshot = narrow_inputs(read_rules(), [one.when for one in rule.cases], flag.snapshot)
    return FlagLine(
        flag=flag,
        title=rule.question,
        concern=rule.concern,
        source=rule.source,
        deadline=flag.action,
        is_conservative=case.is_conservative,
        inputs=_read_inputs(questionnaire, snapshot),
    )


def _read_unraised(
    rules: Rules, judge: Judge, parsed: Questionnaire, flags: list[Flag]
) -> tuple[list[Rule], list[OpenRule]]:
    """Return the rules without a flag: those asked that do not hold, and those not asked. Omit rules on "not sure"."""
    raised = {flag.rule_id for flag in flags}
    signs = [rule for rule in rules.rules if rule.id not in raised and not rule.is_about_unsure]
    states = {rule.id: judge.rule_state(rule) for rule in signs}
    open_rules = [
        OpenRule(rule, _describe_missing(judge, parsed, *(case.when for case in rule.cases)))
        for rule in signs
        if states[rule.id] == State.NOT_ASKED
    ]
    return [rule for rule in signs if states[rule.id] == State.NO], open_rules


def _describe_missing(judge: Judge, parsed: Questionnaire, *whens: dict) -> str:
    """Return the labels of the missing questions, each with "not answered" or "not asked"."""
    missing = judge.missing(*whens)
    labels = {name: parsed.items[name].label if name in parsed.items else name for name in missing}
    return ", ".join(f"{labels[name]} ({asked.value})" for name, asked in missing.items())


def _read_section(
    name: str, judge: Judge, fired: frozenset[str], held: tuple[Signal, ...], parsed: Questionnaire
) -> SignalSection:
    rules, answers = judge.rules, judge.answers
    lines: dict[State, list[SignalLine]] = {state: [] for state in State}
    for signal in (signal for signal in rules.signals if signal.section == name):
        read = read_inputs(rules, signal.when, answers)
        inputs = _read_inputs(parsed, narrow_inputs(rules, [signal.when], read))
        inputs += _read_ratios(rules, signal, answers)
        if flags := sorted(fired & rules_read(rules, signal.when)):
            inputs.insert(0, ("Flags", ", ".join(flags)))
        state = State.YES if signal in held else judge.signal_state(signal.when)
        why_not = "" if signal in held else _why_not(signal, rules, fired, parsed, answers)
        missing = _describe_missing(judge, parsed, signal.when) if state == State.NOT_ASKED else ""
        lines[state].append(SignalLine(signal, inputs, why_not, missing))
    facts = FACTS[name](parsed, answers) if name in FACTS else []
    return SignalSection(SECTIONS[name], lines[State.YES], lines[State.NO], lines[State.NOT_ASKED], facts)


def _read_inputs(parsed: Questionnaire, answers: dict[str, list]) -> list[tuple[str, str]]:
    return [
        (parsed.items[name].label, answer_text(parsed.items[name], values).replace("\n", "; "))
        for name, values in answers.items()
        if name in parsed.items
    ]


def _read_ratios(rules: Rules, signal: Signal, answers: dict[str, list]) -> list[tuple[str, str]]:
    """Return the ratios that `signal` reads, each with its band."""
    ratios = [answered_ratio(answers, *leaf["ratio_of"]) for leaf in leaves(rules, signal.when) if "ratio_of" in leaf]
    return [("Ratio", f"{ratio:.2f}, {load_band(ratio)}") for ratio in ratios if ratio]


def _read_load(parsed: Questionnaire, answers: dict[str, list]) -> list[tuple[str, str]]:
    """Return the answers about running, the day of onset, and a note if there is no run to compare with."""
    facts = _read_named(parsed, answers, RUNNING, ONSET_DATE)
    if answers.get(RUN_AT_ONSET) and not answered_ratio(answers, RUN_AT_ONSET, LONGEST_RUN):
        facts.append(("Single run against the month before", load_band(None).replace("_", " ")))
    return facts


def _read_goals(parsed: Questionnaire, answers: dict[str, list]) -> list[tuple[str, str]]:
    return _read_named(parsed, answers, GOALS, CONFIDENCE)


def _read_named(parsed: Questionnaire, answers: dict[str, list], *beginnings: str) -> list[tuple[str, str]]:
    """Return the answers to questions whose linkId begins with one of `beginnings`, in the order asked."""
    names = [name for name in parsed.items if name.startswith(beginnings)]
    return _read_inputs(parsed, {name: answers[name] for name in names if answers.get(name)})


FACTS = {"load": _read_load, "goals": _read_goals}


def find_close_rules(rules: Rules, parsed: Questionnaire, answers: dict[str, list]) -> list[CloseRule]:
    """Return the rules that nearly fired (`near_misses.is_close`), each with what was missing."""
    fired = {hit.rule_id for hit in evaluate(rules, answers)}
    close = []
    for rule in rules.rules:
        near = [measure_nearness(rules, case.when, answers) for case in rule.cases]
        nearest = [one for one in near if is_close(one, answers)]
        if nearest and rule.id not in fired:
            why_not = describe_nearness(min(nearest, key=lambda one: one.needed), parsed.items, answers)
            close.append(CloseRule(rule, why_not))
    return close


def _why_not(signal: Signal, rules: Rules, fired: frozenset[str], parsed: Questionnaire, answers: dict) -> str:
    near = measure_nearness(rules, signal.when, answers, fired=fired)
    return describe_nearness(near, parsed.items, answers) if is_close(near, answers) else ""


def _read_guardian(parsed: Questionnaire, answers: dict[str, list]) -> list[str]:
    """Return the name and relation of a minor's guardian, if answered."""
    return [
        answer_text(parsed.items[name], answers[name])
        for name in (GUARDIAN_NAME, GUARDIAN_RELATION)
        if answers.get(name)
    ]
