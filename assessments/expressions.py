"""Calculated answers: the small part of FHIRPath that score forms use, held to a length and a list of functions. Pure.

What is not on the list is refused when a questionnaire is imported, and so is what takes too long on a response with every
answer given: the trial runs in a process of its own, which is ended when its time is up (`python -m assessments.expressions`).
"""

import json
import re
import subprocess
import sys
from decimal import Decimal
from functools import cache
from pathlib import Path

import fhirpathpy
from fhirpathpy.models import models
from fhirpathpy.parser import parse

LONGEST = 2000  # characters
MOST_NODES = 600
TRIAL_SECONDS = 5
FUNCTIONS = {
    *(
        "where",
        "select",
        "exists",
        "empty",
        "not",
        "all",
        "count",
        "distinct",
        "first",
        "last",
        "single",
        "skip",
        "take",
    ),
    *("sum", "avg", "min", "max", "round", "abs", "floor", "ceiling", "truncate", "iif", "ordinal", "weight"),
    *("toInteger", "toDecimal", "toString", "ofType", "item", "answer", "value", "combine", "union", "descendants"),
    *("anyTrue", "allTrue", "startsWith", "is", "as", "coalesce"),
}
MODEL = models["r4"]
VARIABLE = re.compile(r"%([A-Za-z_][A-Za-z0-9_]*)")


class ExpressionUnsupported(ValueError):
    """The expression is not one that we calculate, with the reason."""


def inline_variables(expression: str, variables: tuple[tuple[str, str], ...]) -> str:
    """`expression` with every %name put in as what it stands for; the later of `variables` may use the earlier.

    Results of one evaluation lose their types in the next, so variables are text here, and count for the length.
    """
    known: dict[str, str] = {}
    for name, meaning in variables:
        known[name] = f"({_put_in(meaning, known)})"
    return _put_in(expression, known)


def _put_in(expression: str, known: dict[str, str]) -> str:
    def meaning(found: re.Match) -> str:
        return known.get(found[1], found[0])

    return VARIABLE.sub(meaning, expression[: LONGEST + 1])[: LONGEST + 1]


def check_expression(expression: str) -> None:
    """Raises ExpressionUnsupported unless every function and variable and the size of `expression` is allowed."""
    if not expression or len(expression) > LONGEST:
        raise ExpressionUnsupported(f"it is empty or longer than {LONGEST} characters")
    try:
        tree = parse(expression)
    except Exception:  # the parser raises plain Exceptions
        raise ExpressionUnsupported("it is not FHIRPath") from None
    nodes = list(_walk(tree))
    if len(nodes) > MOST_NODES:
        raise ExpressionUnsupported("it has too many parts")
    for node in nodes:
        words = node.get("children", [{}])[0].get("terminalNodeText", []) if node.get("children") else []
        if node.get("type") == "Functn" and words and words[0] not in FUNCTIONS:
            raise ExpressionUnsupported(f"the function {words[0]}() is not supported")
        if node.get("type") == "ExternalConstant" and words and words[0] not in {"resource", "context"}:
            raise ExpressionUnsupported(f"the variable %{words[0]} is not known")


def _walk(node: dict):
    yield node
    for child in node.get("children", []):
        yield from _walk(child)


def calculate(expression: str, resource: dict) -> int | Decimal | str | bool | None:
    """The one value of `expression` over the QuestionnaireResponse `resource`; None for none, several, or a failure.

    A failure is none: the expression was tried at the import, and a patient is waiting.
    """
    try:
        found = _compiled(expression)(resource, {"resource": resource, "context": resource})
    except Exception:  # whatever the library stumbles over: no score rather than no page
        return None
    value = found[0] if len(found) == 1 else None
    if isinstance(value, dict | list):
        return None
    return Decimal(str(value)) if isinstance(value, float) else value


@cache
def _compiled(expression: str):
    check_expression(expression)
    return fhirpathpy.compile(expression, MODEL, {"userInvocationTable": {"ordinal": WEIGHT, "weight": WEIGHT}})


def _weights(codings: list) -> list[float]:
    raw = [getattr(one, "data", one) for one in codings]
    extensions = (extension for one in raw if isinstance(one, dict) for extension in one.get("extension", []))
    return [extension["valueDecimal"] for extension in extensions if "valueDecimal" in extension]


WEIGHT = {"fn": _weights}


def try_expressions(expressions: list[str], resource: dict) -> str:
    """Empty if all of `expressions` together end in time over `resource`, else why not."""
    given = json.dumps({"expressions": expressions, "resource": resource})
    words = [sys.executable, "-m", "assessments.expressions"]
    try:
        done = subprocess.run(
            words,
            input=given,
            capture_output=True,
            text=True,
            timeout=TRIAL_SECONDS,
            check=False,
            cwd=Path(__file__).parent.parent,
        )
    except subprocess.TimeoutExpired:
        return f"its calculations take longer than {TRIAL_SECONDS} seconds"
    return "" if done.returncode == 0 else "its calculations cannot be tried"


if __name__ == "__main__":
    trial = json.load(sys.stdin)
    for one in trial["expressions"]:
        calculate(one, trial["resource"])
