"""Which selectors match is the same whether all are asked or only those that the labels touch."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kstream.core.delivery.matching import Matching
from kstream.core.delivery.selectors import Selector

KEYS, VALUES = st.sampled_from(["a", "b", "c"]), st.sampled_from(["", "x", "y", "7", "12"])
REQUIREMENTS = st.one_of(
    KEYS,
    st.builds("!{}".format, KEYS),
    st.builds("{}{}{}".format, KEYS, st.sampled_from(["=", "!="]), VALUES),
    st.builds("{}{}{}".format, KEYS, st.sampled_from(["<", ">"]), st.sampled_from(["7", "9", "12"])),
    st.builds("{} {} ({},{})".format, KEYS, st.sampled_from(["in", "notin"]), VALUES, VALUES),
)
SELECTORS = st.lists(REQUIREMENTS, min_size=1, max_size=4).map(",".join)


@given(
    st.lists(SELECTORS, max_size=8),
    st.lists(st.dictionaries(KEYS, VALUES), min_size=1, max_size=5),
    st.data(),
)
def test_those_are_found_that_match(
    texts: list[str], objects: list[dict[str, str]], data: st.DataObject
) -> None:
    matching: Matching[int] = Matching()
    chosen: dict[int, Selector] = {}
    for number, text in enumerate(texts):
        selector = Selector.parse(text)
        assert selector is not None
        matching.add(number, selector)
        chosen[number] = selector
    while True:
        assert bool(matching) is bool(chosen)
        for labels in objects:
            found = matching.of(labels)
            assert len(found) == len(set(found))
            assert set(found) == {number for number, each in chosen.items() if each.matches(labels)}
        if not chosen:
            break
        gone = data.draw(st.sampled_from(sorted(chosen)))
        matching.remove(gone, chosen.pop(gone))
    left: Any = vars(matching)
    assert not any(left.values()), "nothing is kept of those that have gone"
