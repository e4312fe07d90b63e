"""Predictions from a file become spectra: imported as a run, and estimated at once."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data_cache.imported import ImportOptions, ImportReport, import_predictions
from data_cache.location import command
from data_cache.records import SpectrumRecord
from model_runners.unwatched import ignore
from pid_core.errors import PidError

LISTED_BAD_ROWS = 10

Stage = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What came of an import."""

    report: ImportReport
    spectra: tuple[SpectrumRecord, ...] = ()
    refused: tuple[str, ...] = ()
    """One sentence for each spectrum that could not be made."""


def import_and_estimate(
    cache: Path,
    options: ImportOptions,
    *,
    estimate: bool = True,
    stage: Stage = ignore,
) -> Imported:
    """Import predictions and estimate the spectra of their subsets, and of all of them together.

    Parameters
    ----------
    cache
        The cache folder.
    options
        Which files, and whose predictions on what.
    estimate
        Whether to estimate; else only the run is stored.
    stage
        Told what begins, a few words.

    Raises
    ------
    BenchmarkError
        If a file cannot be imported.
    CacheError
        If the cache cannot be written.
    """
    stage("reading predictions")
    report = import_predictions(
        cache, options, progress=lambda rows: stage(f"reading predictions: {rows} rows")
    )
    if not estimate:
        return Imported(report=report)
    from model_runners.estimation import EstimateOptions, choose_run, estimate_run

    run = choose_run(cache, model=report.model, benchmark=report.benchmark, run_key=report.run_key)
    split = "test" if "test" in report.subsets else "train"
    subsets = report.subsets[split]
    pooled = () if subsets == ("all",) else ("all",)
    spectra: list[SpectrumRecord] = []
    refused: list[str] = []
    for subset in (*pooled, *subsets):
        stage(f"estimating {subset}")
        chosen = EstimateOptions(split=split, by="none", subset=None if subset == "all" else subset)
        try:
            spectra += estimate_run(cache, run, chosen, reuse=True)
        except PidError as error:
            refused.append(f"{subset}: {error}")
    return Imported(report=report, spectra=tuple(spectra), refused=tuple(refused))


def described(imported: Imported, cache: Path) -> list[str]:
    """Return what an import did, line by line."""
    report = imported.report
    whose = "of the benchmark" if report.is_known else "of the file"
    lines = [
        f"run {report.run_key}: {report.samples} samples of {report.benchmark} ({whose}, key "
        f"{report.benchmark_key}) through {report.model}, imported from {report.rows} rows "
        f"({report.format}); {len(imported.spectra)} spectra"
    ]
    lines += [f"  note: {sentence}" for sentence in report.notes]
    lines += [f"  left out: {problem}" for problem in report.bad_rows[:LISTED_BAD_ROWS]]
    if len(report.bad_rows) > LISTED_BAD_ROWS:
        lines.append(f"  and {len(report.bad_rows) - LISTED_BAD_ROWS} more bad rows")
    for record in imported.spectra:
        lines.append(
            f"  {record.subset}: n {record.n}  R {record.redundancy:+.3f}  "
            f"U1 {record.unique_1:+.3f}  U2 {record.unique_2:+.3f}  S {record.synergy:+.3f}  "
            f"total {record.total:.3f} bits  accuracy {record.accuracy:.3f}"
        )
    lines += [f"  no spectrum of {sentence}" for sentence in imported.refused]
    if not imported.spectra:
        model, benchmark = shlex.quote(report.model), shlex.quote(report.benchmark)
        names = f"--model {model} --benchmark {benchmark} --by subset"
        lines.append(f"  estimate with {command(f'estimate {names}', cache)}")
    return lines
