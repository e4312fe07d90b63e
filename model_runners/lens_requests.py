"""What a job of kind `lens` is asked to do, as the JSON of its key, and back."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from model_runners import benchmark_choice, requests
from model_runners.errors import BadOption
from model_runners.lens_options import LOGIT, LensOptions
from model_runners.lens_training import LensTraining
from model_runners.models import shown_name
from model_runners.profile import ProfileOptions

OF_RUNS_ONLY = ("subset", "split", "limit", "draws", "layers", "lens", "layer_features", "pooling")
"""What decides which samples and numbers a run has, and nothing of a lens."""


def request_of(options: LensOptions) -> dict[str, Any]:
    """Return the options as JSON values that mean the same in every working directory.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    """
    asked = requests.request_of(_as_lens(options.asked))
    return {
        "asked": {name: value for name, value in asked.items() if name not in OF_RUNS_ONLY},
        "samples": options.samples,
        "training": asdict(options.training),
    }


def options_of(request: Mapping[str, Any]) -> LensOptions:
    """Return the options of a stored request.

    Raises
    ------
    BadOption
        If it was written by a PIDscope with other options.
    """
    try:
        return LensOptions(
            asked=ProfileOptions(**request["asked"]),
            samples=request["samples"],
            training=LensTraining(**request["training"]),
        )
    except (TypeError, KeyError) as error:
        raise BadOption(
            f"this job was written by another version of PIDscope ({error}); start it anew"
        ) from error


def title_of(options: LensOptions) -> str:
    """Return one line that tells a person which job it is."""
    asked = options.asked
    usual, training = LensTraining(), options.training
    details = [
        *benchmark_choice.in_words(asked),
        f"first {options.samples} of the train split",
        None if asked.mask_scope == "all" else f"text mask: {asked.mask_scope}",
        None if asked.answers == "letters" else f"answers: {asked.answers}",
        None if asked.template is None else f"prompt: {asked.asking.name}",
        f"images of {asked.image_size} pixels" if asked.image_size else None,
        f"weights in {asked.quantise}" if asked.quantise else None,
        "spread over devices" if asked.device_map else None,
        None if training.epochs == usual.epochs else f"{training.epochs} epochs",
        None if training.rate == usual.rate else f"rate {training.rate:g}",
        None if training.decay == usual.decay else f"decay {training.decay:g}",
        f"seed {training.seed}" if training.seed else None,
    ]
    return (
        f"tuned lens for {shown_name(asked.model)} on {benchmark_choice.choice_of(asked).title} "
        f"({', '.join(d for d in details if d)})"
    )


def check_names(options: LensOptions) -> None:
    """Refuse what cannot be found, in milliseconds.

    Raises
    ------
    ModelNotFound, BenchmarkError
        If there is no such model or benchmark, or the benchmark is not on this machine.
    """
    requests.check_names(options.asked)


def _as_lens(asked: ProfileOptions) -> ProfileOptions:
    """Two runs that need the same lens ask for it alike."""
    usual = ProfileOptions(model=asked.model, benchmark=asked.benchmark)
    same = {name: getattr(usual, name) for name in OF_RUNS_ONLY}
    return replace(asked, **{**same, "lens": LOGIT})
