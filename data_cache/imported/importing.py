"""From a file of predictions to a run of the cache, without a model."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_cache.benchmarks import BENCHMARKS, BenchmarkChoice, load_benchmark
from data_cache.benchmarks.reading import MAX_BAD_SHARE
from data_cache.benchmarks.source import Circular
from data_cache.benchmarks.splits import SplitPolicy
from data_cache.conditions import Condition
from data_cache.errors import BenchmarkError
from data_cache.image_store import ImageStore
from data_cache.imported.answers import Answer, Layout
from data_cache.imported.matching import Matched, match, own_samples
from data_cache.imported.reading import read_answers
from data_cache.imported.storing import write_predictions
from data_cache.runs import run_key, write_sidecar
from data_cache.samples import Benchmark, RowProblem, Sample, Split

IMPORT_VERSION = 1
"""Part of the run key; raise it when the same file would give other predictions."""
LISTED = 50
"""Bad rows that a run names; all are counted."""
FORMAT_WORDS = {"xiu26": "Stage-2 JSON of Xiu26", "table": "table of distributions"}


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What a person says about files of predictions."""

    files: tuple[Path, ...]
    """One or more, of one model on one benchmark, for example its train and its val file."""
    model: str
    """What the model is called from now on."""
    benchmark: str
    """A benchmark of the table, whose samples are then found by id; or a name for the file's own
    questions."""
    family: str = "imported"
    split: Split | None = None
    """Of the file's own questions where it says none; None goes by the name of the file's folder,
    `train` or another."""
    images: Path | None = None
    """The folder that paths of images are relative to; None takes the file's own."""
    data: str | None = None
    """Where the benchmark's files are; as in `BenchmarkChoice`."""
    split_policy: SplitPolicy = "group"
    circular: Circular = "all"
    max_bad_rows: float = MAX_BAD_SHARE
    """Nothing is imported where a larger share of the rows is bad, 0 to 1."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense before anything is read."""
        if not self.files:
            raise BenchmarkError("name a file to import")
        for what, text in (
            ("model", self.model), ("benchmark", self.benchmark), ("family", self.family)
        ):  # fmt: skip
            if not text.strip():
                raise BenchmarkError(f"name the {what} of the predictions")
        if not 0 <= self.max_bad_rows <= 1:
            raise BenchmarkError(f"a share of bad rows is 0 to 1, not {self.max_bad_rows}")


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What an import did."""

    run_key: str
    model: str
    benchmark: str
    benchmark_key: str
    format: str
    """In words."""
    rows: int
    samples: int
    conditions: tuple[Condition, ...]
    is_known: bool
    """The samples are those of a benchmark that is read here, not the file's own."""
    has_features: bool
    subsets: Mapping[Split, tuple[str, ...]]
    """Of the samples that were imported."""
    bad_rows: tuple[RowProblem, ...]
    notes: tuple[str, ...]
    """Sentences about what is special."""


def import_predictions(
    cache: Path, options: ImportOptions, *, progress: Callable[[int], None] | None = None
) -> ImportReport:
    """Read predictions, check them, and keep them as a run; the same file gives the same run.

    Parameters
    ----------
    cache
        The cache folder.
    options
        Which files, and whose predictions on what.
    progress
        Called with the rows read so far.

    Raises
    ------
    BenchmarkError
        If a file cannot be read, is in no format that is known, or too many of its rows are bad.
    CacheError
        If the cache cannot be written.
    """
    from data_cache.ingest import ingest

    known, notes = _known_benchmark(cache, options)
    read = read_answers(options.files, options.split, known, progress=progress)
    answers, layout, bad, rows = read.answers, read.layout, read.bad, read.rows
    matched = _matched(cache, options, answers, known, notes)
    problems = (*bad, *matched.bad)
    _refuse_many(problems, len(matched.answers), options)
    features = _features(matched, notes)
    if matched.without_image:
        count = matched.without_image
        notes.append(f"images named in the file and not found: {count} of {len(matched.answers)}")
    digests = [_digest_of(path) for path in options.files]
    config = configuration(options, matched.benchmark, layout, digests)
    key = run_key(config)
    write_sidecar(
        cache,
        key,
        config,
        environment={
            "imported_from": [path.name for path in options.files],
            "rows": rows,
            "bad_rows": len(problems),
            "first_bad_rows": [str(problem) for problem in problems[:LISTED]],
            "notes": list(notes),
        },
    )
    write_predictions(cache, key, matched, layout, features=features)
    ingest(cache, run_keys=[key])
    kept = [sample for sample in matched.benchmark.samples if sample.id in matched.answers]
    return ImportReport(
        run_key=key,
        model=options.model,
        benchmark=matched.benchmark.name,
        benchmark_key=matched.benchmark.key,
        format=FORMAT_WORDS[layout.format],
        rows=rows,
        samples=len(kept),
        conditions=tuple(layout.scales),
        is_known=matched.is_known,
        has_features=features,
        subsets=_subsets(kept),
        bad_rows=problems,
        notes=tuple(notes),
    )


