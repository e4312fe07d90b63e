"""What the samples of a run are asked under: the condition of a sensory spectrum (MI26)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data_cache.errors import CacheError
from data_cache.store import reader

QUESTION = "question"
"""The name of the exact wording."""
TEMPLATE = "template"
"""The usual entry of the meta that says which template a question was made from."""


@dataclass(frozen=True, kw_only=True)
class Instructions:
    """The instruction of each of N samples, and a coarser one."""

    exact: tuple[str, ...]
    coarser: tuple[str, ...]
    """The question's type where the samples have one, else their subset."""


def instructions(
    cache: Path, benchmark_key: str, sample_ids: Sequence[str], name: str
) -> Instructions:
    """Return what samples are asked under.

    Parameters
    ----------
    cache
        The cache folder.
    benchmark_key
        Of the samples.
    sample_ids
        N samples.
    name
        `question`, `subset`, or an entry of the samples' meta, such as `template`.

    Raises
    ------
    CacheError
        If not every sample has such an entry.
    """
    with reader(cache) as connection:
        rows = connection.execute(
            "SELECT sample_id, question, subset, meta FROM samples WHERE benchmark_key = ?",
            [benchmark_key],
        ).fetchall()
    known = {row[0]: (row[1], row[2], json.loads(row[3])) for row in rows}
    exact: list[str] = []
    coarser: list[str] = []
    for sample_id in sample_ids:
        question, subset, meta = known[sample_id]
        found = {"question": question, "subset": subset}.get(name, meta.get(name))
        if found is None:
            there = ", ".join(sorted(["question", "subset", *meta]))
            raise CacheError(
                f"sample {sample_id!r} has no {name!r} to condition on; it has {there}"
            )
        exact.append(str(found))
        coarser.append(str(meta.get("question_type") or subset))
    return Instructions(exact=tuple(exact), coarser=tuple(coarser))


def has_templates(cache: Path, benchmark_key: str) -> bool:
    """Whether every sample of a benchmark says which template its question was made from."""
    with reader(cache) as connection:
        row = connection.execute(
            "SELECT count(*), count(json_extract(meta, ?)) FROM samples WHERE benchmark_key = ?",
            [f"$.{TEMPLATE}", benchmark_key],
        ).fetchone()
    return row is not None and row[0] > 0 and row[0] == row[1]
