"""One form for every page of every questionnaire, built from its definition and drawn through crispy-forms."""

import json
from dataclasses import dataclass, replace

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, LayoutObject
from django import forms
from django.template.loader import render_to_string

from education.body_map import place_regions

from .checking import check_page, keep_positives
from .controls import clean_text, describe_problem, kind_of, options_of, read_answer, write_answer
from .enablement import enabled_items, meets_condition
from .questionnaire import Item, Questionnaire
from .reading import answer_text

OTHER = ".other"  # the text beside an open choice
TEMPLATES = {
    "agree": "assessments/_agree.html",
    "body-map": "assessments/_body_map.html",
    "choices": "assessments/_choices.html",
    "entry": "assessments/_entry.html",
    "scale": "assessments/_scale.html",
}


@dataclass(frozen=True)
class Choice:
    """One row or button to tick."""

    value: str
    text: str
    id: str
    is_checked: bool
    is_exclusive: bool = False
    number: int | None = None  # of its region on the body map


class AnswerField(forms.Field):
    """The answer to one question: whatever was posted, as the list of JSON values that is stored."""

    def __init__(self, item: Item):
        widget = forms.CheckboxSelectMultiple if item.repeats and item.options else forms.TextInput
        super().__init__(required=False, label=item.text, widget=widget)
        self.item = item

    def clean(self, value) -> list:
        typed = value if isinstance(value, list) else [value]
        if self.item.repeats and not self.item.options:
            typed = (value or "").splitlines()  # several answers are typed one to a line
        return keep_positives(self.item, [answer for raw in typed for answer in read_answer(self.item, raw)])


class Question(LayoutObject):
    """Draws one item with all below it. Items that are not asked now come hidden and disabled, for the script to reveal."""

    def __init__(self, item: Item):
        self.item = item

    def render(self, form, context, template_pack=None, **kwargs):
        item = self.item
        if item.is_hidden or not form.may_be_asked(item):
            return ""
        shown = {
            "item": item,
            "form": form,
            "is_asked": item.link_id in form.enabled,
            "is_follow_up": form.may_change_here(item),
            "conditions": form.describe_conditions(item) if form.may_change_here(item) else "",
            "children": [Question(child).render(form, context, template_pack) for child in item.items],
        }
        if item.is_question and not item.is_answerable:
            shown["answer"] = answer_text(item, form.stored.get(item.link_id, []))
        elif item.is_question:
            kind = kind_of(item)
            shown |= {
                "template": TEMPLATES[kind],
                "kind": kind,
                "id": form.id_of(item),
                "choices": form.choices_of(item),
            }
            if kind == "body-map":
                shown |= number_regions(shown["choices"])
            shown |= {
                "value": form.typed_value(item),
                "other": form.typed_other(item),
                "errors": form.errors.get(item.link_id),
            }
        return render_to_string("assessments/_item.html", shown)


