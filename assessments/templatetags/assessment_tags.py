"""Template tags for flags: current advice for patients; for staff, a flag's concern."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.template.context import Context

from assessments.models import Flag, Response
from assessments.red_flag_rules.calibration import format_wait
from assessments.red_flags.advice import Advice, find_current_advice, responses_of
from assessments.red_flags.definitions import read_rules
from clinic.practice.models import Patient

register = template.Library()


@register.filter
def concern(flag: Flag) -> str:
    """Return the diagnoses to consider, such as "septic joint, psoas abscess"; empty for withdrawn rules. For staff."""
    rule = read_rules().by_id.get(flag.rule_id)
    return rule.concern if rule else ""


register.filter("waited", format_wait)


@register.filter
def counted(counts: Mapping[str, int], choices: Iterable[tuple[str, str]]) -> str:
    """Return the counts in the order of `choices`, such as "2 left a message, 1 seen at the clinic"; empty if none."""
    return ", ".join(f"{counts[code]} {label}" for code, label in choices if counts.get(code))


@register.inclusion_tag("assessments/_current_advice.html", takes_context=True)
def current_advice(context: Context, *, response: Response | None = None, patient: Patient | None = None) -> dict:
    """Show the current advice for the answers of `response`, or for all answers of `patient`. Empty if there is none.

    Pass `patient` only on pages that open by a link emailed to that patient.
    """
    of_one = [response.pk] if response is not None else []
    return advice_context(context, find_current_advice(responses_of(patient) if patient is not None else of_one))


def advice_context(context: Context, advice: Advice | None) -> dict[str, Any]:
    """Return the context for the template of `advice`."""
    return {"advice": advice} | {name: context.get(name) for name in ("clinic", "emergency_number", "token")}
