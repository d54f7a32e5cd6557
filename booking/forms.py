"""The forms of booking: who comes, and what staff book and block."""

import uuid
from datetime import date, datetime, timedelta

from crispy_forms.helper import FormHelper
from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format

from booking.actions.block_time import visits_between
from booking.actions.book import Contact
from booking.models import Appointment, HoursOverride, Service, VisitMode
from booking.schedule.clocks import Clock
from booking.schedule.local_time import clock_words, day_words, short_day_words
from booking.time.day_parts import PARTS
from booking.wait_list.entries import Wishes
from clinic.audit.searching import LONGEST_WORDS
from clinic.outbox.texts.providers import has_texts
from clinic.outbox.texts.texting import FORM_CONSENT_WORDS
from clinic.practice.fields.form_fields import AddressField, NameField, PhoneField
from clinic.practice.fields.typed_times import StaffDayField, StaffMomentField
from clinic.practice.models import Clinic, Patient, Therapist
from clinic.practice.people.duplicates import find_namesake, is_on_file, likely_twins
from clinic.practice.people.patients import is_same_name
from clinic.practice.people.search import filter_people
from clinic.practice.values.mail_addresses import readable_address
from clinic.practice.values.mail_domains import suggest_address
from clinic.practice.values.phone import format_phone, texting_number

NEW_PATIENT = "new"
MOST_FOUND = 10
OLDEST_NOTED = timedelta(days=30)  # a visit that was never booked can be noted for so long

MODE_WORDS = {
    VisitMode.IN_PERSON: "At the clinic",
    VisitMode.VIDEO: "By video: we send you a link",
    VisitMode.PHONE: "By phone: we call you",
}

FIRST_NAME_WORDS = "Use my first name in emails"
FIRST_NAME_WORDS_WITH_TEXTS = "Use my first name in emails and texts"
WHY_FIRST_NAME = "Our messages name no one unless you ask. A name helps when one mailbox is for several people."


def own_email_field(label: str, *, help_text: str = "") -> AddressField:
    """Where visitors type their own address; the browser may fill it in."""
    field = AddressField(
        label=label,
        help_text=help_text,
        error_messages={"required": "Enter your e-mail address."},
    )
    field.widget.attrs["autocomplete"] = "email"
    return field


class AsksAboutSlips(forms.Form):
    """For a form with an `email`: an address that looks mistyped is asked about once, and then believed."""

    email_asked_about = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self):
        cleaned = super().clean()
        email = cleaned.get("email", "")
        meant = suggest_address(email)
        if meant and self.data.get(self.add_prefix("email_asked_about")) != email:
            self.data = self.data.copy()
            self.data[self.add_prefix("email_asked_about")] = email
            self.add_error(
                "email",
                f"Did you mean {meant}? Correct it, or press the button again to keep {readable_address(email)}.",
            )
        return cleaned


