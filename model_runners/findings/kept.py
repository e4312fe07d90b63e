"""Findings as kept results: measured once, and again only when something that they rest on changed.

What is kept are the statistics, the steps in size and what each task asks for. Verdicts are not:
they depend on the correction and on which findings are looked at, and cost nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from data_cache import adapters as stored_adapters
from data_cache import estimates, queries
from data_cache.adapters import AdapterRecord
from data_cache.derived import Inputs, Question, once
from data_cache.plain import plain, rebuilt
from data_cache.queries import RunRow, data_version
from data_cache.records import SpectrumRecord
from model_runners.code_version import code_version
from model_runners.findings.material import Kind, Material, Origin, material_of, settled
from model_runners.findings.over_sizes import all_steps
from model_runners.findings.parts import Part
from model_runners.findings.registry import FINDINGS
from model_runners.findings.report import Measured, measure
from model_runners.scaling import StepChanges, parameters_of

NAME = "findings"


@dataclass(frozen=True, kw_only=True)
class Held:
    """What came out."""

    material: Material
    measured: Measured
    steps: tuple[StepChanges, ...]
    """All steps in size, see `over_sizes.all_steps`."""


def version() -> str:
    """Return which code measures findings."""
    return code_version("model_runners.findings", data=("data_cache/published_numbers.json",))


def read_held(
    cache: Path,
    *,
    benchmark: str | None = None,
    split: str = "test",
    estimator: str = "certified",
    by_family: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Held:
    """Hold the findings to a cache; parameters as in `read_material`.

    Parameters
    ----------
    progress
        Called with how many findings are measured, and of how many; never where they are kept.

    Raises
    ------
    BadOption
        If nothing is stored of that benchmark.
    """
    seen = data_version(cache)
    runs = queries.runs(cache)
    spectra = estimates.load(cache, split=split, estimator=estimator)
    return hold(
        cache,
        runs,
        spectra,
        adapters=stored_adapters.adapters(cache),
        benchmark=settled(cache, spectra, benchmark, split=split, estimator=estimator),
        split=split,
        estimator=estimator,
        by_family=by_family,
        seen=seen,
        progress=progress,
    )


def hold(
    cache: Path,
    runs: Sequence[RunRow],
    spectra: Sequence[SpectrumRecord],
    *,
    split: str,
    estimator: str,
    adapters: Sequence[AdapterRecord] = (),
    benchmark: str | None = None,
    by_family: bool = False,
    seen: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Held:
    """Hold the findings to what was read; parameters as in `material_of`.

    Parameters
    ----------
    seen
        The cache's `data_version` when runs and spectra were read; None is now.
    progress
        As in `read_held`.
    """
    made: list[Held] = []

    def arrange(kinds: dict[tuple[str, str], tuple[Kind, Origin]] | None = None) -> Material:
        return material_of(
            cache,
            runs,
            spectra,
            split=split,
            estimator=estimator,
            adapters=adapters,
            benchmark=benchmark,
            by_family=by_family,
            kinds=kinds,
        )

    def make() -> Any:
        material = arrange()
        measured = measure(material, progress=progress)
        made.append(Held(material=material, measured=measured, steps=tuple(all_steps(material))))
        return _answer(made[0])

    question = Question(
        name=NAME,
        version=version(),
        asked={
            "split": split,
            "estimator": estimator,
            "benchmark": benchmark,
            "by_family": by_family,
        },
        given={
            "parameters": parameters_of(runs),
            "adapters": [one.to_dict() for one in adapters],
        },
        inputs=Inputs(split=split, estimator=estimator, benchmark=benchmark, answers=True),
    )
    answer = once(cache, question, make, seen=seen)
    if made:
        return made[0]
    kinds = {(one["benchmark"], one["subset"]): one for one in answer["tasks"]}
    return Held(
        material=arrange(
            {
                key: (cast("Kind", one["kind"]), cast("Origin", one["origin"]))
                for key, one in kinds.items()
            }
        ),
        measured=tuple(
            (finding, rebuilt(tuple[Part, ...], answer["parts"][finding.id]))
            for finding in FINDINGS
        ),
        steps=rebuilt(tuple[StepChanges, ...], answer["steps"]),
    )


def _answer(held: Held) -> dict[str, Any]:
    return {
        "tasks": [
            {
                "benchmark": task.benchmark,
                "subset": task.subset,
                "kind": task.kind,
                "origin": task.origin,
            }
            for task in held.material.tasks
        ],
        "parts": {finding.id: plain(parts) for finding, parts in held.measured},
        "steps": plain(held.steps),
    }
