"""The words of a message, from the templates of its kind."""

import re

from django.template.loader import render_to_string

from clinic.practice.models import Clinic

from .kinds import Email

_BLANK_LINES = re.compile(r"\n\s*\n")


def render_email(kind: str, *, to: str, context: dict, clinic: Clinic, calendar: bytes | None = None) -> Email:
    """An Email from templates/emails/<kind>/{subject.txt,body.txt,body.html}.

    `context` may hold `button_url` and `button_text` for the base's one button; `clinic` is added to it. In the
    subject and the text a template must say `{% autoescape off %}`, as emails/base.txt does.
    """
    context = {**context, "clinic": clinic}
    return Email(
        to=to,
        subject=" ".join(render_to_string(f"emails/{kind}/subject.txt", context).split()),
        text=_BLANK_LINES.sub("\n\n", render_to_string(f"emails/{kind}/body.txt", context).strip()) + "\n",
        html=render_to_string(f"emails/{kind}/body.html", context).strip(),
        calendar=calendar,
    )