def configuration(
    options: ImportOptions, benchmark: Benchmark, layout: Layout, digests: Sequence[str]
) -> dict[str, Any]:
    """Return everything that an imported run's predictions depend on; its hash is the run key."""
    return {
        "version": IMPORT_VERSION,
        "model": options.model,
        "family": options.family,
        "benchmark": benchmark.name,
        "benchmark_key": benchmark.key,
        "imported": FORMAT_WORDS[layout.format],
        "imported_sha256": list(digests),
        "probabilities": {str(condition): scale for condition, scale in layout.scales.items()},
        **({} if options.split_policy == "group" else {"split_policy": options.split_policy}),
        **({"circular": "all"} if benchmark.circular else {}),
    }


def _known_benchmark(cache: Path, options: ImportOptions) -> tuple[Benchmark | None, list[str]]:
    """Return the benchmark whose samples the file may be about, where it can be read here."""
    choice = BenchmarkChoice(
        name=options.benchmark,
        data=options.data,
        split_policy=options.split_policy,
        circular=options.circular,
    )
    if choice.is_file or options.data is not None:
        return load_benchmark(choice, cache=cache), []
    if choice.base not in BENCHMARKS:
        return None, []
    try:
        return load_benchmark(choice, cache=cache), []
    except BenchmarkError as error:
        return None, [f"the questions are the file's own: {error}"]


def _matched(
    cache: Path,
    options: ImportOptions,
    answers: Sequence[Answer],
    known: Benchmark | None,
    notes: list[str],
) -> Matched:
    if known is not None:
        if any(answer.id is not None for answer in answers):
            return match(known, answers)
        notes.append(f"no row has an id of {known.name}, so the questions are the file's own")
    if all(answer.right is None for answer in answers):
        raise BenchmarkError(
            f"{options.files[0]} has no column answer, and its questions are those of no benchmark "
            "that can be read here; without the right answers no accuracy can be shown"
        )
    names = ", ".join(path.name for path in options.files)
    with ImageStore(cache) as store:
        return own_samples(
            BenchmarkChoice(name=options.benchmark).title,
            answers,
            store=store,
            images=options.images,
            note=f"predictions imported from {names}",
        )


def _refuse_many(bad: Sequence[RowProblem], good: int, options: ImportOptions) -> None:
    share = len(bad) / (len(bad) + good)
    if share > options.max_bad_rows:
        raise BenchmarkError(
            f"{len(bad)} of {len(bad) + good} rows are bad, more than {options.max_bad_rows:.0%}; "
            f"mend them or allow more (--max-bad-rows). The first: {bad[0]}"
        )


def _features(matched: Matched, notes: list[str]) -> bool:
    """Tell whether every sample has embeddings of both sources, each of one length."""
    answers = matched.answers.values()
    for name in ("features_1", "features_2"):
        widths = {0 if one is None else len(one) for one in (getattr(a, name) for a in answers)}
        if len(widths) > 1:
            lengths = ", ".join(str(width) for width in sorted(widths))
            notes.append(f"no embeddings are kept: {name} has different lengths ({lengths})")
        if widths != {0} and len(widths) == 1:
            continue
        return False
    return True


def _subsets(samples: Sequence[Sample]) -> dict[Split, tuple[str, ...]]:
    found: dict[Split, set[str]] = {}
    for sample in samples:
        found.setdefault(sample.split, set()).add(sample.subset)
    return {split: tuple(sorted(names)) for split, names in found.items()}


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
