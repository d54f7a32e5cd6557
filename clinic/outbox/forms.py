"""What staff type about messages."""

from django import forms

from .kinds import SHORTEST_LEAD_MINUTES, KindUnknown, Sample, Timing, Words, changeable_kinds, find_kind, known_scopes
from .models import MessageRule
from .wording import faults_of


class MessageRuleForm(forms.ModelForm):
    """A rule; refuses words that cannot be filled in or that tell why somebody comes."""

    kind = forms.ChoiceField()
    service_slug = forms.ChoiceField(label="Service", required=False)

    class Meta:
        model = MessageRule
        fields = ("kind", "service_slug", "channel", "minutes", "is_active", "subject", "text")
        widgets = {"text": forms.Textarea(attrs={"rows": 5, "cols": 70})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "kind" not in self.fields:  # somebody who may only look
            return
        self.fields["kind"].choices = [
            (kind.name, f"{kind.reworded.title}, {kind.reworded.timing}") for kind in changeable_kinds()
        ]
        self.fields["service_slug"].choices = [("", "Every service"), *known_scopes()]

    def clean(self):
        cleaned = super().clean()
        kind = self.chosen_kind
        if kind is None:
            return cleaned
        for field in ("subject", "text"):
            for fault in faults_of(cleaned.get(field, ""), known=kind.reworded.placeholders):
                self.add_error(field, fault)
        minutes = cleaned.get("minutes")
        if kind.reworded.timing == Timing.BEFORE and minutes is not None and minutes < SHORTEST_LEAD_MINUTES:
            self.add_error("minutes", f"At least {SHORTEST_LEAD_MINUTES} minutes before the visit.")
        return cleaned

    @property
    def chosen_kind(self):
        """The kind that is being changed; None while there is none."""
        try:
            return find_kind(self.cleaned_data.get("kind", ""))
        except KindUnknown:
            return None

    @property
    def previews(self):
        """(for whom, the mail in these words), for each sample reader; none while the words cannot be filled in."""
        cleaned = getattr(self, "cleaned_data", {})
        if not self.chosen_kind or "subject" in self.errors or "text" in self.errors:
            return []
        words = Words(cleaned["subject"], cleaned["text"])
        return [(sample, self.chosen_kind.reworded.preview(words, sample)) for sample in Sample]
