"""Some samples as a table with all numbers: scores, atoms, and every condition's distribution.

One row per sample and model. Information is in bits; probabilities and shares are between 0 and 1.
Lists (options, tags, distributions) are lists in Parquet and JSON in CSV.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np

from data_cache import tags
from data_cache.arrow import pa, pq
from data_cache.conditions import NOISY, PROBED, Condition
from data_cache.errors import CacheError
from data_cache.plan import OUTPUT_LAYER
from data_cache.records import ATOMS, SCORES, SpectrumRecord
from data_cache.samples import letter_of
from data_cache.samples_view import NUMBERS, number_or_none
from data_cache.slice_export import Exported, LeftOut, Progress, new_file, unseen
from data_cache.store import reader

AT_ONCE = 500
"""Samples that are in memory together."""
SUFFIXES = (".csv", ".parquet")

IN_BITS = (*ATOMS, "fusion_potential", "gap_score")
"""What is information; the other scores are ratios."""
COLUMN_OF = {name: f"{name}_bits" if name in IN_BITS else name for name in (*ATOMS, *SCORES)}

_TEXT, _LIST = pa.string(), pa.list_(pa.string())
SCHEMA = pa.schema(
    [
        ("sample_id", _TEXT),
        ("model", _TEXT),
        ("benchmark", _TEXT),
        ("position", pa.int32()),  # in the benchmark's order, from 0
        *((name, _TEXT) for name in ("group_id", "subset", "split")),
        ("tags", _LIST),
        ("question", _TEXT),
        ("options", _LIST),
        ("answer", _TEXT),  # a letter
        ("answered", _TEXT),  # by the most likely first token; null where it is no option
        ("correct", pa.bool_()),
        *((column, pa.float64()) for column in COLUMN_OF.values()),
        *((f"p_{condition}", pa.list_(pa.float64())) for condition in PROBED),
        *((f"fell_back_{condition}", pa.float64()) for condition in PROBED),
        *((name, _TEXT) for name in ("estimator", "estimate_of")),
        ("tau", pa.float64()),
        ("draws", pa.int32()),
        *((name, _TEXT) for name in ("estimate_key", "run_key", "benchmark_key")),
    ]
)
"""The columns, in their order. `p_only_1` is what the model answers from source 1 alone, averaged
over draws; `fell_back_only_1` is the share of draws that a uniform distribution stands for."""


class _Table(Protocol):
    def write(self, rows: Sequence[Mapping[str, Any]]) -> None: ...


def write_scores(
    cache: Path,
    estimate_keys: Sequence[str],
    sample_ids: Sequence[str],
    path: Path,
    *,
    progress: Progress = unseen,
) -> Exported:
    """Write what some estimates know of samples as CSV or Parquet, by the end of the file's name.

    Parameters
    ----------
    cache
        The cache folder.
    estimate_keys
        The estimates; where several of one model have a sample, the first of them counts.
    sample_ids
        In the order of the rows.
    path
        The file; one that is there is replaced when all rows are written.
    progress
        Told after every few samples.

    Returns
    -------
    What was written; samples that none of the estimates has are left out and named.

    Raises
    ------
    CacheError
        If none of the samples has numbers, or the file cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise CacheError(f"{path} must end in {' or '.join(SUFFIXES)}, which says how to write it")
    rows = 0
    gone: list[LeftOut] = []
    marks = _tags(cache, estimate_keys)
    with _table(path) as table:
        for start in range(0, len(sample_ids), AT_ONCE):
            ids = sample_ids[start : start + AT_ONCE]
            found = _rows(cache, estimate_keys, ids, marks)
            table.write(found)
            rows += len(found)
            there = {row["sample_id"] for row in found}
            gone += [
                LeftOut(sample_id=one, reason=f"no spectrum here holds the sample {one!r}")
                for one in ids
                if one not in there
            ]
            progress(start + len(ids), len(sample_ids))
        if not rows:
            raise CacheError(
                f"none of the {len(sample_ids)} samples has numbers of these models; estimate "
                "spectra of their split first (`python -m model_runners estimate`)"
            )
    return Exported(path=path, rows=rows, size=path.stat().st_size, left_out=tuple(gone))


