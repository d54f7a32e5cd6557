"""Dependencies between items: the longest chain, and cycles, whatever the order of the file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessments.questionnaire.model import Condition, InvalidQuestionnaire, Item, Questionnaire
from assessments.questionnaire.structure import chain_lengths

MOST = 7
EDGES = st.dictionaries(st.integers(0, MOST), st.sets(st.integers(0, MOST), max_size=3), max_size=MOST)


def depending(edges, order):
    """Return groups with one question each, in `order`. Group N depends on the questions `edges[N]`."""
    pages = []
    for number in order:
        conditions = tuple(Condition(f"q{other}", "exists", True) for other in sorted(edges.get(number, ())))
        question = Item(f"q{number}", "string", parent=f"g{number}")
        pages.append(Item(f"g{number}", "group", conditions=conditions, items=(question,)))
    return Questionnaire(url="", version="", title="", description="", pages=tuple(pages))


def longest_row(edges, number, above=()):
    """Return the longest chain that group `number` depends on, None for a cycle. A question also counts its group."""
    if number in above:
        return None
    rows = [longest_row(edges, other, (*above, number)) for other in edges.get(number, ())]
    return None if None in rows else max((row + 2 for row in rows), default=0)


@given(edges=EDGES, order=st.permutations(range(MOST + 1)))
def test_chains_and_cycles_agree_with_a_naive_count_in_any_order(edges, order):
    rows = {number: longest_row(edges, number) for number in order}
    if None in rows.values():
        with pytest.raises(InvalidQuestionnaire, match="depends on itself"):
            chain_lengths(depending(edges, order))
        return
    found = chain_lengths(depending(edges, order))
    assert found == {f"g{number}": row for number, row in rows.items()} | {
        f"q{number}": row + 1 for number, row in rows.items()
    }
