"""The filters of a list of samples as one parameter of the address, and as a sentence."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, unquote

from data_cache.conditions import Condition
from data_cache.errors import CacheError
from data_cache.records import NUMBERS
from data_cache.sample_filters import ANY, NONE, Bound, SampleFilters
from pages.figures.scores import SORTABLE, Score

TAG, TAU, UNLIKE, TEXT = "tag", "tau", "unlike", "text"
NUMBERS_SHOWN: tuple[Score, ...] = tuple(score for score in SORTABLE if score.field in NUMBERS)
"""The numbers that can be filtered by, in the order of the picker."""
FALLBACK_WORDS = {
    ANY: "with image and text, or with one of them",
    NONE: "nowhere",
    str(Condition.FULL): "with image and text",
    str(Condition.ONLY_1): "with the image alone",
    str(Condition.ONLY_2): "with the text alone",
    str(Condition.NEITHER): "with neither",
    str(Condition.NO_IMAGE): "without an image in the prompt",
}
"""Where the options had less mass than tau, so that uniform probabilities stand for them."""


def where_of(filters: SampleFilters) -> str:
    """Return the filters as a parameter; empty where there are none.

    >>> where_of(SampleFilters(bounds=(Bound(field="gap_score", low=0.5),), tags=("a;b",)))
    'gap_score:0.5..;tag:a%3Bb'
    """
    parts = [f"{one.field}:{_end(one.low)}..{_end(one.high)}" for one in filters.bounds]
    parts += [f"{TAG}:{_quoted(name)}" for name in filters.tags]
    for name, value in (
        (TAU, filters.fallback),
        (UNLIKE, filters.unlike),
        (TEXT, filters.text or None),
    ):
        if value is not None:
            parts.append(f"{name}:{_quoted(value)}")
    return ";".join(parts)


def filters_of(where: str) -> tuple[SampleFilters, tuple[str, ...]]:
    """Read a parameter back: the filters, and the parts that are none.

    >>> filters_of("synergy:..0;colour:red")
    (SampleFilters(bounds=(Bound(field='synergy', low=None, high=0.0),), tags=(), fallback=None, \
unlike=None, text=''), ('colour:red',))
    """
    filters = SampleFilters()
    unknown: list[str] = []
    for part in filter(None, where.split(";")):
        name, _, value = part.partition(":")
        try:
            filters = _with(filters, name, unquote(value))
        except (CacheError, ValueError):
            unknown.append(part)
    return filters, tuple(unknown)


def sentence_of(filters: SampleFilters, models: Mapping[str, str]) -> str:
    """Say which samples are left, as plain text; empty where all are.

    Parameters
    ----------
    filters
        The filters.
    models
        What the other runs are called, by run key.
    """
    parts = [bound_words(one) for one in filters.bounds]
    if filters.tags:
        parts.append("tagged " + " and ".join(f"“{name}”" for name in filters.tags))
    if filters.fallback is not None:
        parts.append(f"fell back to uniform (tau) {FALLBACK_WORDS[filters.fallback]}")
    if filters.unlike is not None:
        parts.append(f"another answer than {models.get(filters.unlike, filters.unlike)}")
    if filters.text:
        parts.append(f"“{filters.text}” in the question or an option")
    return f"Filtered: {'; '.join(parts)}." if parts else ""


def bound_words(bound: Bound) -> str:
    """Return a range in words, with its unit.

    >>> bound_words(Bound(field="gap_score", low=0.5, high=1.25))
    'GapScore from 0.5 to 1.25 bits'
    """
    score = next(one for one in NUMBERS_SHOWN if one.field == bound.field)
    unit = f" {score.unit}" if score.unit else ""
    if bound.low is None:
        return f"{score.label} at most {_end(bound.high)}{unit}"
    if bound.high is None:
        return f"{score.label} at least {_end(bound.low)}{unit}"
    return f"{score.label} from {_end(bound.low)} to {_end(bound.high)}{unit}"


def _with(filters: SampleFilters, name: str, value: str) -> SampleFilters:
    """Add one part; raises CacheError or ValueError where it is none."""
    if name in NUMBERS:
        low, dots, high = value.partition("..")
        if not dots:
            raise ValueError("no range")
        bound = Bound(field=name, low=_number(low), high=_number(high))
        return replace(filters, bounds=(*filters.bounds, bound))
    if name == TAG and value not in filters.tags:
        return replace(filters, tags=(*filters.tags, value))
    if name == TAU and filters.fallback is None:
        return replace(filters, fallback=value)
    if name == UNLIKE and filters.unlike is None and value:
        return replace(filters, unlike=value)
    if name == TEXT and not filters.text and value:
        return replace(filters, text=value)
    raise ValueError("no filter, or one twice")


def _number(text: str) -> float | None:
    return float(text) if text else None


def _end(value: float | None) -> str:
    """Write a number so that it is read back as the same one.

    >>> _end(1.0), _end(0.1), _end(-1e-7), _end(None)
    ('1', '0.1', '-1e-07', '')
    """
    return "" if value is None else repr(float(value)).removesuffix(".0")


def _quoted(text: str) -> str:
    return quote(text, safe=" /,.-_:")
