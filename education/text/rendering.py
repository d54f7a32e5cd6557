"""Markdown with a few additions of ours, in; HTML that is safe to show, out. Knows no database and no clock.

The additions:

    [@lenhart2014]  [@buist2008; @nielsen2014]     a number that leads to the reference
    {strong}  {limited}  {opinion}                 how sure we are of what stands before it
    {emergency}                                    the emergency number, as a link that dials it
    [step rate](term:cadence)                      a word that the glossary explains: under the pointer, at a tap, by Enter
    ![What it shows](figure:name "Caption")        one of our own drawings
    ![What it shows](picture:name "Caption")       a picture that staff have uploaded
    ::: emergency Title                            a card; also `urgent`, `tell` and `note`. It ends with a line of `:::`
    - …
    :::

Raw HTML is text here. Whatever an author types, the result has passed an allow-list.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import smartquotes
from markdown_it.token import Token

RESERVED_IDS = ("main", "book", "contents", "key-facts", "references", "series", "elsewhere")  # the page's own
LONGEST_TEXT = 100_000  # characters; no article comes near
MOST_QUOTES = 4_000  # beyond that they stay straight: setting them takes time by their square

EVIDENCE = {"strong": "strong evidence", "limited": "limited evidence", "opinion": "expert opinion"}
CARDS = {
    "emergency": "care-card care-emergency",
    "urgent": "care-card care-urgent",
    "tell": "care-card care-tell",
    "note": "callout",
}

ALLOWED_TAGS = {
    *("p", "br", "hr", "h2", "h3", "h4", "ul", "ol", "li", "blockquote", "pre", "section", "figure"),
    *("table", "thead", "tbody", "tr", "th", "td"),
    *("a", "strong", "em", "s", "code", "sup", "span", "button"),
}
ALLOWED_ATTRIBUTES = {
    "a": {"href", "title", "id", "aria-label", "rel"},
    "h2": {"id"},
    "h3": {"id"},
    "h4": {"id"},
    "ol": {"start"},
    "th": {"scope"},
    "figure": {"data-figure"},
    "section": {"aria-label"},
    "button": {"type", "popovertarget", "title"},
    "span": {"id", "popover"},
}
ALLOWED_CLASSES = {
    "section": {name for names in CARDS.values() for name in names.split()},
    "span": {"badge-evidence", *(f"badge-{name}" for name in EVIDENCE), "term-note"},
    "button": {"term"},
    "sup": {"cite"},
    "figure": {"figure-drawn"},
}

_CITATION = re.compile(r"\[@([\w-]{1,60}(?:; ?@[\w-]{1,60}){0,9})\]")
_MARK = re.compile(r"\{([a-z]+)\}")
_CARD_OPENS = re.compile(r":::[ \t]*([a-z]+)(?:[ \t]+(\S.*))?$")
_FIGURE_PLACE = re.compile(r'<figure class="figure-drawn" data-figure="(\d+)"></figure>')

FigureDrawing = Callable[[str, str], str | None]


@dataclass(frozen=True)
class Term:
    """A word that the glossary explains: its `meaning`, and the `address` where the glossary says so."""

    name: str
    meaning: str
    address: str


@dataclass(frozen=True)
class Heading:
    """A line of the contents list."""

    id: str
    text: str


@dataclass(frozen=True)
class Citation:
    """A reference that the text names, and its number, counted in the order of first mention."""

    number: int
    id: str


@dataclass(frozen=True)
class Rendered:
    """What became of a text. `html` is safe to show as it is; `faults` say, in words, what an author should mend."""

    html: str
    contents: tuple[Heading, ...]
    citations: tuple[Citation, ...]
    explained: tuple[str, ...]
    faults: tuple[str, ...]


@dataclass
class _Notes:
    """What is gathered while a text is rendered."""

    known: frozenset[str]
    emergency_number: str
    draw_figure: FigureDrawing
    write_picture: FigureDrawing = lambda name, alt: None
    terms: Mapping[str, Term] = field(default_factory=dict)
    cited: list[str] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def render_markdown(
    text: str,
    *,
    references: Sequence[str] = (),
    cited: Sequence[str] = (),
    explained: Sequence[str] = (),
    emergency_number: str = "911",
    draw_figure: FigureDrawing = lambda name, alt: None,
    write_picture: FigureDrawing = lambda name, alt: None,
    terms: Mapping[str, Term] | None = None,
) -> Rendered:
    """`text` as safe HTML.

    `references` are the ids that may be cited; `cited` those that an earlier text of the same page has cited already, whose
    numbers go on, and `explained` the terms that it has explained. `draw_figure(name, alt)` gives the markup of a drawing of ours,
    which is trusted, or None for an unknown name; `write_picture` does so for an uploaded picture.
    `terms` are the words of the glossary, by the name after `term:`.
    Raises ValueError for a text of more than LONGEST_TEXT characters.
    """
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"A text may have {LONGEST_TEXT} characters, this one has {len(text)}.")
    notes = _Notes(
        frozenset(references), emergency_number, draw_figure, write_picture, terms or {}, list(cited), list(explained)
    )
    tokens = _PARSER.parse(text, env := {"notes": notes})
    contents = _name_headings(tokens)
    dirty = _PARSER.renderer.render(tokens, _PARSER.options, env)
    html = _FIGURE_PLACE.sub(lambda match: _place_figure(notes, int(match[1])), _CLEANER.clean(dirty))
    citations = tuple(Citation(number, id) for number, id in enumerate(notes.cited, 1))
    return Rendered(html, contents, citations, tuple(notes.explained), tuple(notes.faults))


def parse_blocks(text: str) -> list[Token]:
    """`text` as tokens, for those who want its words and not its looks."""
    return _PARSER.parse(text, {"notes": _Notes(frozenset(), "", lambda name, alt: None)})


def plain_words(token: Token) -> str:
    """The words of a block, without marks, citations and figures."""
    return "".join(_plain(child) for child in token.children or ()).strip()


def _plain(token: Token) -> str:
    if token.type in ("text", "code_inline"):
        return token.content
    return " " if token.type in ("softbreak", "hardbreak") else ""


def _name_headings(tokens: list[Token]) -> tuple[Heading, ...]:
    """Give every heading an id and a level from 2 (the page's title is 1) to 4; returns those of level 2."""
    taken = dict.fromkeys(RESERVED_IDS, 1)
    contents = []
    for opening, inline, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type != "heading_open":
            continue
        level = min(max(int(opening.tag[1]), 2), 4)
        opening.tag = closing.tag = f"h{level}"
        words = plain_words(inline)
        opening.attrSet("id", id := _unused(slug_heading(words), taken))
        if level == 2:
            contents.append(Heading(id, words))
    return tuple(contents)


def slug_heading(words: str) -> str:
    """A heading as an id: lower case letters, digits and hyphens."""
    ascii_words = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_words.replace("'", "").lower()).strip("-")[:60] or "section"


