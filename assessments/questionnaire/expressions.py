"""Calculated answers in the subset of FHIRPath that score forms use, with limited length and functions. Pure.

An expression with any other function is not calculated, and the import reports it. Supported expressions run in the
process of `calculator`, which limits time and memory.
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
LEVEL = "_level"  # %_level2: the %context of an item on the second level of the response


class ExpressionUnsupported(ValueError):
    """The expression cannot be calculated. The message is the reason.

    It is not an InvalidQuestionnaire, because the questionnaire can be asked without this calculation.
    """


@lru_cache(maxsize=2000)
def inline_variables(expression: str, variables: tuple[tuple[str, str], ...]) -> str:
    """Replace each of `variables` (name, definition) that `expression` uses as %name. Later ones may use earlier ones.

    Variables are inlined as text, because the result of one evaluation loses its type in the next. The inlined text
    counts toward LONGEST.
    """
    known: dict[str, str] = {}
    for name, meaning in variables:
        known[name] = f"({_replace_variables(meaning, known)})"
    return _replace_variables(expression, known)


@lru_cache(maxsize=2000)
def place_context(expression: str, level: int) -> str:
    """Replace %context in `expression` with %resource at level 0, or else with the item at that `level`."""
    return _replace_variables(expression, {"context": f"%{LEVEL}{level}" if level else "%resource"})


def _replace_variables(expression: str, known: dict[str, str]) -> str:
    """Replace `known` variables. Cut off text beyond LONGEST, so that nesting cannot grow it exponentially."""
    parts, end, length = [], 0, 0
    for found in VARIABLE.finditer(expression[: LONGEST + 1]):
        parts += [expression[end : found.start()], known.get(found[1], found[0])]
        end, length = found.end(), length + len(parts[-2]) + len(parts[-1])
        if length > LONGEST:
            break
    return "".join([*parts, expression[end : LONGEST + 1]])[: LONGEST + 1]


def check_expression(expression: str) -> None:
    """Raise ExpressionUnsupported unless `expression` is FHIRPath within our limits.

    The limits are on its length, its number of parts, and the functions and variables that it uses.
    """
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
        names = node.get("children", [{}])[0].get("terminalNodeText", []) if node.get("children") else []
        name = names[0] if names else ""
        if node.get("type") == "Functn" and name and name not in FUNCTIONS:
            return f"the function {name}() is not supported"
        if node.get("type") == "ExternalConstant" and name and name != "resource" and not name.startswith(LEVEL):
            return f"the variable %{name} is unknown"
    return ""


def _walk(node: dict) -> Iterator[dict]:
    yield node
    for child in node.get("children", []):
        yield from _walk(child)


def evaluate(expression: str, resource: dict, levels: dict[str, dict]) -> Value | None:
    """Return the single value of `expression` over the QuestionnaireResponse `resource`.

    None after an error, for a value that is too long or too large, or if there is not exactly one value. `levels` are
    the items of the response that the expression names, by "_level1" and so on. Errors are not raised, because a page
    without a score is better than an error page, and the expression was tried at the import.
    """
    known = {name: ResourceNode.create_node(item, ITEM_PATH) for name, item in levels.items()}
    try:
        found = _compile(expression)(resource, {"resource": resource} | known)
    except Exception:  # the library raises many kinds of exceptions
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
    """Wrap `make` to return nothing for an empty collection. The library's own functions fail on answers."""
    return lambda numbers: [make(numbers)] if numbers else []


OURS = {
    "ordinal": _weights,
    "weight": _weights,
    "sum": sum,
    "avg": _of_some(lambda numbers: Decimal(sum(numbers)) / len(numbers)),
    "min": _of_some(min),
    "max": _of_some(max),
}
