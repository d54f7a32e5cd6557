"""Template tags of staff pages."""

from django import template

from clinic.staff.sign_in.session_limits import IDLE, WARN_BEFORE

register = template.Library()


@register.inclusion_tag("staff/_idle.html", takes_context=True)
def idle_warning(context: template.Context) -> dict[str, object]:
    """Render the warning before the session ends, and its script. Times are in seconds."""
    warn_after = IDLE - WARN_BEFORE
    return {
        "csrf_token": context["csrf_token"],
        "warn_after_s": int(warn_after.total_seconds()),
        "end_after_s": int(IDLE.total_seconds()),
    }
