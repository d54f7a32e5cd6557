"""What staff pages say about a flag; never used on a patient's page."""

from django import template

from assessments.definitions import read_rules
from assessments.models import Flag

register = template.Library()


@register.filter
def concern(flag: Flag) -> str:
    """What a therapist should think of, like "septic joint, psoas abscess"; empty for a rule no longer in use."""
    rule = read_rules().by_id.get(flag.rule_id)
    return rule.concern if rule else ""