def _unused(name: str, taken: dict[str, int]) -> str:
    """`name`, or with the next number behind it; `taken` has the ids in use and how far each has been counted."""
    id = name
    while id in taken:
        taken[name] += 1
        id = f"{name}-{taken[name]}"
    taken[id] = 1
    return id


def _place_figure(notes: _Notes, number: int) -> str:
    # A place can only be made by an image rule; the number is checked all the same, for the allow-list lets the tag through.
    return notes.figures[number] if number < len(notes.figures) else ""


# What the parser learns --------------------------------------------------------------------------------------------------


def _citation_rule(state, silent: bool) -> bool:
    match = _CITATION.match(state.src, state.pos, state.posMax)
    if not match:
        return False
    if not silent:
        state.push("citation", "", 0).meta = {"ids": [id.strip(" @") for id in match[1].split(";")]}
    state.pos = match.end()
    return True


def _mark_rule(state, silent: bool) -> bool:
    match = _MARK.match(state.src, state.pos, state.posMax)
    if not match or match[1] not in (*EVIDENCE, "emergency"):
        return False
    if not silent:
        state.push("emergency_number" if match[1] == "emergency" else "evidence", "", 0).info = match[1]
    state.pos = match.end()
    return True


def _card_rule(state, start: int, end: int, silent: bool) -> bool:
    """`::: kind Title` up to a line of `:::` or the end of what contains it."""
    if state.is_code_block(start):
        return False
    match = _CARD_OPENS.match(state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]].rstrip())
    if not match or match[1] not in CARDS:
        return False
    if silent:
        return True
    last = start + 1
    while last < end and state.getLines(last, last + 1, 0, False).strip() != ":::":
        last += 1
    opening = state.push("card_open", "section", 1)
    opening.info, opening.content, opening.map = match[1], match[2] or "", [start, last]
    old_end, old_parent = state.lineMax, state.parentType
    state.lineMax, state.parentType = last, "card"
    state.md.block.tokenize(state, start + 1, last)
    state.lineMax, state.parentType = old_end, old_parent
    state.push("card_close", "section", -1)
    state.line = min(last + 1, end)
    return True


def _render_citation(self, tokens, index, options, env) -> str:
    notes: _Notes = env["notes"]
    links = []
    for id in tokens[index].meta["ids"]:
        if id not in notes.known:
            notes.faults.append(f"No reference is called “{id}”.")
            continue
        is_first = id not in notes.cited
        if is_first:
            notes.cited.append(id)
        number = notes.cited.index(id) + 1
        anchor = f' id="cited.{number}"' if is_first else ""  # no heading's id has a dot
        links.append(f'<a href="#ref.{number}"{anchor} aria-label="Source {number}">{number}</a>')
    return f'<sup class="cite">{" ".join(links)}</sup>' if links else ""


def _render_evidence(self, tokens, index, options, env) -> str:
    name = tokens[index].info
    return f'<span class="badge-evidence badge-{name}">{EVIDENCE[name]}</span>'


def _render_emergency_number(self, tokens, index, options, env) -> str:
    number = escape(env["notes"].emergency_number)
    return f'<a href="tel:{number}">{number}</a>'


