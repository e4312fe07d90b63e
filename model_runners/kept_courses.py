"""Courses over layers as kept results: phases of a trajectory, and what patching each layer did."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_cache.derived import Inputs, Question, once
from data_cache.layer_rows import layer_rows
from data_cache.location import run_directory
from data_cache.patch_effects import FOLDER
from data_cache.patch_scores import patch_scores, pointwise_atoms
from data_cache.plain import plain, rebuilt
from data_cache.records import SpectrumRecord
from data_cache.runs import hash_text
from model_runners.code_version import code_version
from model_runners.layer_statistics import RESAMPLES, Course, course_of

if TYPE_CHECKING:
    from model_runners.patch_statistics import PatchCourse

PHASES = "phases"
PATCHES = "patches"


def versions() -> dict[str, str]:
    """Return which code computes each of the two, by name."""
    return {
        PHASES: code_version("model_runners.layer_statistics"),
        PATCHES: code_version("model_runners.patch_statistics"),
    }


def kept_course(
    cache: Path,
    layers: Sequence[SpectrumRecord],
    *,
    resamples: int = RESAMPLES,
    seen: str | None = None,
) -> Course:
    """Return the course of a trajectory with its intervals, fitted once.

    Parameters
    ----------
    cache
        The cache folder, with what each sample adds to the estimates.
    layers
        One spectrum per layer, as `course_of` takes them.
    resamples
        Bootstrap samples; 0 gives no intervals.
    seen
        The cache's `data_version` when the spectra were read; None is now.

    Raises
    ------
    PidError
        If a layer is missing.
    """
    keys = tuple(record.estimate_key for record in layers)
    question = Question(
        name=PHASES,
        version=versions()[PHASES],
        # Dozens of keys would stand in each file twice.
        asked={"trajectory": hash_text(" ".join(keys), 16), "resamples": resamples},
        inputs=Inputs(estimates=keys),
    )

    def make() -> Any:
        rows = layer_rows(cache, keys) if resamples else None
        return plain(course_of(layers, rows, resamples=max(resamples, 1)))

    return rebuilt(Course, once(cache, question, make, seen=seen))


def kept_patch_course(
    cache: Path,
    *,
    run_key: str,
    estimate_key: str,
    tau: float,
    draws: int | None,
    seen: str | None = None,
) -> "PatchCourse | None":
    """Return what patching each layer did to the samples of an estimate, averaged once.

    Parameters
    ----------
    cache
        The cache folder.
    run_key
        The run that was patched.
    estimate_key
        Whose samples and pointwise atoms count.
    tau, draws
        As of the estimate, see `sample_effects`.
    seen
        The cache's `data_version` when the estimate was read; None is now.

    Returns
    -------
    None where no sample of the estimate was patched.

    Raises
    ------
    CacheError
        If a file of patches cannot be read.
    """
    folder = (run_directory(cache, run_key) / FOLDER).relative_to(cache).as_posix()
    question = Question(
        name=PATCHES,
        version=versions()[PATCHES],
        asked={"run": run_key, "estimate": estimate_key, "tau": tau, "draws": draws},
        inputs=Inputs(estimates=(estimate_key,), files=(folder,)),
    )

    def make() -> Any:
        from model_runners.patch_statistics import patch_course, sample_effects

        scores = patch_scores(cache, run_key)
        atoms = pointwise_atoms(cache, estimate_key)
        chosen = None if scores is None else scores.chosen(atoms.sample_ids)
        if chosen is None:
            return {"course": None}
        effects = sample_effects(chosen, tau=tau, draws=draws)
        return {"course": plain(patch_course(effects, atoms=atoms))}

    found = once(cache, question, make, seen=seen)["course"]
    return None if found is None else _patch_course(found)


def _patch_course(value: object) -> "PatchCourse":
    from model_runners.patch_statistics import PatchCourse

    return rebuilt(PatchCourse, value)