class ContactForm(AsksAboutSlips):
    """Name, e-mail, phone, and how to meet where a service leaves a choice."""

    name = NameField(
        label="Your name",
        error_messages={"required": "Enter your name."},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = own_email_field("E-mail", help_text="We send the day, the time and a link to change your mind.")
    phone = PhoneField(
        label="Phone",
        help_text="We call only about this visit.",
        error_messages={"required": "Enter a phone number we can reach you at."},
    )
    mode = forms.ChoiceField(
        label="How shall we meet?",
        error_messages={
            "required": "Choose how we shall meet.",
            "invalid_choice": "Choose one of the ways this visit is offered.",
        },
        widget=forms.RadioSelect,
    )

    def __init__(self, *args, service: Service, clinic: Clinic, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["phone"].region = clinic.country
        modes = service.modes
        self.fields["mode"].choices = [(mode.value, MODE_WORDS[mode]) for mode in modes]
        if len(modes) == 1:
            self.fields["mode"].widget = forms.HiddenInput()
            self.initial["mode"] = modes[0].value
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.form_show_errors = True


class AddressForm(AsksAboutSlips):
    """The address that was meant."""

    email = own_email_field("Your email address")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False


class ReturningForm(AsksAboutSlips):
    """The address under which somebody has booked before."""

    email = own_email_field("E-mail you booked with")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False


class DetailsForm(ContactForm):
    """Who comes to a visit, unless we know the `patient`; and, where there are texts, whether they want some."""

    name = NameField(
        label="Patient’s name",
        help_text="Who is coming to the visit: you, or the person you book for.",
        error_messages={"required": "Enter the patient’s name."},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    is_for_minor = forms.BooleanField(
        label="I am booking for someone under 18. I am their parent or guardian.", required=False
    )
    guardian_name = NameField(
        label="Your name, as the parent or guardian",
        required=False,
        help_text="Only if the patient is under 18. The patient’s name goes above.",
    )
    text_consent = forms.BooleanField(label=FORM_CONSENT_WORDS, required=False)
    uses_first_name = forms.BooleanField(label=FIRST_NAME_WORDS, help_text=WHY_FIRST_NAME, required=False)
    idempotency_key = forms.UUIDField(widget=forms.HiddenInput)
    terms_seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args, service: Service, clinic: Clinic, patient: Patient | None = None, **kwargs):
        kwargs.setdefault("initial", {"idempotency_key": uuid.uuid4()})
        super().__init__(*args, service=service, clinic=clinic, **kwargs)
        self.initial.setdefault("terms_seen", service.fingerprint)
        self.patient = patient
        if patient is not None:
            del self.fields["name"], self.fields["email"], self.fields["email_asked_about"]
            self.initial.setdefault("phone", format_phone(patient.phone, clinic.country))
            self.initial.setdefault("uses_first_name", bool(patient.first_name_since))
        if has_texts():
            self.fields["uses_first_name"].label = FIRST_NAME_WORDS_WITH_TEXTS
        else:
            del self.fields["text_consent"]

    def show_terms(self, fingerprint: str) -> None:
        """Let the form carry other terms than those its reader saw: the page shows them now."""
        self.data = self.data.copy()
        self.data[self.add_prefix("terms_seen")] = fingerprint

    @classmethod
    def from_typed(cls, typed: QueryDict, **kwargs) -> "DetailsForm":
        """The form with what was `typed` so far, which is not checked yet."""
        fields = {name: field.widget.value_from_datadict(typed, {}, name) for name, field in cls.base_fields.items()}
        return cls(**kwargs, initial={name: value for name, value in fields.items() if value is not None})

    def clean_guardian_name(self) -> str:
        """One line, like a patient's name; required once the box above is ticked, and only then believed."""
        name, is_for_minor = self.cleaned_data["guardian_name"], self.cleaned_data.get("is_for_minor")
        if is_for_minor and not name:
            raise forms.ValidationError("Enter your name, as the parent or guardian.")
        if name and not is_for_minor:
            raise forms.ValidationError(
                "Tick the box above if the patient is under 18 and you are their parent or guardian. If not, leave this empty."
            )
        return name

    def clean_text_consent(self) -> str:
        """The words that were agreed to; empty if they were not."""
        return FORM_CONSENT_WORDS if self.cleaned_data["text_consent"] else ""

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("text_consent") and cleaned.get("phone") and not texting_number(cleaned["phone"]):
            words = "We cannot text a number with an extension. Enter a cell phone number, or leave the box for texts empty."
            self.add_error("phone", words)
        guardian, name = cleaned.get("guardian_name"), self.patient.name if self.patient else cleaned.get("name")
        if guardian and name and is_same_name(guardian, name):
            words = (
                "The patient and the parent have the same name here. Enter the patient’s name above, and your own here."
            )
            self.add_error("guardian_name", f"{words} If you share one name, add Jr. or Sr.")
        return cleaned

    def contact(self, *, time_zone: str) -> Contact:
        """Who books. Who a recognised patient is stands in our records, not in the form."""
        typed, known = self.cleaned_data, self.patient
        return Contact(
            name=known.name if known else typed["name"],
            email=known.email if known else typed["email"],
            phone=typed["phone"],
            time_zone=time_zone,
            text_consent=typed.get("text_consent", ""),
            uses_first_name=typed["uses_first_name"],
            guardian_name=typed["guardian_name"],
            patient=known,
        )


class DayInput(forms.DateInput):
    """A day as browsers draw it."""

    input_type = "date"

    def __init__(self, **kwargs):
        super().__init__(format="%Y-%m-%d", **kwargs)


class WishesForm(forms.Form):
    """Which earlier time would suit, by the days and hours of `clock`."""

    part_of_day = forms.ChoiceField(
        label="Which part of the day?",
        required=False,
        choices=[("", "Any time"), *((part.slug, part.words.capitalize()) for part in PARTS.values())],
    )
    first_on = StaffDayField(
        label="From which day on?",
        widget=DayInput,
        error_messages={"required": "Enter the first day that suits you.", "invalid": "Enter a day like 12/24/2026."},
    )
    last_on = StaffDayField(
        label="Until which day?",
        widget=DayInput,
        help_text="After this day we write no more about it.",
        error_messages={"required": "Enter the last day that suits you.", "invalid": "Enter a day like 12/24/2026."},
    )

    def __init__(self, *args, clock: Clock, today: date, latest: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.clock, self.today, self.latest = clock, today, latest
        self.fields["part_of_day"].help_text = f"By {clock.words}."
        for name in ("first_on", "last_on"):
            self.fields[name].widget.attrs |= {"min": today.isoformat(), "max": latest.isoformat()}
        self.initial = {"first_on": today, "last_on": latest, **self.initial}
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_last_on(self) -> date:
        """A day ahead, not before the first, and not after which nobody would look."""
        first_on, last_on = self.cleaned_data.get("first_on"), self.cleaned_data["last_on"]
        if last_on < max(first_on or self.today, self.today):
            raise forms.ValidationError("The last day must not be before the first, nor before today.")
        if last_on > self.latest:
            raise forms.ValidationError(f"The last day can be {day_words(self.latest)} at the latest.")
        return last_on

    @property
    def wishes(self) -> Wishes:
        """What was typed, once it is valid, and by which clock it is meant."""
        typed = {name: self.cleaned_data[name] for name in ("first_on", "last_on", "part_of_day")}
        return Wishes(**typed, time_zone=self.clock.stored_zone_name)


class JoinForm(WishesForm, ContactForm):
    """Who waits, and for what."""

    field_order = ("part_of_day", "first_on", "last_on", "name", "email", "phone", "mode")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = "We write here when a time gets free."
        self.fields["phone"].help_text = "We call only about a visit."


class ClinicClockInput(forms.DateTimeInput):
    """One field for day and time, as browsers draw it; by the clinic's clock where the page is under it."""

    input_type = "datetime-local"

    def __init__(self, **kwargs):
        super().__init__(format="%Y-%m-%dT%H:%M", **kwargs)


def read_version(sent: str) -> int:
    """The version of a visit that a form carries: the one its page showed. -1, which no visit has, for none and garbage."""
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) <= 5 else -1


class MayBreakRules(forms.Form):
    """For staff: once told which rules a time breaks, they can say that they mean it."""

    despite_rules = forms.BooleanField(
        label="I know. Do it all the same",
        required=False,
        widget=forms.HiddenInput,  # asked for only once there is a rule to break
        help_text="Another visit can never be overlapped.",
    )

    past_asked = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)  # about which past time

    def clean_starts_at(self) -> datetime:
        """Not so long ago that only a mistyped date can mean it."""
        starts_at = self.cleaned_data["starts_at"]
        if starts_at < timezone.now() - OLDEST_NOTED:
            raise forms.ValidationError(
                f"That is in the past, by more than {OLDEST_NOTED.days} days. Please check the day and the year."
            )
        return starts_at

    def clean(self):
        cleaned = super().clean()
        asked, starts_at = cleaned.pop("past_asked", ""), cleaned.get("starts_at")
        if starts_at and starts_at <= timezone.now() and asked != starts_at.isoformat():
            cleaned["despite_rules"] = False  # ticked for another time: this one is asked about first
        return cleaned

    def ask_despite_rules(self, broken_rules: list[str]) -> None:
        """Show which rules stand in the way, and the box to tick; a tick for a past time is for that time alone."""
        self.fields["despite_rules"].widget = forms.CheckboxInput()
        starts_at = self.cleaned_data["starts_at"]
        if starts_at <= timezone.now():
            self.data = self.data.copy()
            self.data["past_asked"] = starts_at.isoformat()
            self.data.pop("despite_rules", None)
        for words in broken_rules:
            self.add_error("despite_rules", words)


class StaffMoveForm(MayBreakRules):
    """Another time for a visit, or another therapist; for the visit as the page showed it."""

    therapist = forms.ModelChoiceField(Therapist.objects.active())
    starts_at = StaffMomentField(label="Starts", widget=ClinicClockInput, help_text="By the clinic's clock.")
    version = forms.CharField(widget=forms.HiddenInput, required=False, max_length=30)  # `shown`; missing is stale
    field_order = ("therapist", "starts_at", "despite_rules")

    def ask_again(self, words: str, *, version: str) -> None:
        """Say what the visit is meanwhile; sent once more, the form means the visit as it is now (`version`, its `shown`)."""
        self.data = self.data.copy()
        self.data["version"] = version
        self.add_error(None, words)


class StaffBookingForm(MayBreakRules):
    """A visit that the clinic's staff book for somebody, on the phone or at the desk."""

    service = forms.ModelChoiceField(Service.objects.all())
    therapist = forms.ModelChoiceField(Therapist.objects.active())
    starts_at = StaffMomentField(label="Starts", widget=ClinicClockInput, help_text="By the clinic's clock.")
    mode = forms.ChoiceField(label="How", choices=[("", "Choose how"), *VisitMode.choices])
    find = forms.CharField(
        label="Find the patient",
        required=False,
        max_length=LONGEST_WORDS,
        help_text="Parts of a name, an e-mail or a phone number. Or enter somebody new below.",
    )
    patient = forms.ChoiceField(label="Who is it?", required=False, widget=forms.RadioSelect)
    name = NameField(label="Patient's name", required=False)
    email = AddressField(
        label="E-mail",
        required=False,
        help_text="The invitation and the reminders go here. Without one, call them to confirm.",
    )
    phone = PhoneField(required=False)
    text_consent = forms.BooleanField(
        label="They agree to text messages", required=False, help_text=f"Read this to them: “{FORM_CONSENT_WORDS}”"
    )
    guardian_name = NameField(
        label="Parent or guardian",
        required=False,
        help_text="Their name, if the patient is under 18: they come along and sign.",
    )
    idempotency_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    field_order = (
        *("service", "therapist", "starts_at", "despite_rules", "mode"),
        *("find", "patient", "name", "email", "phone", "text_consent", "guardian_name"),
    )

    def __init__(self, *args, clinic: Clinic, sees_patients: bool = True, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["phone"].region, self.country = clinic.country, clinic.country
        self.sees_patients, self.chosen, self.offered = sees_patients, None, []
        if not has_texts():
            del self.fields["text_consent"]
        if not sees_patients:
            del self.fields["find"], self.fields["patient"]
            return
        self._offer(find_chosen(self.data.get("patient", "")))

    def look_up(self, words: str) -> None:
        """Offer the patients whom `words` fit, to choose from; for a form that is not sent yet."""
        fitting = filter_people(Patient.objects.current().order_by("name"), words)
        found, count = list(fitting[:MOST_FOUND]), fitting.count()
        self._offer(found)
        self.initial["find"] = ""
        found_words = f"{count} found for “{words}”: choose below, or search again."
        if count > len(found):
            found_words = f"The first {len(found)} of {count} found for “{words}”. Not among them? Add to the words, and search again."
        none_words = f"Nobody found for “{words}”. Search again, or enter them below."
        self.fields["find"].help_text = found_words if found else none_words

    def _offer(self, patients: list[Patient], why: dict | None = None) -> None:
        self.offered = patients
        rows = [(str(one.pk), self._describe(one, (why or {}).get(one.pk, ()))) for one in patients]
        self.fields["patient"].choices = [*rows, (NEW_PATIENT, "Somebody new: entered below")]
        self.fields["patient"].widget = forms.RadioSelect() if rows else forms.HiddenInput()
        self.fields["patient"].widget.choices = self.fields["patient"].choices

    def _describe(self, patient: Patient, why: tuple[str, ...]) -> str:
        born = f"born {date_format(patient.birth_on, 'M j, Y')}" if patient.birth_on else ""
        contact = (readable_address(patient.email), format_phone(patient.phone, self.country), born)
        unsure = "not confirmed" if patient.is_provisional else ""
        known = ", ".join(filter(None, (patient.name, *contact, unsure)))
        return f"{known} ({', '.join(why)})" if why else known

    def clean(self):
        cleaned = super().clean()
        chosen = cleaned.pop("patient", "")
        cleaned.pop("find", None)
        if chosen and chosen != NEW_PATIENT:
            self.chosen = Patient.objects.current().get(pk=chosen)
            self._refuse_phone_of_namesake(cleaned.get("phone", ""))
        elif not cleaned.get("name"):
            if "name" not in self.errors:
                self.add_error("name", "Enter the patient's name, or find them above.")
        elif self.sees_patients and not chosen and not self.errors.keys() & {"email", "phone"}:
            self._ask_who_it_is({name: cleaned[name] for name in ("name", "email", "phone")})
        number = cleaned.get("phone") or (self.chosen.phone if self.chosen else "")
        if cleaned.get("text_consent") and "phone" not in self.errors and not texting_number(number):
            self.add_error("phone", "Texts need a phone number without an extension.")
        return cleaned

    def _refuse_phone_of_namesake(self, phone: str) -> None:
        is_told_by_phone = not self.chosen.email and phone
        if is_told_by_phone and find_namesake(name=self.chosen.name, phone=phone, besides=self.chosen):
            self.add_error(
                "phone", "Another patient with this name has this number. Find and choose that patient above."
            )

    def _ask_who_it_is(self, typed: dict) -> None:
        alike = {one.patient: one.why for one in likely_twins(**typed)}
        if alike and not is_on_file(**typed):
            self._offer(list(alike), {patient.pk: why for patient, why in alike.items()})
            self.add_error("patient", "We may know this patient already. Choose who it is.")

    def booking(self) -> dict:
        """What `book_appointment` is to be told."""
        told = dict(self.cleaned_data)
        typed = {name: told.pop(name) for name in ("name", "email", "phone", "guardian_name")}
        if self.chosen is not None:
            typed |= {"name": self.chosen.name, "email": self.chosen.email, "patient": self.chosen}
        consent = f"Read to them by staff: {FORM_CONSENT_WORDS}" if told.pop("text_consent", False) else ""
        return {**told, "contact": Contact(**typed, text_consent=consent)}


def find_chosen(key: str) -> list[Patient]:
    """The patient with this id, as a list of one; empty for anything else."""
    try:
        return list(Patient.objects.current().filter(pk=uuid.UUID(key)))
    except ValueError:
        return []


class HoursOverrideForm(forms.ModelForm):
    """Blocked or extra time. Before time is blocked in which people are booked, it names them and asks once.

    Changes of a stored row are asked about by the guard of the admin page. `names_patients` is off for staff who may not
    view visits.
    """

    names_patients = True

    despite_visits = forms.BooleanField(
        label="Block it all the same",
        required=False,
        widget=forms.HiddenInput,  # asked for only once there is something to warn of
        help_text="The visits stay booked until you cancel them. Call those people.",
    )

    class Meta:
        model = HoursOverride
        fields = ("kind", "therapist", "starts_at", "ends_at", "note")

    def clean(self):
        cleaned = super().clean()
        starts_at, ends_at = cleaned.get("starts_at"), cleaned.get("ends_at")
        is_closure = cleaned.get("kind") == HoursOverride.Kind.CLOSURE
        if (
            self.instance._state.adding
            and is_closure
            and starts_at
            and ends_at
            and starts_at < ends_at
            and not cleaned.get("despite_visits")
        ):
            visits = visits_between(therapist=cleaned.get("therapist"), starts_at=starts_at, ends_at=ends_at)
            if visits:
                self.fields["despite_visits"].widget = forms.CheckboxInput()
                self.add_error("despite_visits", visits_in_the_way_words(visits, named=self.names_patients))
        return cleaned


def visits_in_the_way_words(visits: list[Appointment], *, named: bool) -> str:
    """Who is booked in a time that is to be blocked; only how many, unless `named`."""
    if not named:
        return f"Booked in this time: {len(visits)} visit{'' if len(visits) == 1 else 's'}."
    names = "; ".join(
        f"{visit.patient.name if visit.patient else 'somebody who is booking'}, {_day_and_clock(visit)}"
        for visit in visits
    )
    return f"Booked in this time: {names}."


def _day_and_clock(visit: Appointment) -> str:
    local = timezone.localtime(visit.starts_at)
    return f"{short_day_words(local.date())}, {clock_words(local)}"
