"""The plain text of Markdown, for counting, search and readability. Pure."""

from collections.abc import Iterator

from education.text.syntax import parse_blocks, plain_text

WORDS_PER_MINUTE = 200
EMERGENCY_MARK = "\ue002"  # a private-use character for the emergency number, which can change after a text is stored


def count_reading_minutes(text: str) -> int:
    """Return the whole minutes to read `text` at WORDS_PER_MINUTE, at least one."""
    return max(1, round(len(text.split()) / WORDS_PER_MINUTE))


def plain_prose(text: str) -> str:
    """Return the sentences of a Markdown text, one block per line.

    Markup, citations, tables, figures and card titles are omitted. EMERGENCY_MARK replaces the emergency number.
    """
    return "\n".join(block for _, block in _blocks(text))


def plain_paragraphs(text: str) -> str:
    """Return the paragraphs of a Markdown text.

    This is `plain_prose` without headings and lists, because list items often are not sentences.
    """
    return "\n".join(block for kind, block in _blocks(text) if kind == "paragraph")


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, text) for each block with text outside of tables. Kinds are "heading", "item" and "paragraph"."""
    lists = tables = 0
    opening = ""
    for token in parse_blocks(text):
        lists += token.nesting * token.type.startswith(("bullet_list", "ordered_list"))
        tables += token.nesting * token.type.startswith("table_")
        block = plain_text(token, emergency=EMERGENCY_MARK)
        if block and not tables:
            yield "heading" if opening == "heading_open" else "item" if lists else "paragraph", block
        opening = token.type
