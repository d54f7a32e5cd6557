"""The form of a message template."""

from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.core.validators import MaxValueValidator

from clinic.outbox.messages.kinds import (
    SHORTEST_LEAD_MINUTES,
    Email,
    KindUnknown,
    MessageKind,
    Sample,
    TemplateText,
    Timing,
    changeable_kinds,
    find_kind,
)
from clinic.outbox.messages.rendering import preview_email
from clinic.outbox.messages.subjects import known_scopes
from clinic.outbox.models import LONGEST_MINUTES, Channel, MessageRule
from clinic.outbox.text.gsm import LIMIT, TextTooLong, fit_text
from clinic.outbox.text.placeholders import faults_of
from clinic.outbox.text.spans import format_span, read_span
from clinic.outbox.texts.providers import has_texts
from clinic.practice.fields.text_areas import TextArea


class SpanField(forms.CharField):
    """A duration, shown and typed like "2 days", "1 hour" or "90 minutes". Cleans to minutes."""

    default_error_messages = {"invalid": "Enter a time like 2 days, 1 hour or 90 minutes."}

    def to_python(self, value: object) -> int | None:  # type: ignore[override]  # a number, unlike the text of a CharField
        if isinstance(value, int):
            return value
        typed = super().to_python(value)
        if typed in self.empty_values:
            return None
        minutes = read_span(str(typed))
        if minutes is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return minutes

    def prepare_value(self, value: object) -> object:
        return format_span(value) if isinstance(value, int) else value

    def has_changed(self, initial: object, data: object) -> bool:
        """Compare as minutes, so that "1 hour" and "60 minutes" are equal."""
        try:
            return initial != self.to_python(data)
        except forms.ValidationError:
            return True


class MessageRuleForm(forms.ModelForm):
    """A message template.

    Rejects a subject or text with faults (`faults_of`), an email without a subject, a text message that is too long or
    that the kind does not have, and a lead time under SHORTEST_LEAD_MINUTES.
    """

    kind = forms.ChoiceField(label="Message")
    minutes = SpanField(
        label="Time before or after the visit",
        initial=0,
        widget=forms.TextInput(attrs={"maxlength": "20", "size": "12"}),
        validators=[MaxValueValidator(LONGEST_MINUTES, f"Enter {format_span(LONGEST_MINUTES)} or less.")],
        help_text="Like 2 days, 1 hour or 90 minutes. Applies to visits booked from now on. 0 for messages sent at once.",
    )
    service_slug = forms.ChoiceField(label="Service", required=False)

    class Meta:
        model = MessageRule
        fields = ("kind", "service_slug", "channel", "minutes", "is_active", "subject", "text")
        widgets = {"text": TextArea(attrs={"rows": 5, "cols": 70})}

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if "channel" not in self.fields:  # read-only, for users without the change permission
            return
        choices = cast(dict[str, forms.ChoiceField], self.fields)  # true of the three fields used below
        choices["kind"].choices = [
            ("", "Choose a message"),
            *((kind.name, f"{kind.title}, {kind.timing}") for kind in changeable_kinds()),
        ]
        if not has_texts():
            choices["channel"].choices = [(Channel.EMAIL.value, Channel.EMAIL.label)]
        choices["service_slug"].choices = [("", "Every service"), *known_scopes()]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        kind = self.chosen_kind
        if kind is None:
            return cleaned
        self._check_channel(cleaned, kind)
        for field in ("subject", "text"):
            for fault in faults_of(cleaned.get(field, ""), known=kind.placeholders):
                self.add_error(field, fault)
        minutes = cleaned.get("minutes")
        if kind.timing == Timing.BEFORE and minutes is not None and minutes < SHORTEST_LEAD_MINUTES:
            self.add_error("minutes", f"Enter {SHORTEST_LEAD_MINUTES} minutes or more.")
        return cleaned

    def _check_channel(self, cleaned: dict[str, Any], kind: MessageKind) -> None:
        if cleaned.get("channel") == Channel.EMAIL and not cleaned.get("subject"):
            self.add_error("subject", "An email needs a subject.")
        if cleaned.get("channel") != Channel.SMS:
            return
        if not kind.text_message:
            self.add_error("channel", "This message can be sent by email only.")
            return
        try:
            fit_text(cleaned.get("text", ""), kind.sample_values(Sample.WORST))
        except TextTooLong:
            self.add_error("text", f"A text message holds {LIMIT} characters. With long names this is too long.")
        except KeyError:
            pass  # an unknown placeholder: `faults_of` reports it

    @property
    def chosen_kind(self) -> MessageKind | None:
        """The message kind chosen in the form, or None."""
        try:
            return find_kind(self.cleaned_data.get("kind", ""))
        except KindUnknown:
            return None

    @property
    def previews(self) -> list[tuple[Sample, Email]]:
        """(sample reader, rendered preview) for each sample reader. Empty if the text cannot be rendered.

        The preview of a text message is an `Email` with only `text` set.
        """
        cleaned = getattr(self, "cleaned_data", {})
        kind = self.chosen_kind
        if kind is None or "subject" in self.errors or "text" in self.errors:
            return []
        if cleaned.get("channel") == Channel.SMS:
            return [(sample, self._preview_text(kind, sample)) for sample in Sample if "channel" not in self.errors]
        template = TemplateText(cleaned["subject"], cleaned["text"])
        return [(sample, preview_email(kind, template, sample)) for sample in Sample]

    @property
    def query(self) -> str:
        """The typed fields that a preview needs, as a query string. They contain no patient data."""
        return urlencode({name: self.data.get(name, "") for name in ("kind", "channel", "minutes", "subject", "text")})

    def _preview_text(self, kind: MessageKind, sample: Sample) -> Email:
        values = kind.sample_values(sample)
        return Email(to="", subject="", text=fit_text(self.cleaned_data["text"], values), html="")