class PageForm(forms.Form):
    """One page of a questionnaire for one response.

    `answers` are those stored so far. After `is_valid()`, `given` holds what was answered on the page, fit or not, and
    `newly_asked` the questions that the answers opened and that were not on the page yet: without a script the page
    comes again with them.
    """

    def __init__(self, data=None, *, questionnaire: Questionnaire, page: Item, answers: dict[str, list]):
        super().__init__(data)
        self.questionnaire, self.page, self.stored = questionnaire, page, answers
        self.questions = [item for item in page.walk() if item.is_answerable]
        self.on_page = {item.link_id for item in self.questions}
        self.seen = set(data.getlist("seen")) & self.on_page if data is not None else set()
        self.fields = {item.link_id: AnswerField(item) for item in self.questions}
        self.given: dict[str, list] = {}
        self.newly_asked: list[Item] = []
        self.enabled = enabled_items(questionnaire, answers)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.layout = Layout(*(Question(item) for item in page.items or (page,)))

    def clean(self):
        self.given = {
            name: self._with_other(name, self.cleaned_data[name]) for name in self.fields if name in self.seen
        }
        merged = {**self.stored, **self.given}
        self.enabled = enabled_items(self.questionnaire, merged)
        self.newly_asked = [
            item
            for item in self.questions
            if item.link_id in self.enabled and item.link_id not in self.seen and not merged.get(item.link_id)
        ]
        new = {item.link_id for item in self.newly_asked}
        for problem in check_page(self.questionnaire, self.page, merged):
            if problem.link_id not in new:
                self.add_error(problem.link_id, describe_problem(self.questionnaire.items[problem.link_id], problem))
        return self.cleaned_data

    @property
    def error_list(self) -> list[tuple[str, str, str]]:
        """(anchor, label, message) of what is wrong, in the order asked: for the summary at the top."""
        return [
            (self.anchor_of(item), item.label, message)
            for item in self.questions
            for message in self.errors.get(item.link_id, [])
        ]

    @property
    def new_list(self) -> list[tuple[str, str]]:
        """(anchor, question) of what the answers opened."""
        return [(self.anchor_of(item), item.text) for item in self.newly_asked]

    def may_be_asked(self, item: Item) -> bool:
        """Whether `item` is asked, or an answer on this very page could open it."""
        if item.link_id in self.enabled:
            return True
        parent = self.questionnaire.items.get(item.parent or "")
        if parent is not None and parent is not self.page and not self.may_be_asked(parent):
            return False
        targets = [self.questionnaire.items[condition.question] for condition in item.conditions]
        return not targets or any(one.link_id in self.on_page and self.may_be_asked(one) for one in targets)

    def may_change_here(self, item: Item) -> bool:
        """Whether an answer on this very page shows or hides `item`."""
        return any(condition.question in self.on_page for condition in item.conditions)

    def describe_conditions(self, item: Item) -> str:
        """The conditions of `item` for the script, as JSON; those about other pages are already decided."""
        decided = []
        for condition in item.conditions:
            question = self.questionnaire.items[condition.question]
            if question.link_id in self.on_page:
                decided.append({"question": question.link_id, "operator": condition.operator, "value": condition.value})
            else:
                values = self.stored.get(question.link_id, []) if question.link_id in self.enabled else []
                decided.append({"met": meets_condition(question, condition, values)})
        return json.dumps({"all": item.needs_all, "conditions": decided})

    def id_of(self, item: Item) -> str:
        return f"q-{'_'.join(item.link_id.split())}"  # an id holds no space

    def anchor_of(self, item: Item) -> str:
        """The id of the first control of `item`."""
        return f"{self.id_of(item)}-0" if kind_of(item) in ("choices", "scale", "body-map") else self.id_of(item)

    def choices_of(self, item: Item) -> list[Choice]:
        chosen = set(self._raw_values(item))
        alone = {option.code for option in item.options if option.is_exclusive}
        return [
            Choice(value, text, f"{self.id_of(item)}-{number}", value in chosen, value in alone)
            for number, (value, text) in enumerate(options_of(item))
        ]

    def typed_value(self, item: Item) -> str:
        """What stands in a text box: as it was typed, right or wrong."""
        return "\n".join(self._raw_values(item))

    def typed_other(self, item: Item) -> str:
        """What was typed beside an open choice."""
        if self.is_bound and item.link_id in self.seen:
            return self.data.get(item.link_id + OTHER, "")
        return next((value["text"] for value in self.stored.get(item.link_id, []) if isinstance(value, dict)), "")

    def _raw_values(self, item: Item) -> list[str]:
        if self.is_bound and item.link_id in self.seen:
            return self.data.getlist(item.link_id)
        return [write_answer(value) for value in self.stored.get(item.link_id, []) if not isinstance(value, dict)]

    def _with_other(self, name: str, values: list) -> list:
        text = clean_text(self.data.get(name + OTHER)) if self.questionnaire.items[name].type == "open-choice" else ""
        return [*values, {"text": text}] if text else values


class UploadForm(forms.Form):
    """A FHIR file that staff bring."""

    file = forms.FileField(
        label="The file",
        help_text="A FHIR Questionnaire, R4 or R5, as JSON.",
        widget=forms.FileInput(attrs={"accept": ".json,application/json,application/fhir+json"}),
    )
    slug = forms.SlugField(
        label="Its short name here (if you like)",
        required=False,
        max_length=60,
        help_text="Without spaces, such as weekly-check. A file whose url is known here becomes the next version of that questionnaire.",
    )


def number_regions(choices: list[Choice]) -> dict:
    """The regions of a body map, and its choices with the numbers of those that have a place on it."""
    regions = place_regions((choice.value, choice.id) for choice in choices)
    numbers = {region.code: region.number for region in regions}
    return {"regions": regions, "choices": [replace(choice, number=numbers.get(choice.value)) for choice in choices]}
