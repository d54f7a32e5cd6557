"""Flags by the rule that raised them, which the database itself cannot look up."""

from assessments.models import Flag


def flag_of(rule_id: str, flags=None) -> Flag:
    """The one flag that `rule_id` raised, of `flags` or of all."""
    [flag] = [flag for flag in (Flag.objects if flags is None else flags).all() if flag.rule_id == rule_id]
    return flag
