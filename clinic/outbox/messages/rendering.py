"""Render a mail from the templates of its kind."""

import re
from collections.abc import Mapping

from django.template.loader import render_to_string

from clinic.outbox.messages.kinds import Email, MessageKind, Sample, TemplateText
from clinic.outbox.text.placeholders import fill
from clinic.practice.models import Clinic, Patient
from clinic.practice.people.first_names import first_name, name_in_messages

_BLANK_LINES = re.compile(r"\n\s*\n")


def render_email(
    kind: str,
    *,
    to: str,
    context: Mapping[str, object],
    clinic: Clinic,
    calendar: bytes | None = None,
    template: TemplateText | None = None,
    frame: str = "",
    patient: Patient | None = None,
    guardian: str = "",
) -> Email:
    """Return an Email from templates/emails/<kind>/{subject.txt,body.txt,body.html}, or from `template`, which staff may
    have edited.

    With `template`, subject and opening come from it, filled from `context`, and the rest from templates/emails/<frame>/
    body.txt and body.html, where the opening is `{{ opening }}`: text and HTML say the same. `context` may hold
    `button_url` and `button_text` for the base's one button; `clinic` is added to it. In the subject and the text a
    template must say `{% autoescape off %}`, as emails/base.txt does. A `patient` who asked for it is greeted by first
    name, which leads the subject too: one mailbox may serve a family. If the `guardian` of that name booked for the patient,
    the guardian is greeted, and subject and text say whose visit it is.
    """
    name = name_in_messages(patient)
    whose = f"{name}’s visit" if name and guardian else ""
    greeted = first_name(guardian) if whose else name
    values: dict[str, object] = {**context, "clinic": clinic, "first_name": greeted, "whose_visit": whose}
    if template is None:
        frame, subject = kind, str(render_to_string(f"emails/{kind}/subject.txt", values))
    else:
        subject, values["opening"] = fill(template.subject, values), fill(template.text, values)
    return Email(
        to=to,
        subject=" ".join(f"{(whose or name) + ': ' if name else ''}{subject}".split()),
        text=_BLANK_LINES.sub("\n\n", render_to_string(f"emails/{frame}/body.txt", values).strip()) + "\n",
        html=render_to_string(f"emails/{frame}/body.html", values).strip(),
        calendar=calendar,
    )


def preview_email(kind: MessageKind, template: TemplateText, sample: Sample) -> Email:
    """Return the mail of `kind` by `template`, for a sample reader. Saves nothing."""
    clinic, context = sample_clinic(sample), kind.sample_values(sample)
    return render_email(
        kind.name, to="alice@example.com", context=context, clinic=clinic, template=template, frame=kind.frame
    )


def sample_clinic(sample: Sample) -> Clinic:
    """Return the clinic, or a worst case: every field at its longest, with markup in it."""
    if sample == Sample.EVERYDAY:
        return Clinic.objects.current()
    name = ("Wałbrzych & “Söhne” <b>Läufer</b> {day}\r\nBcc: spy@example.com " + "W" * 100)[:100]
    return Clinic(name=name, street="W" * 120, city="W" * 80, phone="+4915112345678901"[:16], what_to_bring="&<>" * 80)
