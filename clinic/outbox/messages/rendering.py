"""Render emails from the templates of their kind."""

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
    """Return an Email, rendered from templates/emails/<kind>/{subject.txt,body.txt,body.html} or from `template`.

    `template` is a subject and an opening that staff may have edited, and both are filled from `context`. The rest then
    comes from templates/emails/<frame>/{body.txt,body.html}. Both include `{{ opening }}`, so text and HTML match.

    `context` may contain `button_url` and `button_text` for the one button of the base template; `clinic` is added to
    it. Plain-text templates must use `{% autoescape off %}`, as emails/base.txt does.

    If `patient` opted in to their first name (`name_in_messages`), they are greeted by it, and the subject begins with
    it, because a family may share a mailbox. If a guardian booked for this patient, `guardian` is the guardian's name.
    Then, with the same opt-in, the guardian is greeted, and subject and text name the patient. Raises KeyError if
    `template` has a placeholder without a value in `context`.
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
    """Return the email of `kind` with `template`, for a sample reader. Saves nothing."""
    clinic, context = sample_clinic(sample), kind.sample_values(sample)
    return render_email(
        kind.name, to="alice@example.com", context=context, clinic=clinic, template=template, frame=kind.frame
    )


def sample_clinic(sample: Sample) -> Clinic:
    """Return the clinic or, for the worst case, an unsaved one with very long fields and markup in them."""
    if sample == Sample.EVERYDAY:
        return Clinic.objects.current()
    name = ("Wałbrzych & “Söhne” <b>Läufer</b> {day}\r\nBcc: spy@example.com " + "W" * 100)[:100]
    return Clinic(name=name, street="W" * 120, city="W" * 80, phone="+4915112345678901"[:16], what_to_bring="&<>" * 80)
