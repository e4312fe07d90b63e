"""One parameter holds every filter, and what is none of them is said instead of obeyed."""

import pytest

from data_cache.records import NUMBERS
from data_cache.sample_filters import FALLBACKS, Bound, SampleFilters
from pages.widgets.where import FALLBACK_WORDS, filters_of, sentence_of, where_of

NAMES = ("a", "a;b", "tag:b", "100 %", "%3B", "ü “x”", "1..2")
EVERY = (
    SampleFilters(),
    SampleFilters(bounds=tuple(Bound(field=name, low=-0.1) for name in NUMBERS)),
    SampleFilters(bounds=(Bound(field="synergy", low=-1e-300, high=0.1 + 0.2),)),
    SampleFilters(bounds=(Bound(field="synergy", high=-3.0),), tags=NAMES),
    *(SampleFilters(fallback=one, text="a, b & c") for one in FALLBACKS),
    *(SampleFilters(unlike="0123abcd", text=text) for text in (*NAMES, " ", "\n", "日本", "x=1+1")),
)


@pytest.mark.parametrize("filters", EVERY)
def test_every_filter_comes_back_from_the_address(filters: SampleFilters) -> None:
    assert filters_of(where_of(filters)) == (filters, ())


@pytest.mark.parametrize(
    "part",
    [
        "gap_score:1", "gap_score:2..1", "gap_score:..", "gap_score:nan..", "gap_score:x..",
        "sample_id:0..1", "tag:", "tag: a", "tau:maybe", "unlike:", "text:", "<b>x</b>", ":",
        f"text:{'x' * 201}",
    ],
)  # fmt: skip
def test_what_is_no_filter_is_named_and_the_rest_holds(part: str) -> None:
    filters, unknown = filters_of(f"synergy:0..;{part};tag:hard")
    assert filters == SampleFilters(bounds=(Bound(field="synergy", low=0.0),), tags=("hard",))
    assert unknown == (part,)


def test_a_filter_that_stands_twice_holds_once() -> None:
    for part in ("synergy:0..1", "tag:a", "tau:any", "unlike:k", "text:x"):
        filters, unknown = filters_of(f"{part};{part}")
        assert where_of(filters) == part
        assert unknown == (part,)


def test_the_sentence_says_all_of_it_with_units() -> None:
    filters = SampleFilters(
        bounds=(Bound(field="gap_score", low=0.5, high=1.25), Bound(field="shortcut", high=0.2)),
        tags=("hard", "odd"),
        fallback="only_2",
        unlike="k1",
        text="red",
    )
    assert sentence_of(filters, {"k1": "demo/b"}) == (
        "Filtered: GapScore from 0.5 to 1.25 bits; SC, shortcut at most 0.2; tagged “hard” and "
        "“odd”; fell back to uniform (tau) with the text alone; another answer than demo/b; "
        "“red” in the question or an option."
    )
    assert sentence_of(SampleFilters(), {}) == ""
    assert set(FALLBACK_WORDS) == set(FALLBACKS)
