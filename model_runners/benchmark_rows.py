"""The table of benchmarks: what is here and what it holds, and how the others are had."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from data_cache.benchmarks import BenchmarkChoice
from data_cache.benchmarks.survey import Listed, count, survey
from model_runners.unwatched import ignore


def benchmark_rows(
    cache: Path,
    *,
    at: Callable[[int, int], None] = ignore,
    reading: Callable[[str], None] = ignore,
) -> list[dict[str, Any]]:
    """Return one row for each benchmark in each of its variants; JSON values.

    What was not counted before, or has changed since, is read for it.

    Parameters
    ----------
    cache
        The cache folder, which remembers the counts.
    at
        Told how many of how many are counted.
    reading
        Told what is read now.
    """
    listed = survey(cache)
    rows: list[dict[str, Any]] = []
    for number, one in enumerate(listed, 1):
        if one.is_here and one.overview is None:
            reading(one.name)
            one = count(BenchmarkChoice(name=one.name), cache)
        rows.append(row_of(one))
        at(number, len(listed))
    return rows


def row_of(listed: Listed) -> dict[str, Any]:
    """Return the row of one benchmark."""
    held = listed.overview
    found = listed.found
    return {
        "name": listed.name,
        "variant": listed.variant,
        "title": listed.title,
        "summary": listed.summary,
        "found": "built in" if listed.built_in else "yes" if found else "no",
        "where": listed.where,
        "origin": found.origin if found else None,
        "revision": found.revision if found else None,
        "rows": held.rows if held else None,
        "questions": held.questions if held else None,
        "samples": held.samples if held else None,
        "key": held.key if held else None,
        "bad_rows": held.bad_row_count if held else None,
        "bad_row_list": [str(problem) for problem in held.bad_rows] if held else [],
        "left_out": dict(held.left_out) if held else {},
        "splits": dict(held.splits) if held else {},
        "subsets": dict(held.subsets) if held else {},
        "expected_rows": listed.expected_rows,
        "licence": listed.licence,
        "group": listed.group,
        "homepage": listed.homepage,
        "how_to_get": listed.advice or None,
        "problem": listed.problem or None,
        "where_or_how": listed.problem or listed.where or listed.advice,
    }
