"""The plain text of Markdown, for counting, search and readability. Pure."""

from collections.abc import Iterator

from education.text.syntax import parse_blocks, plain_text

WORDS_PER_MINUTE = 200


def count_reading_minutes(text: str) -> int:
    """Whole minutes to read `text`, at least one, at 200 words a minute."""
    return max(1, round(len(text.split()) / WORDS_PER_MINUTE))


def plain_prose(text: str) -> str:
    """The sentences of a Markdown text, one block a line, without marks, citations, tables, figures or card titles."""
    return "\n".join(words for _, words in _blocks(text))


def plain_paragraphs(text: str) -> str:
    """What of the prose flows: no headings, and no lists, whose items often are no sentences."""
    return "\n".join(words for kind, words in _blocks(text) if kind == "paragraph")


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Each block outside of tables that has words in it, and its kind: "heading", "item" or "paragraph"."""
    lists = tables = 0
    opening = ""
    for token in parse_blocks(text):
        lists += token.nesting * token.type.startswith(("bullet_list", "ordered_list"))
        tables += token.nesting * token.type.startswith("table_")
        words = plain_text(token)
        if words and not tables:
            yield "heading" if opening == "heading_open" else "item" if lists else "paragraph", words
        opening = token.type
