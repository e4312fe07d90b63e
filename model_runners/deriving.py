"""What pages show of what was just stored, computed before anybody opens one.

Findings over many models take seconds, and so do the phases of a deep model. Whoever stores
something computes them at its end; a page finds them kept. Nothing depends on that: what is not
kept is computed by the page that asks, see `data_cache.derived`.
"""

import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from data_cache import adapters, derived, estimates, queries
from data_cache.errors import DataError
from data_cache.location import derived_directory
from data_cache.patch_effects import fingerprint as patched
from data_cache.plan import OUTPUT_LAYER
from data_cache.queries import RunRow, data_version
from data_cache.records import SpectrumRecord, estimate_key
from model_runners.unwatched import never
from pid_core.errors import PidError

log = logging.getLogger(__name__)
SPLITS = ("test", "train", "all")
"""The first of them that something is stored of is the one that pages begin with."""
ESTIMATOR = "certified"
ENOUGH = 4
"""Models without which no statistic over models is computed, and findings cost nothing."""


def derive(
    cache: Path,
    run_keys: Collection[str] | None = None,
    *,
    say: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = never,
) -> int:
    """Compute what pages show of some runs where it is not kept yet; returns how many answers.

    Trouble with one of them is logged and left to the page, which says it to a person.

    Parameters
    ----------
    cache
        The cache folder.
    run_keys
        Runs that something was stored of; None is all.
    say
        Told what is being computed.
    stop
        Asked between two of them.
    """
    done = 0
    try:
        for what, make in _wanted(cache, run_keys):
            if stop():
                return done
            say(what)
            with _left_to_pages(what):
                make()
                done += 1
        if derived_directory(cache).is_dir():
            with _left_to_pages("older results are not swept"):
                derived.sweep(cache, versions())
    except DataError as error:
        log.warning("nothing was computed ahead for the pages: %s", error)
    return done


def versions() -> dict[str, str]:
    """Return the code's version by the name of what it computes."""
    from model_runners import kept_courses
    from model_runners.findings import kept

    return {kept.NAME: kept.version(), **kept_courses.versions()}


def runs_of(result: object) -> set[str]:
    """Return the runs that a job's result names, wherever they stand in it.

    >>> sorted(runs_of({"run_key": "b", "trainings": [{"base_run_key": "a", "samples": 3}]}))
    ['a', 'b']
    """
    if isinstance(result, list | tuple):
        return {key for one in result for key in runs_of(one)}
    if not isinstance(result, dict):
        return set()
    named = {result.get(name) for name in ("run_key", "base_run_key")}
    found = {key for key in named if isinstance(key, str)}
    return found | {key for one in result.values() for key in runs_of(one)}


def _wanted(
    cache: Path, run_keys: Collection[str] | None
) -> Iterator[tuple[str, Callable[[], object]]]:
    seen, runs = data_version(cache), queries.runs(cache)
    chosen = [run for run in runs if run_keys is None or run.run_key in run_keys]
    yield from _courses(cache, chosen, seen)
    yield from _patches(cache, chosen, seen)
    yield from _findings(cache, runs, {run.benchmark for run in chosen}, seen)


def _courses(
    cache: Path, runs: Sequence[RunRow], seen: str
) -> Iterator[tuple[str, Callable[[], object]]]:
    from model_runners.kept_courses import kept_course

    of_run = {run.run_key: run for run in runs}
    if not of_run:
        return
    stored = estimates.load(cache, models=sorted({run.model for run in runs}), layer=None)
    layers: dict[str, list[SpectrumRecord]] = defaultdict(list)
    for record in stored:
        if record.run_key in of_run and record.layer != OUTPUT_LAYER:
            layers[_of_output(record)].append(record)
    outputs = {one.estimate_key for one in stored if one.layer == OUTPUT_LAYER}
    for output, found in layers.items():
        found.sort(key=lambda one: one.layer)
        first = found[0]
        # A run that goes on may have layers in some of its blocks only.
        depth = max(*of_run[first.run_key].layers, found[-1].layer) + 1
        if output in outputs and [one.layer for one in found] == list(range(depth)):
            yield (
                f"phases of {first.model}, {first.subset}",
                lambda found=found: kept_course(cache, found, seen=seen),
            )


def _patches(
    cache: Path, runs: Sequence[RunRow], seen: str
) -> Iterator[tuple[str, Callable[[], object]]]:
    from model_runners.kept_courses import kept_patch_course

    of_run = {run.run_key: run for run in runs if patched(cache, run.run_key)}
    if not of_run:
        return
    stored = estimates.load(cache, models=sorted({run.model for run in of_run.values()}))
    for record in stored:
        if record.run_key in of_run:
            yield (
                f"effects of patches on {record.model}, {record.subset}",
                lambda one=record: kept_patch_course(
                    cache,
                    run_key=one.run_key,
                    estimate_key=one.estimate_key,
                    tau=one.settings.get("tau", 0.3),
                    draws=one.settings.get("draws"),
                    seen=seen,
                ),
            )


def _findings(
    cache: Path, runs: Sequence[RunRow], touched: Collection[str], seen: str
) -> Iterator[tuple[str, Callable[[], object]]]:
    from model_runners.findings.kept import hold

    stored = estimates.load(cache, estimator=ESTIMATOR)
    benchmarks = {record.benchmark for record in stored}
    # Of all benchmarks together, where there are several, and of the subsets of those touched.
    asked: list[str | None] = [None] if len(benchmarks) > 1 else []
    asked += sorted(benchmarks & set(touched))
    for benchmark in asked:
        here = [one for one in stored if benchmark in {None, one.benchmark}]
        split = next((name for name in SPLITS if any(one.split == name for one in here)), None)
        if split is None or len({one.model for one in here}) < ENOUGH:
            continue
        if benchmark is not None and len({one.subset for one in here}) < 2:
            continue  # whole benchmarks say the same
        yield (
            f"findings of {benchmark or 'all benchmarks'}",
            lambda benchmark=benchmark, split=split: hold(
                cache,
                runs,
                stored,
                split=split,
                estimator=ESTIMATOR,
                adapters=adapters.adapters(cache),
                benchmark=benchmark,
                seen=seen,
            ),
        )


def _of_output(layer: SpectrumRecord) -> str:
    """Return the key of the same question about the model's own output."""
    return estimate_key(
        run_key=layer.run_key,
        subset=layer.subset,
        split=layer.split,
        layer=OUTPUT_LAYER,
        estimator=layer.estimator,
        settings=layer.settings,
    )


@contextlib.contextmanager
def _left_to_pages(what: str) -> Iterator[None]:
    try:
        yield
    except (DataError, PidError) as error:
        log.warning("%s: not computed ahead for the pages: %s", what, error)
