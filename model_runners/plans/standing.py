"""How far each cell of a plan is, from stored rows alone, and what the rest would cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from data_cache import jobs, queries
from data_cache.coverage import RunCoverage, coverage
from data_cache.errors import DataError
from data_cache.jobs import JobRow
from data_cache.samples import Benchmark
from model_runners.errors import RunnerError
from model_runners.models import resolve_model
from model_runners.plans.options import PlanOptions
from model_runners.profile import ProfileOptions
from model_runners.requests import KIND, request_of

CellState = Literal["done", "running", "stopped", "failed", "stale", "missing"]
HASHED_BYTES = 1 << 30
"""Weights of a folder that are larger are not hashed for a list."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far one cell is."""

    options: ProfileOptions
    job_key: str
    state: CellState
    """`stale`: it was done, and since then the model's files changed, or results went away."""
    why: str
    """What is stale or failed; plain text."""
    samples: int | None
    """Of its run; None where there is none."""
    seconds: float | None = None
    """What is left to do, where a run of that model was measured; None where that is not known."""


def standings(cache: Path, plan: PlanOptions) -> list[Standing]:
    """Say of each cell how far it is; no model is loaded.

    Parameters
    ----------
    cache
        The cache folder.
    plan
        Its cells.
    """
    covered = coverage(cache)
    weights = {run.run_key: str(run.config.get("weights")) for run in queries.runs(cache)}
    now: dict[str, str | None] = {}
    return [_standing(cache, cell, covered, weights, now) for cell in plan.cells]


def is_measured(job: JobRow | None, covered: dict[str, RunCoverage]) -> bool:
    """Whether a job is done and the cache still has what it measured."""
    if job is None or job.state != "done":
        return False
    held = covered.get(str(job.result.get("run_key")))
    asked = int(job.result.get("samples", 0)) - int(job.result.get("bad_sample_count", 0))
    return held is not None and held.samples >= asked


def with_costs(cache: Path, found: Sequence[Standing]) -> list[Standing]:
    """Add how long each cell that is not done would take, where that is known.

    Raises
    ------
    DataError
        If a benchmark cannot be read.
    """
    from dataclasses import replace

    from model_runners.benchmark_choice import load_asked
    from model_runners.cost import estimate_cost

    read: dict[str, Benchmark] = {}
    costed: list[Standing] = []
    for one in found:
        seconds = None
        if one.state not in {"done", "running"}:
            name = str({name: getattr(one.options, name) for name in _BENCHMARK})
            if name not in read:
                read[name] = load_asked(one.options, cache)
            seconds = estimate_cost(one.options, cache, benchmark=read[name]).seconds
        costed.append(replace(one, seconds=seconds))
    return costed


_BENCHMARK = ("benchmark", "data", "split_policy", "circular", "frames", "max_bad_rows")


def _standing(
    cache: Path,
    cell: ProfileOptions,
    covered: dict[str, RunCoverage],
    weights: dict[str, str],
    now: dict[str, str | None],
) -> Standing:
    key = jobs.job_key(KIND, request_of(cell))
    row = jobs.job(cache, key)
    state: CellState = "missing"
    why, samples = "", None
    if row is not None and (run_key := row.result.get("run_key")) is not None:
        held = covered.get(str(run_key))
        samples = held.samples if held is not None else 0
        if row.state == "done" and not is_measured(row, covered):
            state, why = "stale", "samples that it measured are not in the cache any more"
        elif row.state == "done":
            if cell.model not in now:
                now[cell.model] = _fingerprint(cell.model)
            if now[cell.model] not in {None, weights.get(str(run_key))}:
                state, why = "stale", "the model's files have changed since"
            else:
                state = "done"
    if row is not None and state == "missing":
        if row.is_active:
            state, why = "running", row.message
        elif row.state in {"failed", "cancelled", "lost"}:
            state = "failed" if row.state == "failed" else "stopped"
            why = row.error or row.message
    return Standing(options=cell, job_key=key, state=state, why=why, samples=samples)


def _fingerprint(model: str) -> str | None:
    """Return the fingerprint of a model on this machine, None where that would take long."""
    from model_runners.loading import weights_fingerprint

    try:
        source = resolve_model(model)
    except (RunnerError, DataError):
        return None
    folder = Path(source.location)
    if not source.is_local or source.adapter is not None or _size(folder.iterdir()) > HASHED_BYTES:
        return None
    return weights_fingerprint(folder)


def _size(paths: Iterable[Path]) -> int:
    # A link into the hub's cache is named by its hash, which is taken without reading it.
    return sum(path.stat().st_size for path in paths if path.is_file() and not path.is_symlink())


def as_json(one: Standing) -> dict[str, Any]:
    """Return JSON values."""
    return {
        "model": one.options.model,
        "benchmark": one.options.benchmark,
        "job_key": one.job_key,
        "state": one.state,
        "why": one.why,
        "samples": one.samples,
        "seconds": one.seconds,
    }
