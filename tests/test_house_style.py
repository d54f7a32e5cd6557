"""How tests are written: they assert facts (a row, a status, a link, a constant), so that sentences can be improved."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
MOST_SENTENCES = 96
WORD = re.compile(r"[A-Za-z’']{2,}|\b[aI]\b")


def asserted_sentences() -> list[str]:
    """Every string of five words or more inside an assertion, with its file and line."""
    return [
        f"{path.relative_to(TESTS)}:{part.lineno} {part.value[:60]}"
        for path in sorted(TESTS.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assert)
        for part in ast.walk(node.test)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
        if "<" not in part.value and len(part.value.split()) > 4 and len(WORD.findall(part.value)) > 4
    ]


def test_assertions_hold_facts_and_few_sentences():
    """Lower the number when you replace some; never raise it."""
    found = asserted_sentences()
    assert len(found) <= MOST_SENTENCES, "\n".join(found)


def test_days_and_times_are_written_by_the_one_formatter():
    """Machine-readable formats in templates are in single quotes."""
    own = re.compile(r'date_format\(|%[aAbBp]\b|\|(?:date|time):"(?![A-Z_]+")')
    root = TESTS.parent
    exempt = {"clinic/practice/values/dates.py", "assessments/questionnaire/typed_answers.py"}
    files = [path for room in ("assessments", "booking", "clinic", "education") for path in (root / room).rglob("*.py")]
    files += [path for path in (root / "templates").rglob("*") if path.is_file()]
    found = {str(path.relative_to(root)) for path in files if own.search(path.read_text())}
    assert found <= exempt


def test_no_test_imports_another_test_module():
    pattern = re.compile(r"^\s*(?:from|import) (?:tests)?\.[\w.]*\btest_", re.MULTILINE)
    assert [str(path.relative_to(TESTS)) for path in TESTS.rglob("*.py") if pattern.search(path.read_text())] == []
