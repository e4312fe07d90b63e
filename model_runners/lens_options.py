"""What can be chosen about a tuned lens, and which runs it fits."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from data_cache.lenses import LensRecord, lenses
from data_cache.location import command
from model_runners.again import loading_flags, style_of
from model_runners.benchmark_choice import arguments_of, asked_again
from model_runners.errors import BadOption
from model_runners.lens_training import LensTraining
from model_runners.statistics import STATISTICS_SAMPLES

if TYPE_CHECKING:
    from model_runners.profile import ProfileOptions

RECIPE_VERSION = 1
"""Raise it when the same recipe and settings would give another lens."""
LOGIT = "logit"
"""Every layer is read as if it were the last one."""
TUNED = "tuned"
"""The newest lens that fits; the beginning of a key asks for a certain one."""
READS = (
    "weights", "adapter", "dtype", "quantisation", "benchmark_key", "template", "image_size",
    "mask_scope", "probe", "noise", "split_policy", "circular", "frames", "template_text",
)  # fmt: skip
"""What of a run's configuration decides the states that a lens is trained on. The seed of a run's
noise does not: a lens reads states of any draw. Nor does which answers are scored: all words are
its target."""

_KEY = re.compile(r"[0-9a-f]{4,16}")


def check_lens(lens: str) -> None:
    """Refuse what is no lens.

    Raises
    ------
    BadOption
        If it is neither a word nor the beginning of a key.
    """
    if lens not in {LOGIT, TUNED} and not _KEY.fullmatch(lens):
        raise BadOption(
            f"the lens must be logit, tuned or the key of a tuned lens (`list lenses`), "
            f"not {lens[:80]!r}"
        )


@dataclass(frozen=True, kw_only=True)
class LensOptions:
    """What a person can choose about a lens."""

    kind: ClassVar[str] = "lens"
    """The kind of job that trains it."""

    asked: "ProfileOptions"
    """The run that it is for: model, benchmark, how the questions are put and masked. Its samples,
    draws and layers count for nothing."""
    samples: int = STATISTICS_SAMPLES
    """Of the train split, the first so many of the fixed order; a state per condition of each."""
    training: LensTraining = field(default_factory=LensTraining)

    def __post_init__(self) -> None:
        """Refuse what makes no sense before a model is loaded."""
        if self.samples < 2:
            raise BadOption(f"a lens is trained on 2 samples or more, not {self.samples}")

    def settings(self) -> dict[str, Any]:
        """Return what the maps depend on beside the recipe; JSON values."""
        return {"samples": self.samples, "noise_seed": self.asked.seed, **asdict(self.training)}


def recipe_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a run's configuration a lens must agree on."""
    return {"version": RECIPE_VERSION} | {name: config[name] for name in READS if name in config}


def choose_lens(
    cache: Path, wanted: str, options: "ProfileOptions", config: Mapping[str, Any]
) -> LensRecord:
    """Return the stored lens that a run asks for.

    Parameters
    ----------
    cache
        The cache folder.
    wanted
        `tuned`, or the beginning of a key.
    options
        Of the run, to say how a lens is had.
    config
        Of the run.

    Raises
    ------
    BadOption
        If there is none that was trained on such states; the message says how to train one.
    """
    recipe = recipe_of(config)
    fitting = [one for one in lenses(cache) if one.recipe == recipe]
    found = [one for one in fitting if wanted == TUNED or one.key.startswith(wanted)]
    if not found:
        which = "no tuned lens" if wanted == TUNED else f"no tuned lens {wanted!r}"
        there = f"; it has {', '.join(one.key for one in fitting)}" if fitting else ""
        asked = arguments_of(options.benchmark, {"asked": asked_again(options)})
        raise BadOption(
            f"the cache has {which} for {options.model!r} on {options.benchmark!r} as this run "
            f"asks and masks its questions{there}; "
            f"train one with {command(lens_verb(options.model, config, asked), cache)}"
        )
    return found[0]


def lens_verb(model: str, config: Mapping[str, Any], asked: str) -> str:
    """Return the command that trains the lens of a run: verb and arguments.

    Parameters
    ----------
    model
        As `--model` takes it.
    config
        Of the run.
    asked
        The arguments that name its benchmark, see `benchmark_choice.arguments_of`.
    """
    style = style_of(config)
    given = {
        "mask_scope": None if config.get("mask_scope") == "all" else config.get("mask_scope"),
        "answers": None if style == "letters" else style,
        "image_size": config.get("image_size"),
        "template": config.get("template_text"),
        "dtype": None if config.get("dtype") == "float32" else config.get("dtype"),
    }
    flags = "".join(
        f" --{name.replace('_', '-')} {shlex.quote(str(value))}"
        for name, value in given.items()
        if value is not None
    )
    return f"lens --model {shlex.quote(model)} {asked}{flags}{loading_flags(config, {})}"
