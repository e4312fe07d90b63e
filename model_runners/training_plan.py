"""What of a training is to be measured, and what of that is there already."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_cache import estimates, queries
from data_cache.checkpoints import checkpoint_of
from data_cache.samples import Benchmark
from data_cache.training_runs import held_samples
from data_cache.trajectories import Point, Trajectory
from model_runners.again import style_of
from model_runners.benchmark_choice import FRAMES
from model_runners.lens_options import LOGIT
from model_runners.profile import ProfileOptions
from model_runners.profile_job import parts
from model_runners.sources import USUAL_SOURCES

if TYPE_CHECKING:
    from data_cache.queries import RunRow


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far one checkpoint is measured."""

    point: Point
    wanted: int
    """Samples asked for."""
    measured: int
    """Of them, those with predictions."""
    spectra: int
    """Spectra of what was asked for."""
    run_key: str = ""
    """The run; empty where there is none."""
    is_complete: bool = False
    """Nothing of it is left to do."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "model": self.point.checkpoint.model,
            **self.point.checkpoint.to_dict(),
            "location": self.point.location,
            "samples": self.measured,
            "wanted": self.wanted,
            "spectra": self.spectra,
            "run_key": self.run_key,
            "complete": self.is_complete,
        }


def standings(
    cache: Path, trajectory: Trajectory, options: ProfileOptions, benchmark: Benchmark
) -> list[Standing]:
    """Say of each checkpoint how far it is measured as the options ask; no model is loaded.

    Parameters
    ----------
    cache
        The cache folder.
    trajectory
        The checkpoints.
    options
        What is asked of each; its model and checkpoint are not looked at.
    benchmark
        That of the options.
    """
    wanted = benchmark.select(subset=options.subset, split=options.split, limit=options.limit)
    ids = [sample.id for sample in wanted]
    runs: dict[str, list[RunRow]] = {}
    for run in queries.runs(cache):
        if checkpoint_of(run.config) is not None and fits(run, options, benchmark):
            runs.setdefault(run.model, []).append(run)
    return [
        _standing(cache, point, runs.get(point.checkpoint.model, ()), options, benchmark, ids)
        for point in trajectory.points
    ]


def options_for(options: ProfileOptions, point: Point) -> ProfileOptions:
    """Return the options of the run of one checkpoint."""
    return replace(options, model=point.location, checkpoint=point.checkpoint)


def fits(run: "RunRow", options: ProfileOptions, benchmark: Benchmark) -> bool:
    """Whether a run was made as the options ask, as far as its configuration says."""
    config = run.config
    asked: dict[str, tuple[Any, Any]] = {
        "benchmark": (run.benchmark_key, benchmark.key),
        "seed": (config.get("seed"), options.seed),
        "mask_scope": (config.get("mask_scope"), options.mask_scope),
        "image_size": (config.get("image_size"), options.image_size),
        "pooling": (config.get("pooling", "mean"), options.pooling),
        "sources": (config.get("sources", USUAL_SOURCES), options.sources),
        "frames": (config.get("frames", FRAMES), options.frames),
        "template": (config.get("template_text"), options.template),
        "answers": (style_of(config), options.answers),
        "lens": (config.get("lens") is None, options.lens == LOGIT),
        "dtype": (config.get("dtype"), options.dtype),
    }
    if options.dtype == "auto":
        del asked["dtype"]  # which it will be is known once the model is loaded
    return all(has == wants for has, wants in asked.values())


def _standing(
    cache: Path,
    point: Point,
    runs: "Sequence[RunRow]",
    options: ProfileOptions,
    benchmark: Benchmark,
    ids: Sequence[str],
) -> Standing:
    found = Standing(point=point, wanted=len(ids), measured=0, spectra=0)
    for run in runs:
        measured = held_samples(cache, run.run_key, ids)
        if measured < found.measured or not measured:
            continue
        asked = parts(options, benchmark)
        made = {
            record.subset
            for record in estimates.load(cache, models=[run.model], split=asked.split)
            if record.run_key == run.run_key and record.estimator == "certified"
        }
        deep = len(run.layers) > 1 or not options.layers
        found = replace(
            found,
            run_key=run.run_key,
            measured=measured,
            spectra=len(made & set(asked.subsets)),
            is_complete=measured == len(ids)
            and run.draws >= options.draws
            and deep
            and made >= set(asked.subsets),
        )
    return found
