"""Write answers as items of a FHIR QuestionnaireResponse, with the groups and pages of the original file. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal

from assessments.questionnaire.enablement import enabled_items
from assessments.questionnaire.model import CHOICE_TYPES, Answer, Item, Questionnaire

VALUE_KEYS = {
    "boolean": "valueBoolean",
    "integer": "valueInteger",
    "decimal": "valueDecimal",
    "quantity": "valueQuantity",
    "date": "valueDate",
    "dateTime": "valueDateTime",
    "time": "valueTime",
    "string": "valueString",
    "text": "valueString",
    "url": "valueUri",
}
WEIGHT = "http://hl7.org/fhir/StructureDefinition/ordinalValue"


@dataclass(frozen=True)
class Node:
    """One item of the file. `parts` are our items for it: more than one if a long page was split."""

    link_id: str
    parts: tuple[Item, ...]

    @property
    def children(self) -> tuple[Item, ...]:
        return tuple(child for part in self.parts for child in part.items)


def nodes_of(items: Iterable[Item]) -> list[Node]:
    """Return the items of the file for `items`, in order. An added item is replaced by the items in it."""
    nodes: list[Node] = []
    for item in _without_added(items):
        if item.is_continued and nodes and nodes[-1].link_id == item.exported_id:
            nodes[-1] = Node(nodes[-1].link_id, (*nodes[-1].parts, item))
        else:
            nodes.append(Node(item.exported_id, (item,)))
    return nodes


def _without_added(items: Iterable[Item]) -> Iterator[Item]:
    for item in items:
        if item.is_added:
            yield from _without_added(item.items)
        else:
            yield item


def write_items(
    questionnaire: Questionnaire,
    answers: dict[str, list],
    *,
    zone: tzinfo,
    has_weights: bool = False,
    enabled: frozenset[str] | None = None,
    nodes: dict[str, dict] | None = None,
) -> list[dict]:
    """Return the items of a response with `answers`, without disabled items, as FHIR requires of a completed response.

    `enabled` overrides the linkIds that are enabled by `answers`. A dateTime without an offset is in `zone`.
    `has_weights` adds each option's weight to its code. `nodes` receives the item written for each of our linkIds.
    """
    enabled = enabled_items(questionnaire, answers) if enabled is None else enabled
    return _Writer(enabled, answers, zone, has_weights, {} if nodes is None else nodes).write(questionnaire.pages)


class _Writer:
    def __init__(
        self, enabled: frozenset[str], answers: dict[str, list], zone: tzinfo, has_weights: bool, nodes: dict[str, dict]
    ):
        self.enabled, self.answers, self.zone, self.has_weights = enabled, answers, zone, has_weights
        self.nodes = nodes

    def write(self, items: tuple[Item, ...]) -> list[dict]:
        written: list[dict] = []
        for node in nodes_of(items):
            if one := self._write_node(node):
                written.append(one)
                self.nodes |= dict.fromkeys((part.link_id for part in node.parts), one)
        return written

    def _write_node(self, node: Node) -> dict | None:
        item = node.parts[0]
        if item.link_id not in self.enabled or not (item.is_question or item.type == "group"):
            return None
        written = {"linkId": node.link_id, "text": item.text} if item.text else {"linkId": node.link_id}
        children = self.write(node.children)
        if not item.is_question:
            return written | {"item": children} if children else None
        given = [self._write_value(item, value) for value in self.answers.get(item.link_id, [])]
        if not given:
            return None
        if children:  # FHIR nests children in the answer, not in the question
            given[0]["item"] = children
        return written | {"answer": given}

    def _write_value(self, item: Item, value: Answer) -> dict:
        if isinstance(value, dict):
            return {"valueString": value["text"]}
        if item.type in CHOICE_TYPES:
            return self._write_option(item, str(value))
        if item.type == "quantity":
            return {"valueQuantity": {"value": float(value)} | ({"unit": item.unit} if item.unit else {})}
        if item.type == "dateTime":
            instant = datetime.fromisoformat(str(value))
            return {"valueDateTime": (instant if instant.tzinfo else instant.replace(tzinfo=self.zone)).isoformat()}
        if item.type == "time" and str(value).count(":") == 1:
            value = f"{value}:00"
        return {VALUE_KEYS[item.type]: float(value) if item.type == "decimal" else value}

    def _write_option(self, item: Item, value: str) -> dict:
        option = next((one for one in item.options if one.code == value), None)
        if option is None or option.kind == "Coding":
            coding: dict[str, object] = {"code": value, "display": item.option_text(value)}
            if option and option.system:
                coding["system"] = option.system
            if option and option.ordinal is not None and self.has_weights:
                coding["extension"] = [{"url": WEIGHT, "valueDecimal": float(option.ordinal)}]
            return {"valueCoding": coding}
        if option.kind == "Reference":
            return {"valueReference": {"reference": value}}
        return {f"value{option.kind}": int(Decimal(value)) if option.kind == "Integer" else value}