def _render_card_open(self, tokens, index, options, env) -> str:
    token = tokens[index]
    level = 3 if any(before.type == "heading_open" for before in tokens[:index]) else 2
    title = f"<h{level}>{escape(token.content)}</h{level}>\n" if token.content else ""
    return f'<section class="{CARDS[token.info]}">\n{title}'


def _render_image(self, tokens, index, options, env) -> str:
    """Our own drawings and pictures only: one from elsewhere would tell its host who reads."""
    notes: _Notes = env["notes"]
    token = tokens[index]
    source, alt = str(token.attrGet("src") or ""), token.content.strip()
    kind, _, name = source.partition(":")
    shows = {"figure": notes.draw_figure, "picture": notes.write_picture}
    if kind not in shows:
        kind, name = "figure", source
    drawing = shows[kind](name, alt)
    if not alt:
        notes.faults.append(f"The {kind} “{name}” needs words for those who do not see it.")
    if drawing is None:
        notes.faults.append(f"There is no {kind} called “{name}”.")
        return escape(alt)
    caption = token.attrGet("title")
    legend = f"<figcaption>{escape(str(caption))}</figcaption>" if caption else ""
    notes.figures.append(f'<figure class="figure-drawn">{drawing}{legend}</figure>')
    return f'<figure class="figure-drawn" data-figure="{len(notes.figures) - 1}"></figure>'


def _render_link_open(self, tokens, index, options, env) -> str:
    address = str(tokens[index].attrGet("href") or "")
    if re.match(r"https?:", address, re.IGNORECASE):
        tokens[index].attrSet("rel", "external noopener")
    elif address.startswith("term:"):
        closing = next(token for token in tokens[index:] if token.type == "link_close")
        return _open_term(tokens[index], closing, address.removeprefix("term:"), env["notes"])
    return self.renderToken(tokens, index, options, env)


def _open_term(opening: Token, closing: Token, name: str, notes: _Notes) -> str:
    """A button that shows what the word means; what it shows stands behind its first mention."""
    term = notes.terms.get(name)
    if term is None:
        notes.faults.append(f"The glossary does not explain “{name}”.")
        opening.hidden = closing.hidden = True
        return ""
    meaning = escape(term.meaning)
    closing.meta["html"] = "</button>"
    if name not in notes.explained:
        notes.explained.append(name)
        note = f'<strong>{escape(term.name)}</strong> {meaning} <a href="{escape(term.address)}">All words</a>'
        closing.meta["html"] += f'<span class="term-note" id="term-{escape(name)}" popover="">{note}</span>'
    return f'<button type="button" class="term" popovertarget="term-{escape(name)}" title="{meaning}">'


def _render_link_close(self, tokens, index, options, env) -> str:
    return tokens[index].meta.get("html") or self.renderToken(tokens, index, options, env)


def _render_header_cell(self, tokens, index, options, env) -> str:
    tokens[index].attrSet("scope", "col")
    return self.renderToken(tokens, index, options, env)


def _quotes_rule(state) -> None:
    if state.src.count('"') + state.src.count("'") <= MOST_QUOTES:
        smartquotes(state)


def _unwrap_figures(state) -> None:
    """A drawing that stands alone in its paragraph stands alone on the page: <figure> may not lie inside <p>."""
    for opening, inline, closing in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        children = inline.children or []
        if opening.type == "paragraph_open" and len(children) == 1 and children[0].type == "image":
            opening.hidden = closing.hidden = True


def _close_up_citations(state) -> None:
    """A number stands close to the word it backs, so that no line begins with it."""
    for block in state.tokens:
        children = block.children or []
        for before, after in pairwise(children):
            if after.type == "citation" and before.type == "text":
                before.content = before.content.rstrip(" ")


def _build_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "typographer": True, "maxNesting": 20})
    parser.enable(["table", "strikethrough", "replacements", "smartquotes"])
    parser.inline.ruler.before("link", "citation", _citation_rule)
    parser.inline.ruler.before("link", "mark", _mark_rule)
    parser.block.ruler.before("fence", "card", _card_rule, {"alt": ["paragraph", "list", "blockquote"]})
    parser.core.ruler.at("smartquotes", _quotes_rule)
    parser.core.ruler.push("unwrap_figures", _unwrap_figures)
    parser.core.ruler.push("close_up_citations", _close_up_citations)
    for token, rule in {
        "citation": _render_citation,
        "evidence": _render_evidence,
        "emergency_number": _render_emergency_number,
        "card_open": _render_card_open,
        "image": _render_image,
        "link_open": _render_link_open,
        "link_close": _render_link_close,
        "th_open": _render_header_cell,
    }.items():
        parser.add_render_rule(token, rule)
    return parser


_PARSER = _build_parser()
_CLEANER = nh3.Cleaner(
    tags=ALLOWED_TAGS,
    attributes=ALLOWED_ATTRIBUTES,
    allowed_classes=ALLOWED_CLASSES,
    url_schemes={"https", "http", "mailto", "tel"},
    link_rel=None,
)
