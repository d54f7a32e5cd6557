"""Expand repeating groups into copies, and split long pages, in FHIR JSON. Pure.

Each further copy of a repeating group is enabled by an added question ("one more?"), so that conditions, checks and
pages work in a copy as in any group.
"""

from itertools import chain

from assessments.fhir_json.names import max_occurs, walk_items
from assessments.questionnaire.model import InvalidQuestionnaire

# Possible limits on the copies of each repeating group. The first that keeps the file within MOST_ITEMS is used.
MOST_COPIES = (30, 20, 10, 5, 3, 2, 1)
MOST_ITEMS = 4000  # after copying
LONGEST_PAGE, SPLIT_PAGE = 25, 15  # items; a page longer than LONGEST_PAGE is split into parts of about SPLIT_PAGE
SOURCE, ADDED, CONTINUED, NUMBER = "#source", "#added", "#continued", "#number"  # no FHIR element begins with "#"


def unroll(items: list[dict], *, title: str) -> list[dict]:
    """Return `items` (the top level of a Questionnaire) as pages, with copies of repeating groups.

    Raises InvalidQuestionnaire if there are more than MOST_ITEMS.
    """
    most = most_copies(items)
    unrolled = [one for item in items for one in _unroll_item(item, most, is_top=True)]
    return _paginate(unrolled, title)


def most_copies(items: list[dict]) -> int:
    """Return the maximum number of copies that a repeating group in `items` may have.

    Raises InvalidQuestionnaire if there are more than MOST_ITEMS even with one copy of each.
    """
    for most in MOST_COPIES:
        if sum(_size(item, most) for item in items) <= MOST_ITEMS:
            return most
    raise InvalidQuestionnaire(f"more than {MOST_ITEMS} items")


def _size(raw: dict, most: int) -> int:
    one = 1 + sum(_size(child, most) for child in raw.get("item", []))
    return one if not _is_repeating(raw) else (one + 1) * _copies_of(raw, most)


def _is_repeating(raw: dict) -> bool:
    return raw.get("type") == "group" and bool(raw.get("repeats"))


def _copies_of(raw: dict, most: int) -> int:
    return max(1, min(max_occurs(raw) or most, most))


def _unroll_item(raw: dict, most: int, *, is_top: bool = False) -> list[dict]:
    item = dict(raw)
    if "item" in raw:
        item["item"] = [one for child in raw["item"] for one in _unroll_item(child, most)]
    if not _is_repeating(raw):
        return [item]
    item.pop("repeats")
    link_id, text = item.get("linkId", ""), item.get("text", "")
    inside = {one["linkId"] for one in (item, *walk_items(item)) if "linkId" in one}
    parts, opens = [item], {key: item[key] for key in ("enableWhen", "enableBehavior") if key in item}
    for number in range(2, _copies_of(raw, most) + 1):
        gate = {"linkId": f"{link_id}~{number}?", "type": "boolean", "text": "Is there one more to add?", ADDED: True}
        parts.append({**gate, **opens})
        opens = {"enableWhen": [{"question": gate["linkId"], "operator": "=", "answerBoolean": True}]}
        copy = {**_rename(item, f"~{link_id}.{number}", inside), NUMBER: number}
        copy.pop("enableBehavior", None)
        parts.append({**copy, **opens})
    if is_top:
        return [{"linkId": f"{link_id}~all", "type": "group", "text": text, ADDED: True, "item": parts}]
    return parts


def _rename(raw: dict, suffix: str, inside: set[str]) -> dict:
    """Return a copy of `raw` with `suffix` added to every linkId in it, and to conditions on the linkIds `inside`."""
    item = {**raw, "linkId": raw.get("linkId", "") + suffix}
    if not raw.get(ADDED):
        item[SOURCE] = raw.get(SOURCE) or raw.get("linkId", "")
    if "enableWhen" in raw:
        item["enableWhen"] = [
            {**one, "question": one["question"] + suffix} if one.get("question") in inside else one
            for one in raw["enableWhen"]
        ]
    if "item" in raw:
        item["item"] = [_rename(child, suffix, inside) for child in raw["item"]]
    return item


def _paginate(items: list[dict], title: str) -> list[dict]:
    pages: list[dict] = []
    loose: list[dict] = []

    def close_page() -> None:
        if len(loose) > 1:
            pages.append(
                {"linkId": f"page~{len(pages) + 1}", "type": "group", "text": title, ADDED: True, "item": [*loose]}
            )
        else:
            pages.extend(loose)
        loose.clear()

    for item in items:
        if item.get("type") == "group":
            close_page()
            pages += _split(item) if _count(item) > LONGEST_PAGE else [item]
        else:
            if sum(_count(one) for one in loose) + _count(item) > SPLIT_PAGE:
                close_page()
            loose.append(item)
    close_page()
    return pages


def _split(raw: dict) -> list[dict]:
    """Return `raw` split into groups of about SPLIT_PAGE items; [`raw`] if it is a question, or short enough.

    A question is kept with all questions below it, even if they are more than SPLIT_PAGE.
    """
    if raw.get("type") != "group" or _count(raw) <= SPLIT_PAGE:
        return [raw]
    parts: list[list[dict]] = [[]]
    for piece in chain.from_iterable(_split(child) for child in raw.get("item", [])):
        if parts[-1] and sum(_count(one) for one in parts[-1]) + _count(piece) > SPLIT_PAGE:
            parts.append([])
        parts[-1].append(piece)
    first = {**raw, "item": parts[0]}
    source = {} if raw.get(ADDED) else {SOURCE: raw.get(SOURCE) or raw.get("linkId", "")}
    return [first] + [
        {**raw, **source, CONTINUED: True, "linkId": f"{raw.get('linkId', '')}~p{number}", "item": part}
        for number, part in enumerate(parts[1:], start=2)
    ]


def _count(raw: dict) -> int:
    """Return the number of items in `raw`, itself included."""
    return 1 + sum(1 for _ in walk_items(raw))
