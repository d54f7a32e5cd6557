"""Calculated answers: the small part of FHIRPath that score forms use, held to a length and a list of functions. Pure.

What is not on the list is refused when a questionnaire is imported. What is on it is run by `calculator`, which has limits.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache

import fhirpathpy
from fhirpathpy.engine.nodes import ResourceNode
from fhirpathpy.models import models
from fhirpathpy.parser import parse

type Value = int | Decimal | str | bool

LONGEST = 2000  # characters
MOST_NODES = 600
LARGEST = Decimal(10) ** 15
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
ITEM_PATH = "QuestionnaireResponse.item"
VARIABLE = re.compile(r"%([A-Za-z_][A-Za-z0-9_]*)")
LEVEL = "_level"  # %_level2: the item of the response that is %context two levels down


class ExpressionUnsupported(ValueError):
    """The expression cannot be calculated; the message says why.

    Not InvalidQuestionnaire: the questionnaire is asked without this calculation.
    """


@lru_cache(maxsize=2000)
def inline_variables(expression: str, variables: tuple[tuple[str, str], ...]) -> str:
    """`expression` with every %name put in as what it stands for; the later of `variables` may use the earlier.

    Results of one evaluation lose their types in the next, so variables are text here, and count for the length.
    """
    known: dict[str, str] = {}
    for name, meaning in variables:
        known[name] = f"({_put_in(meaning, known)})"
    return _put_in(expression, known)


@lru_cache(maxsize=2000)
def place_context(expression: str, level: int) -> str:
    """`expression` with %context named for the level where it stands: the whole response, or an item that many levels down."""
    return _put_in(expression, {"context": f"%{LEVEL}{level}" if level else "%resource"})


def _put_in(expression: str, known: dict[str, str]) -> str:
    """Stops where it gets too long, so that variables full of variables cost no more than they may say."""
    parts, end, length = [], 0, 0
    for found in VARIABLE.finditer(expression[: LONGEST + 1]):
        parts += [expression[end : found.start()], known.get(found[1], found[0])]
        end, length = found.end(), length + len(parts[-2]) + len(parts[-1])
        if length > LONGEST:
            break
    return "".join([*parts, expression[end : LONGEST + 1]])[: LONGEST + 1]


def check_expression(expression: str) -> None:
    """Raises ExpressionUnsupported unless every function and variable and the size of `expression` is allowed."""
    if fault := _find_fault(expression):
        raise ExpressionUnsupported(fault)


@lru_cache(maxsize=2000)
def _find_fault(expression: str) -> str:
    if not expression or len(expression) > LONGEST:
        return f"it is empty or longer than {LONGEST} characters"
    try:
        nodes = list(_walk(parse(expression)))
    except Exception:  # the parser raises plain Exceptions
        return "it is not FHIRPath"
    if len(nodes) > MOST_NODES:
        return "it has too many parts"
    for node in nodes:
        words = node.get("children", [{}])[0].get("terminalNodeText", []) if node.get("children") else []
        word = words[0] if words else ""
        if node.get("type") == "Functn" and word and word not in FUNCTIONS:
            return f"the function {word}() is not supported"
        if node.get("type") == "ExternalConstant" and word and word != "resource" and not word.startswith(LEVEL):
            return f"the variable %{word} is not known"
    return ""


def _walk(node: dict) -> Iterator[dict]:
    yield node
    for child in node.get("children", []):
        yield from _walk(child)


def evaluate(expression: str, resource: dict, levels: dict[str, dict]) -> Value | None:
    """The one value of `expression` over the QuestionnaireResponse `resource`; None for none, several, or a failure.

    `levels` are the items of the response that the expression names, by "_level1" and so on. A failure is none: the
    expression was tried at the import, and a patient is waiting.
    """
    known = {name: ResourceNode.create_node(item, ITEM_PATH) for name, item in levels.items()}
    try:
        found = _compile(expression)(resource, {"resource": resource} | known)
    except Exception:  # whatever the library stumbles over: no score rather than no page
        return None
    return _plain(found[0]) if len(found) == 1 else None


def _plain(value: object) -> Value | None:
    if isinstance(value, str):
        return value if len(value) <= LONGEST else None
    number = Decimal(str(value)) if isinstance(value, float) else value
    if isinstance(number, Decimal):
        return number if number.is_finite() and abs(number) < LARGEST else None
    return number if isinstance(number, int) and abs(number) < LARGEST else None


@lru_cache(maxsize=2000)
def _compile(expression: str) -> Callable[[dict, dict], list]:
    check_expression(expression)
    return fhirpathpy.compile(
        expression, MODEL, {"userInvocationTable": {name: {"fn": fn} for name, fn in OURS.items()}}
    )


def _weights(codings: list) -> list:
    extensions = (extension for one in codings if isinstance(one, dict) for extension in one.get("extension", []))
    return [extension["valueDecimal"] for extension in extensions if "valueDecimal" in extension]


def _of_some(make: Callable[[list], object]) -> Callable[[list], list]:
    """`make` for a collection that is not empty; the library's own stumble over answers, which are more than numbers to it."""
    return lambda numbers: [make(numbers)] if numbers else []


OURS = {
    "ordinal": _weights,
    "weight": _weights,
    "sum": sum,
    "avg": _of_some(lambda numbers: Decimal(sum(numbers)) / len(numbers)),
    "min": _of_some(min),
    "max": _of_some(max),
}
