"""Render Markdown, with the additions of `education.text.syntax`, to safe HTML. Pure.

The HTML passes an allow-list. Our own drawings and pictures are inserted after that.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import nh3
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from education.text.syntax import CARDS, EVIDENCE, build_parser, plain_text, read_card_head

RESERVED_IDS = ("main", "book", "contents", "key-facts", "references", "series", "elsewhere")  # used by article.html
LONGEST_TEXT = 100_000  # characters; far more than any article has

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

_PLACEHOLDER = re.compile(r'<figure class="figure-drawn" data-figure="(\d+)"></figure>')

FigureDrawing = Callable[[str, str], str | None]


@dataclass(frozen=True)
class GlossaryTerm:
    """A term of the glossary: its `meaning`, and the `url` of its entry."""

    name: str
    meaning: str
    url: str


@dataclass(frozen=True)
class Heading:
    """A line of the contents list."""

    id: str
    text: str


@dataclass(frozen=True)
class Citation:
    """A cited reference. Its number is its place in the order of first citations."""

    number: int
    id: str


@dataclass(frozen=True)
class Rendered:
    """A rendered text. `html` is safe. `faults` are problems for the author to fix, as sentences."""

    html: str
    contents: tuple[Heading, ...]
    citations: tuple[Citation, ...]
    explained: tuple[str, ...]
    faults: tuple[str, ...]


@dataclass
class _Notes:
    """State while a text is rendered."""

    known: frozenset[str]
    emergency_number: str
    draw_figure: FigureDrawing
    write_picture: FigureDrawing = lambda name, alt: None
    terms: Mapping[str, GlossaryTerm] = field(default_factory=dict)
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
    terms: Mapping[str, GlossaryTerm] | None = None,
) -> Rendered:
    """Render `text` as safe HTML.

    `references` are the IDs that may be cited. `cited` and `explained` are the IDs and terms that an earlier text of
    the same page has used. `draw_figure(name, alt)` and `write_picture(name, alt)` return trusted markup, or None for
    an unknown name. `terms` is the glossary, by the name after `term:`. Raises ValueError for a text of more than
    LONGEST_TEXT characters.
    """
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"A text may have at most {LONGEST_TEXT} characters. This one has {len(text)}.")
    notes = _Notes(
        frozenset(references), emergency_number, draw_figure, write_picture, terms or {}, list(cited), list(explained)
    )
    tokens = _PARSER.parse(text, env := {"notes": notes})
    contents = _name_headings(tokens)
    dirty = _PARSER.renderer.render(tokens, _PARSER.options, env)
    html = _PLACEHOLDER.sub(lambda match: _place_figure(notes, int(match[1])), _CLEANER.clean(dirty))
    citations = tuple(Citation(number, id) for number, id in enumerate(notes.cited, 1))
    return Rendered(html, contents, citations, tuple(notes.explained), tuple(notes.faults))


def _name_headings(tokens: list[Token]) -> tuple[Heading, ...]:
    """Set the ID of every heading and a level from 2 (the page's title is 1) to 4. Return the headings of level 2."""
    taken = dict.fromkeys(RESERVED_IDS, 1)
    contents = []
    for opening, inline, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type != "heading_open":
            continue
        level = min(max(int(opening.tag[1]), 2), 4)
        opening.tag = closing.tag = f"h{level}"
        text = plain_text(inline)
        opening.attrSet("id", id := _unused(_slug(text), taken))
        if level == 2:
            contents.append(Heading(id, text))
    return tuple(contents)


def _slug(heading: str) -> str:
    """Return an ID for a heading: lowercase letters, digits and hyphens."""
    ascii_text = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text.replace("'", "").lower()).strip("-")[:60] or "section"


def _unused(name: str, taken: dict[str, int]) -> str:
    """Return `name`, with a number appended if it is in use; `taken` counts the IDs in use by name."""
    id = name
    while id in taken:
        taken[name] += 1
        id = f"{name}-{taken[name]}"
    taken[id] = 1
    return id


def _place_figure(notes: _Notes, number: int) -> str:
    # Authors cannot write a placeholder, but the allow-list permits its tag, so check the number.
    return notes.figures[number] if number < len(notes.figures) else ""


