"""The form for any page of a questionnaire, built from its definition and rendered with crispy-forms."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, LayoutObject
from django import forms
from django.http import QueryDict
from django.template.loader import render_to_string

from assessments.calculation.calculated_answers import add_calculated
from assessments.intake.responses import in_clinic_zone, merge_answers
from assessments.questionnaire.checking import check_page, keep_positives
from assessments.questionnaire.controls import describe_problem, kind_of, options_of, read_answer, write_answer
from assessments.questionnaire.enablement import describe_condition, enabled_items, meets_condition
from assessments.questionnaire.model import UNASKED_TYPES, Item, Questionnaire
from assessments.questionnaire.readable import answer_text, describe_subject
from assessments.questionnaire.typed_answers import clean_text, spell_unit
from education.body.body_map import place_regions

OTHER = ".other"  # suffix of the name of the text field beside an open choice
ASKED_AGAIN = "asked.again"  # hidden field: the linkIds for which the page was shown again
TEMPLATES = {
    "agree": "assessments/_agree.html",
    "body-map": "assessments/_body_map.html",
    "choices": "assessments/_choices.html",
    "entry": "assessments/_entry.html",
    "scale": "assessments/_scale.html",
}


@dataclass(frozen=True)
class Choice:
    """One option of a question, as rendered."""

    value: str
    text: str
    id: str
    is_checked: bool
    is_exclusive: bool = False
    number: int | None = None  # of its region on the body map


class AnswerField(forms.Field):
    """The field for the answer to one question. Its cleaned value is a list of JSON values as stored.

    A text that cannot be parsed is kept as typed, for `check_page` to report.
    """

    def __init__(self, item: Item) -> None:
        widget = forms.CheckboxSelectMultiple if item.repeats and item.options else forms.TextInput
        super().__init__(required=False, label=item.text, widget=widget)
        self.item = item

    def clean(self, value: Any) -> list:
        typed = value if isinstance(value, list) else [value]
        if self.item.repeats and not self.item.options:
            typed = clean_text(value).split("\n")  # one answer per line
        return keep_positives(self.item, [answer for raw in typed for answer in read_answer(self.item, raw)])


class Question(LayoutObject):
    """Renders an item and its children.

    Items that are not enabled are rendered hidden and disabled until the script reveals them. Hidden items, and
    those that are not enabled and that no answer on the page can enable, are omitted.
    """

    def __init__(self, item: Item) -> None:
        self.item = item

    def render(self, form: "PageForm", context: Any, template_pack: Any = None, **kwargs: Any) -> str:
        item = self.item
        if item.is_hidden or not form.may_be_asked(item):
            return ""
        shown = {
            "item": item,
            "form": form,
            "is_asked": item.link_id in form.enabled,
            "is_follow_up": form.depends_on_page(item),
            "is_kept": item.link_id in form.kept,
            "id": form.id_of(item),
            "conditions": form.describe_conditions(item) if form.depends_on_page(item) else "",
            "children": [Question(child).render(form, context, template_pack) for child in item.items],
        }
        if item.is_question and not item.is_answerable:
            shown["answer"] = answer_text(item, form.stored.get(item.link_id, []))
        elif item.is_question:
            kind, choices = kind_of(item), form.choices_of(item)
            shown |= {
                "template": TEMPLATES[kind],
                "kind": kind,
                "subject": describe_subject(form.questionnaire, item, form.stored),
                "other_name": form.other_names.get(item.link_id, ""),
                "choices": choices,
            }
            if kind == "body-map":
                shown |= number_regions(choices)
            shown |= {
                "value": form.typed_value(item),
                "other": form.typed_other(item),
                "errors": form.errors.get(item.link_id),
                "stored": answer_text(item, form.stored[item.link_id]) if item.link_id in form.conflicts else "",
            }
        return render_to_string("assessments/_item.html", shown)


class PageForm(forms.Form):
    """One page of a questionnaire for one response.

    `answers` are the stored answers. Without `now`, relative limits are not checked. After `is_valid()`, `given` holds
    the sent answers, valid or not, to the questions that the page had shown. `newly_asked` holds the questions and
    notes that these answers enable and that the page did not show yet. Without JavaScript, the page is then shown once
    more, with these questions.
    """

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        questionnaire: Questionnaire,
        page: Item,
        answers: dict[str, list],
        now: datetime | None = None,
    ) -> None:
        super().__init__(data)
        self.questionnaire, self.page, self.stored = questionnaire, page, answers
        self.now = in_clinic_zone(now) if now else None
        self.questions = [item for item in page.walk() if item.is_answerable]
        self.on_page = {item.link_id for item in self.questions}
        self.notes = [item for item in page.walk() if is_note(item) and self.is_conditional(item)]
        sent = data or QueryDict()
        self.seen = set(sent.getlist("seen")) & (self.on_page | {item.link_id for item in self.notes})
        self.asked_again = set(sent.getlist(ASKED_AGAIN))
        self.other_names = name_others(questionnaire, self.questions)
        self.fields = {item.link_id: AnswerField(item) for item in self.questions}
        self.given: dict[str, list] = {}
        self.newly_asked: list[Item] = []
        self.conflicts: list[str] = []  # questions answered in another tab since the page was opened
        self.kept: set[str] = set()  # items that JavaScript must not hide until an answer changes
        self.enabled = enabled_items(questionnaire, answers)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.layout = Layout(*(Question(item) for item in page.items or (page,)))

    def clean(self) -> dict[str, Any]:
        self.given = {
            name: self._with_other(name, self.cleaned_data[name]) for name in self.fields if name in self.seen
        }
        merged = self._merge()
        self.enabled = enabled_items(self.questionnaire, merged)
        self.newly_asked = [
            item
            for item in (*self.questions, *self.notes)
            if item.link_id in self.enabled - self.seen - self.asked_again and not merged.get(item.link_id)
        ]
        new = {item.link_id for item in self.newly_asked}
        for problem in check_page(self.questionnaire, self.page, merged, now=self.now, stored=self.stored):
            if (name := problem.link_id) not in new:
                item, values = self.questionnaire.items[name], merged.get(name, [])
                self.add_error(name, describe_problem(item, problem, values=values, now=self.now))
        self.kept = {above for name in new | set(self.errors) for above in self._lineage(name)}
        return self.cleaned_data

    def _merge(self) -> dict[str, list]:
        """Merge the stored answers, the answers of the page (valid or not) and the calculated answers."""
        fitting = merge_answers(self.stored, self.given, self.page, now=self.now)
        with_calculated = add_calculated(self.questionnaire, fitting)
        calculated = {item.link_id for item in self.questionnaire.items.values() if item.calculated}
        return {**self.stored, **self.given, **{name: with_calculated.get(name, []) for name in calculated}}

    def _lineage(self, name: str) -> list[str]:
        """Return `name` and the linkIds of the items above it."""
        parent = self.questionnaire.items[name].parent if name in self.questionnaire.items else None
        return [name, *(self._lineage(parent) if parent else [])]

    @property
    def has_answers(self) -> bool:
        """Whether the submitted form had any answer."""
        return any(self.given.values())

    @property
    def error_list(self) -> list[tuple[str, str, str]]:
        """(anchor, question, message) of each error, in the order asked, for the summary at the top."""
        return [
            (self.anchor_of(item), item.text or item.label, str(message))
            for item in self.questions
            for message in self.errors.get(item.link_id, [])
        ]

    @property
    def new_list(self) -> list[tuple[str, str]]:
        """(anchor, text) of each of `newly_asked`."""
        return [(self.anchor_of(item), item.text) for item in self.newly_asked]

    @property
    def conflict_list(self) -> list[tuple[str, str]]:
        """(anchor, question) of each question answered in another tab since the page was opened."""
        return [(self.anchor_of(item), item.text) for item in self.questions if item.link_id in self.conflicts]

    def note_conflicts(self, names: list[str], *, stored: dict[str, list]) -> None:
        """Set the conflicting questions to `names`. Each is rendered with its `stored` answer beside the typed one."""
        self.conflicts, self.stored = names, stored

    @property
    def not_yet_shown(self) -> list[str]:
        """The linkIds of the questions in `newly_asked`, without its notes."""
        return [item.link_id for item in self.newly_asked if item.is_question]

    def is_asked(self, name: str) -> bool:
        """Return whether this page asks the question `name` now."""
        return name in self.on_page and name in self.enabled

    def may_be_asked(self, item: Item) -> bool:
        """Return whether `item` is enabled, or could be enabled by an answer on this page."""
        if item.link_id in self.enabled:
            return True
        parent = self.questionnaire.items.get(item.parent or "")
        if parent is not None and parent is not self.page and not self.may_be_asked(parent):
            return False
        targets = [self.questionnaire.items[condition.question] for condition in item.conditions]
        return not targets or any(one.link_id in self.on_page and self.may_be_asked(one) for one in targets)

    def is_conditional(self, item: Item) -> bool:
        """Return whether `item` or an item above it has conditions."""
        return any(self.questionnaire.items[name].conditions for name in self._lineage(item.link_id))

    def depends_on_page(self, item: Item) -> bool:
        """Return whether a condition of `item` reads an answer on this page."""
        return any(condition.question in self.on_page for condition in item.conditions)

    def describe_conditions(self, item: Item) -> str:
        """Return the conditions of `item` as JSON for the script. Conditions on other pages are evaluated here."""
        decided = []
        for condition in item.conditions:
            question = self.questionnaire.items[condition.question]
            if question.link_id in self.on_page:
                decided.append(describe_condition(question, condition) | self._describe_controls(question))
            else:
                values = self.stored.get(question.link_id, []) if question.link_id in self.enabled else []
                decided.append({"met": meets_condition(question, condition, values)})
        return json.dumps({"all": item.needs_all, "conditions": decided})

    def _describe_controls(self, question: Item) -> dict:
        """Return the data with which the script parses the answer to `question` like the server."""
        return {
            "other": self.other_names.get(question.link_id, ""),
            "units": spell_unit(question.unit),
            "isList": question.repeats and not question.options,
        }

    def id_of(self, item: Item) -> str:
        """Return a unique HTML id. Ids of the item's controls append ":" and a number; a quoted linkId has no colon."""
        return f"q-{quote(item.link_id, safe='')}"

    def anchor_of(self, item: Item) -> str:
        """Return the id of the first control of `item`."""
        is_list = item.is_question and kind_of(item) in ("choices", "scale", "body-map")
        return f"{self.id_of(item)}:0" if is_list else self.id_of(item)

    def choices_of(self, item: Item) -> list[Choice]:
        chosen = set(self._raw_values(item))
        alone = {option.code for option in item.options if option.is_exclusive}
        return [
            Choice(value, text, f"{self.id_of(item)}:{number}", value in chosen, value in alone)
            for number, (value, text) in enumerate(options_of(item))
        ]

    def typed_value(self, item: Item) -> str:
        """Return the text in the text box of `item`: as typed, even if invalid, or else the stored answer."""
        return "\n".join(self._raw_values(item))

    def typed_other(self, item: Item) -> str:
        """Return the text in the field beside an open choice: as typed, or else as stored."""
        if self.is_bound and item.link_id in self.seen:
            return self.data.get(self.other_names[item.link_id], "") if item.link_id in self.other_names else ""
        return next((value["text"] for value in self.stored.get(item.link_id, []) if isinstance(value, dict)), "")

    def _raw_values(self, item: Item) -> list[str]:
        if self.is_bound and item.link_id in self.seen:
            return cast(QueryDict, self.data).getlist(item.link_id)
        return [write_answer(value) for value in self.stored.get(item.link_id, []) if not isinstance(value, dict)]

    def _with_other(self, name: str, values: list) -> list:
        text = clean_text(self.data.get(self.other_names[name])) if name in self.other_names else ""
        return [*values, {"text": text}] if text else values


def is_note(item: Item) -> bool:
    """Return whether `item` is shown without asking for an answer."""
    return (item.type == "display" or item.type in UNASKED_TYPES) and not item.is_hidden


def name_others(questionnaire: Questionnaire, questions: list[Item]) -> dict[str, str]:
    """Return {linkId: name of the text field} for each open choice. The names differ from every linkId."""
    names = {}
    for item in questions:
        if item.type == "open-choice":
            names[item.link_id] = item.link_id + OTHER
            while names[item.link_id] in questionnaire.items or list(names.values()).count(names[item.link_id]) > 1:
                names[item.link_id] += "~"
    return names


def number_regions(choices: list[Choice]) -> dict:
    """Return the regions of a body map, and its choices numbered like their regions, for the template."""
    regions = place_regions((choice.value, choice.id) for choice in choices)
    numbers = {region.code: region.number for region in regions}
    return {"regions": regions, "choices": [replace(choice, number=numbers.get(choice.value)) for choice in choices]}