def estimates_of(
    cache: Path, benchmark_key: str, *, models: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Return the estimates of a benchmark's runs, those that speak for a sample first.

    That is `certified` before other estimators, a subset's own before the pooled one, the newest
    first; only those of the model's own output.

    Raises
    ------
    CacheError
        If a model has none.
    """
    with reader(cache) as connection:
        rows = connection.execute(
            """SELECT estimate_key, estimates.model FROM estimates JOIN runs USING (run_key)
               WHERE runs.benchmark_key = $key AND layer = $layer
               ORDER BY estimates.model, estimator != 'certified', subset = 'all',
                        record->>'created' DESC, estimate_key""",
            {"key": benchmark_key, "layer": OUTPUT_LAYER},
        ).fetchall()
    known = sorted({row[1] for row in rows})
    for model in models or ():
        if model not in known:
            raise CacheError(
                f"the cache has no spectrum of {model!r} on this benchmark; it has those of "
                f"{', '.join(known) or 'no model'}"
            )
    return tuple(key for key, model in rows if models is None or model in models)


def _tags(cache: Path, estimate_keys: Sequence[str]) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return the tags of every tagged sample of the benchmarks, by name."""
    with reader(cache) as connection:
        rows = connection.execute(
            """SELECT DISTINCT benchmark_key FROM estimates JOIN runs USING (run_key)
               WHERE list_contains(?::VARCHAR[], estimate_key)""",
            [list(estimate_keys)],
        ).fetchall()
    found: dict[str, dict[str, list[str]]] = {row[0]: defaultdict(list) for row in rows}
    for tag in tags.tags(cache):
        if tag.benchmark_key in found:
            for sample_id in tags.tagged(cache, tag.name, tag.benchmark_key):
                found[tag.benchmark_key][sample_id].append(tag.name)
    return found


def _rows(
    cache: Path,
    estimate_keys: Sequence[str],
    sample_ids: Sequence[str],
    marks: Mapping[str, Mapping[str, Sequence[str]]],
) -> list[dict[str, Any]]:
    with reader(cache) as connection:
        found = connection.execute(
            f"""SELECT pointwise.sample_id, estimate_key, estimates.record, runs.benchmark_key,
                       samples.position, samples.group_id, samples.subset, samples.split,
                       samples.question, samples.options, samples.answer, {", ".join(NUMBERS)}
                FROM pointwise JOIN estimates USING (estimate_key) JOIN runs USING (run_key)
                JOIN samples ON samples.benchmark_key = runs.benchmark_key
                     AND samples.sample_id = pointwise.sample_id
                WHERE list_contains($keys::VARCHAR[], estimate_key)
                  AND pointwise.sample_id IN (SELECT unnest($ids::VARCHAR[]))
                QUALIFY row_number() OVER (
                    PARTITION BY estimates.model, runs.benchmark_key, pointwise.sample_id
                    ORDER BY list_position($keys::VARCHAR[], estimate_key)) = 1
                ORDER BY list_position($ids::VARCHAR[], pointwise.sample_id),
                         list_position($keys::VARCHAR[], estimate_key)""",
            {"keys": list(estimate_keys), "ids": list(sample_ids)},
        ).fetchall()
        records = {row[1]: row[2] for row in found}
        parsed = {key: SpectrumRecord.from_dict(json.loads(text)) for key, text in records.items()}
        answers = {
            key: _answers(connection, record, [row[0] for row in found if row[1] == key])
            for key, record in parsed.items()
        }
    return [
        _row(row, parsed[row[1]], answers[row[1]].get(row[0]), marks[row[3]].get(row[0], ()))
        for row in found
    ]


@dataclass
class _Answers:
    """What a model answers to one sample."""

    choice: int | None
    """Of the full prompt."""
    probabilities: dict[Condition, list[float]]
    fell_back: dict[Condition, float]


def _answers(
    connection: duckdb.DuckDBPyConnection, record: SpectrumRecord, sample_ids: Sequence[str]
) -> dict[str, _Answers]:
    """Form P-hat as the estimate did: its tau, its draws, the mean after tau."""
    from pid_core import predictive

    rows = connection.execute(
        """SELECT sample_id, condition, draw, scores, strict_choice FROM predictions
           WHERE run_key = ? AND layer = ? AND sample_id IN (SELECT unnest(?::VARCHAR[]))
           ORDER BY draw""",
        [record.run_key, record.layer, list(sample_ids)],
    ).fetchall()
    found = {one: _Answers(choice=None, probabilities={}, fell_back={}) for one in sample_ids}
    held: dict[tuple[str, Condition], list[list[float]]] = defaultdict(list)
    for sample_id, condition, draw, scores, choice in rows:
        held[sample_id, Condition(condition)].append(scores)
        if condition == Condition.FULL and draw == 0 and choice >= 0:
            found[sample_id].choice = int(choice)
    most: int | None = record.settings.get("draws")
    alike: dict[tuple[Condition, int, int], list[str]] = defaultdict(list)
    for (sample_id, condition), draws in held.items():
        if condition in NOISY and most is not None:
            del draws[int(most) :]
        alike[condition, len(draws), len(draws[0])].append(sample_id)
    tau = float(record.settings.get("tau", 0.3))
    for (condition, _, _), members in alike.items():
        scores = np.array([held[one, condition] for one in members], dtype=np.float64)
        predicted = predictive(scores, tau=tau)
        means, fallback = predicted.mean().tolist(), predicted.fallback.mean(axis=1).tolist()
        for one, mean, share in zip(members, means, fallback, strict=True):
            found[one].probabilities[condition] = mean
            found[one].fell_back[condition] = share
    return found


def _row(
    row: tuple[Any, ...],
    record: SpectrumRecord,
    answers: _Answers | None,
    marks: Sequence[str],
) -> dict[str, Any]:
    choice = None if answers is None else answers.choice
    probabilities = {} if answers is None else answers.probabilities
    fell_back = {} if answers is None else answers.fell_back
    draws = record.settings.get("draws")
    return {
        "sample_id": row[0],
        "model": record.model,
        "benchmark": record.benchmark,
        **dict(zip(("position", "group_id", "subset", "split"), row[4:8], strict=True)),
        "tags": list(marks),
        "question": row[8],
        "options": list(row[9]),
        "answer": letter_of(row[10]),
        "answered": None if choice is None else letter_of(choice),
        # An import may not know what a model would have said first.
        "correct": None if choice is None and "imported" in record.settings else choice == row[10],
        **{
            COLUMN_OF[name]: number_or_none(value)
            for name, value in zip(NUMBERS, row[11:], strict=True)
        },
        **{f"p_{condition}": probabilities.get(condition) for condition in PROBED},
        **{f"fell_back_{condition}": fell_back.get(condition) for condition in PROBED},
        "estimator": record.estimator,
        "estimate_of": record.subset,
        "tau": float(record.settings.get("tau", 0.3)),
        "draws": None if draws is None else int(draws),
        "estimate_key": record.estimate_key,
        "run_key": record.run_key,
        "benchmark_key": row[3],
    }


@contextmanager
def _table(path: Path) -> Generator[_Table]:
    if path.suffix.lower() == ".parquet":
        with new_file(path, binary=True) as file, _Parquet(file) as table:
            yield table
        return
    with new_file(path) as file:
        writer = csv.DictWriter(file, SCHEMA.names)
        writer.writeheader()
        yield _Csv(writer)


class _Csv:
    def __init__(self, writer: "csv.DictWriter[str]"):
        self._writer = writer

    def write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


class _Parquet:
    def __init__(self, file: Any):
        self._writer = pq.ParquetWriter(file, SCHEMA, compression="zstd")

    def __enter__(self) -> "_Parquet":
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._writer.write_table(pa.Table.from_pylist(list(rows), schema=SCHEMA))
