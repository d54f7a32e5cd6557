"""How tests are written: they assert facts (a row, a status, a link, a constant), so that wording can be improved."""

import ast
import re
from calendar import day_abbr, day_name, month_abbr, month_name
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
MOST_SENTENCES = 1
WORD = re.compile(r"[A-Za-z’']{2,}|\b[aI]\b")
DAYS_AND_MONTHS = "|".join(filter(None, (*day_name, *day_abbr, *month_name, *month_abbr)))
NO_PROSE = re.compile(
    rf"\b(?:[AP]M|UTC|[A-Z]{{1,3}}T|{DAYS_AND_MONTHS}"  # times with their zone, credentials such as DPT, dates
    r"|[A-Z][a-z]+ [A-Z][a-z]+|Alice|Bob|Meredith|Nora)\b"  # names: two capitalized words, and first names of the tests
)


def asserted_sentences() -> list[str]:
    """Return every string of five words or more inside an assertion, with its file and line.

    Dates, times and names do not count as words. An f-string is one string.
    """
    found = []
    for path in sorted(TESTS.rglob("*.py")):
        asserts = [node.test for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)]
        for line, text in (string for test in asserts for string in strings_in(test)):
            words = [word for word in NO_PROSE.sub("", text).split() if WORD.search(word)]
            if "<" not in text and len(words) > 4:
                found.append(f"{path.relative_to(TESTS)}:{line} {text[:60]}")
    return found


def strings_in(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and text of each string under `node`, without the values inside an f-string."""
    if isinstance(node, ast.JoinedStr):
        yield node.lineno, "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, node.value
    for child in () if isinstance(node, ast.JoinedStr) else ast.iter_child_nodes(node):
        yield from strings_in(child)


def test_assertions_check_facts_and_few_sentences():
    """When you replace sentences with facts, lower the number. Never raise it."""
    found = asserted_sentences()
    assert len(found) <= MOST_SENTENCES, "\n".join(found)


def test_dates_and_times_are_written_only_by_the_formatter():
    """Machine-readable formats in templates are exempt; they are in single quotes."""
    own = re.compile(r'date_format\(|%[aAbBp]\b|\|(?:date|time):"(?![A-Z_]+")')
    root = TESTS.parent
    exempt = {
        "clinic/practice/values/dates.py",
        "clinic/formats/en/formats.py",
        "assessments/questionnaire/typed_answers.py",
    }
    files = [path for room in ("assessments", "booking", "clinic", "education") for path in (root / room).rglob("*.py")]
    files += [path for path in (root / "templates").rglob("*") if path.is_file()]
    found = {str(path.relative_to(root)) for path in files if own.search(path.read_text())}
    assert found <= exempt


def test_no_test_imports_another_test_module():
    pattern = re.compile(r"^\s*(?:from|import) (?:tests)?\.[\w.]*\btest_", re.MULTILINE)
    assert [str(path.relative_to(TESTS)) for path in TESTS.rglob("*.py") if pattern.search(path.read_text())] == []