class _Renderer(RendererHTML):
    """Renders our tokens, one method per token type. Shared state is env["notes"]."""

    def citation(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        notes: _Notes = env["notes"]
        links = []
        for id in tokens[idx].meta["ids"]:
            if id not in notes.known:
                notes.faults.append(f"No reference is called “{id}”.")
                continue
            is_first = id not in notes.cited
            if is_first:
                notes.cited.append(id)
            number = notes.cited.index(id) + 1
            anchor = f' id="cited.{number}"' if is_first else ""  # unique: heading IDs have no dots
            links.append(f'<a href="#ref.{number}"{anchor} aria-label="Source {number}">{number}</a>')
        return f'<sup class="cite">{" ".join(links)}</sup>' if links else ""

    def evidence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        name = tokens[idx].info
        return f'<span class="badge-evidence badge-{name}">{EVIDENCE[name]}</span>'

    def emergency_number(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        number = escape(env["notes"].emergency_number)
        return f'<a href="tel:{number}">{number}</a>'

    def container_card_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        kind, title = read_card_head(tokens[idx].info)
        level = 3 if any(before.type == "heading_open" for before in tokens[:idx]) else 2
        heading = f"<h{level}>{escape(title)}</h{level}>\n" if title else ""
        return f'<section class="{CARDS[kind]}">\n{heading}'

    def container_card_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</section>\n"

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Render our own drawings and pictures only, because an external image would reveal readers to its host."""
        notes: _Notes = env["notes"]
        token = tokens[idx]
        source, alt = str(token.attrGet("src") or ""), token.content.strip()
        kind, _, name = source.partition(":")
        shows = {"figure": notes.draw_figure, "picture": notes.write_picture}
        if kind not in shows:
            kind, name = "figure", source
        drawing = shows[kind](name, alt)
        if not alt:
            notes.faults.append(f"Write alternative text for the {kind} “{name}”: say what it shows.")
        if drawing is None:
            notes.faults.append(f"There is no {kind} called “{name}”.")
            return escape(alt)
        caption = token.attrGet("title")
        legend = f"<figcaption>{escape(str(caption))}</figcaption>" if caption else ""
        notes.figures.append(f'<figure class="figure-drawn">{drawing}{legend}</figure>')
        return f'<figure class="figure-drawn" data-figure="{len(notes.figures) - 1}"></figure>'

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        address = str(tokens[idx].attrGet("href") or "")
        if re.match(r"https?:", address, re.IGNORECASE):
            tokens[idx].attrSet("rel", "external noopener")
        elif address.startswith("term:"):
            closing = next(token for token in tokens[idx:] if token.type == "link_close")
            return _open_term(tokens[idx], closing, address.removeprefix("term:"), env["notes"])
        return self.renderToken(tokens, idx, options, env)

    def link_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return tokens[idx].meta.get("html") or self.renderToken(tokens, idx, options, env)

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        tokens[idx].attrSet("scope", "col")
        return self.renderToken(tokens, idx, options, env)


def _open_term(opening: Token, closing: Token, name: str, notes: _Notes) -> str:
    """Return the opening tag of the button that shows the meaning of a term.

    The note that it opens is added after the closing tag, at the first mention of the term on the page. For an unknown
    term, record a fault, drop the link, and return "".
    """
    term = notes.terms.get(name)
    if term is None:
        notes.faults.append(f"The glossary has no term “{name}”.")
        opening.hidden = closing.hidden = True
        return ""
    meaning = escape(term.meaning)
    closing.meta["html"] = "</button>"
    if name not in notes.explained:
        notes.explained.append(name)
        note = f'<strong>{escape(term.name)}</strong> {meaning} <a href="{escape(term.url)}">All terms</a>'
        closing.meta["html"] += f'<span class="term-note" id="term-{escape(name)}" popover="">{note}</span>'
    return f'<button type="button" class="term" popovertarget="term-{escape(name)}" title="{meaning}">'


_PARSER = build_parser(_Renderer)
_CLEANER = nh3.Cleaner(
    tags=ALLOWED_TAGS,
    attributes=ALLOWED_ATTRIBUTES,
    allowed_classes=ALLOWED_CLASSES,
    url_schemes={"https", "http", "mailto", "tel"},
    link_rel=None,
)
