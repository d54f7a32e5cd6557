"""Parse the Markdown that authors write: CommonMark with tables, strikethrough and the additions below. Pure.

    [@lenhart2014]  [@buist2008; @nielsen2014]     a number that links to the reference
    {strong}  {limited}  {opinion}                 the strength of the evidence for the preceding sentence
    {emergency}                                    the emergency number, as a link that dials it
    [step rate](term:cadence)                      a glossary term: its meaning on hover, tap or Enter
    ![What it shows](figure:name "Caption")        one of our own drawings
    ![What it shows](picture:name "Caption")       a picture that staff uploaded
    ::: emergency Title                            a card; also `urgent`, `tell` and `note`. It ends with a line of `:::`
    - …
    :::

Raw HTML is shown as text.
"""

import re
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore, smartquotes
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.container import container_plugin

EVIDENCE = {"strong": "strong evidence", "limited": "limited evidence", "opinion": "expert opinion"}
CARDS = {  # kind: CSS classes
    "emergency": "care-card care-emergency",
    "urgent": "care-card care-urgent",
    "tell": "care-card care-tell",
    "note": "callout",
}
MOST_QUOTES = 4_000  # a text with more keeps straight quotes: smartquotes takes quadratic time

_CITATION = re.compile(r"\[@([\w-]{1,60}(?:; ?@[\w-]{1,60}){0,9})\]")
_MARK = re.compile(r"\{([a-z]+)\}")


def build_parser(renderer: type[RendererHTML] = RendererHTML) -> MarkdownIt:
    """Return a parser with the additions above, and `renderer` for HTML."""
    parser = MarkdownIt("commonmark", {"html": False, "typographer": True, "maxNesting": 20})
    parser.enable(["table", "strikethrough", "replacements", "smartquotes"])
    parser.inline.ruler.before("link", "citation", _parse_citation)
    parser.inline.ruler.before("link", "mark", _parse_mark)
    parser.core.ruler.at("smartquotes", _set_quotes)
    parser.core.ruler.push("unwrap_figures", _unwrap_figures)
    parser.core.ruler.push("close_up_citations", _close_up_citations)
    parser.use(container_plugin, "card", validate=lambda head, _: read_card_head(head)[0] in CARDS)
    parser.renderer = renderer()  # after the plugin, which sets render rules of its own
    return parser


def read_card_head(head: str) -> tuple[str, str]:
    """Parse the kind and the title of a card from `head`, the text after the opening `:::`. The title may be empty."""
    kind, _, title = head.strip().replace("\t", " ").partition(" ")
    return kind, title.strip()


def parse_blocks(text: str) -> list[Token]:
    """Return the tokens of `text`, for callers that do not need HTML."""
    return _PARSER.parse(text)


def plain_text(token: Token, *, emergency: str = "") -> str:
    """Return the text of a block without markup, citations and figures, with `emergency` for the emergency number."""
    return "".join(_plain(child, emergency) for child in token.children or ()).strip()


def _plain(token: Token, emergency: str) -> str:
    if token.type == "emergency_number":
        return emergency
    if token.type in ("text", "code_inline"):
        return token.content
    return " " if token.type in ("softbreak", "hardbreak") else ""


def _parse_citation(state: StateInline, silent: bool) -> bool:
    match = _CITATION.match(state.src, state.pos, state.posMax)
    if not match:
        return False
    if not silent:
        state.push("citation", "", 0).meta = {"ids": [id.strip(" @") for id in match[1].split(";")]}
    state.pos = match.end()
    return True


def _parse_mark(state: StateInline, silent: bool) -> bool:
    match = _MARK.match(state.src, state.pos, state.posMax)
    if not match or match[1] not in (*EVIDENCE, "emergency"):
        return False
    if not silent:
        state.push("emergency_number" if match[1] == "emergency" else "evidence", "", 0).info = match[1]
    state.pos = match.end()
    return True


def _set_quotes(state: StateCore) -> None:
    if state.src.count('"') + state.src.count("'") <= MOST_QUOTES:
        smartquotes(state)


def _unwrap_figures(state: StateCore) -> None:
    """Drop the paragraph around a figure that is alone in it: HTML does not allow <figure> inside <p>."""
    for opening, inline, closing in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        children = inline.children or []
        if opening.type == "paragraph_open" and len(children) == 1 and children[0].type == "image":
            opening.hidden = closing.hidden = True


def _close_up_citations(state: StateCore) -> None:
    """Drop the spaces before a citation, so that no line begins with a citation number."""
    for block in state.tokens:
        for before, after in pairwise(block.children or []):
            if after.type == "citation" and before.type == "text":
                before.content = before.content.rstrip(" ")


_PARSER = build_parser()
