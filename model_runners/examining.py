"""What is found out of a model before it is used: whether it loads, what family, which checks hold.

A refusal is an answer here, not an error: whoever brings a model wants to see the property that
fails, and the family file to begin with where one is needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from data_cache.benchmarks import load_benchmark
from model_runners import hub, skeleton
from model_runners.errors import BadOption, SelfTestFailed, UnsupportedModel
from model_runners.families import Family
from model_runners.hub import UNWATCHED, Watch
from model_runners.loading import DTYPES, DType, LoadedModel, load
from model_runners.models import resolve_model
from model_runners.selftest import examine, self_test
from model_runners.unwatched import ignore

BENCHMARK = "digits_vqa"
"""Ships with PIDscope, so a model can be examined before any benchmark is there."""
SAMPLES = 8
"""The first samples of a benchmark, of which a pair is taken."""


@dataclass(frozen=True, kw_only=True)
class ExamineOptions:
    """Which model is examined, and how it is loaded."""

    kind: ClassVar[str] = "selftest"
    """The kind of job that does it."""

    model: str
    device: str = "auto"
    dtype: DType = "auto"
    """A leak hides most easily in half precision: float32 shows the most."""
    trust_remote_code: bool = False
    """Whether code that comes with this model may be run."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense before a model is loaded."""
        if self.dtype not in DTYPES:
            raise BadOption(f"dtype must be one of {', '.join(DTYPES)}, not {self.dtype!r}")


def examine_model(
    options: ExamineOptions,
    *,
    stage: Callable[[str], None] = ignore,
    watch: Watch = UNWATCHED,
) -> dict[str, Any]:
    """Load a model and run every check on it.

    Parameters
    ----------
    options
        Which model.
    stage
        Told what begins.
    watch
        Of a download.

    Returns
    -------
    dict[str, Any]
        JSON values: `model`, `family`, `model_type`, `is_written`, `refusal` (a sentence, or None
        where it can be used), `self_test` (the report, empty where it was not reached),
        `skeleton` (text of a family file) and `table_line`.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    Cancelled
        If the watch stopped the download.
    """
    stage("loading the model")
    try:
        loaded = load(
            options.model,
            device=options.device,
            dtype=options.dtype,
            trust_remote_code=options.trust_remote_code,
            watch=watch,
        )
    except UnsupportedModel as error:
        return _refused(options, str(error))
    stage("testing the masking")
    samples = load_benchmark(BENCHMARK).samples[:SAMPLES]
    report: dict[str, Any] = {}
    refusal = None
    try:
        report = examine(loaded, samples).to_dict()
        if not report["passed"]:
            refusal = _first_failure(report)
        else:
            self_test(loaded, samples)  # and that a prompt without its image is taken
    except (SelfTestFailed, UnsupportedModel) as error:
        refusal = str(error)
    return _answer(loaded, report, refusal)


def _first_failure(report: dict[str, Any]) -> str:
    failed = [check for check in report["checks"] if not check["passed"]]
    return "; ".join(str(check["meaning"]) for check in failed)


def _answer(loaded: LoadedModel, report: dict[str, Any], refusal: str | None) -> dict[str, Any]:
    notes = skeleton.notes_of(report.get("checks", ()), refusal if not report else None)
    return {
        "model": loaded.name,
        **_of_family(loaded.family, notes),
        "is_written": loaded.family.is_written,
        "layers": len(loaded.stack.layers),
        "parameters": sum(weight.numel() for weight in loaded.model.parameters()),
        "refusal": refusal,
        "self_test": report,
    }


def _refused(options: ExamineOptions, refusal: str) -> dict[str, Any]:
    """Answer for a model that cannot be loaded or recognised; its parts are named if it has any."""
    source = resolve_model(options.model)
    try:
        folder = Path(source.location) if source.is_local else hub.find(source.location).folder
        family, notes = skeleton.family_of_files(folder)
    except (UnsupportedModel, OSError, ValueError):
        family, notes = Family(name=source.name, model_type="?"), []
    return {
        "model": source.name,
        **_of_family(family, [refusal, *notes]),
        "is_written": False,
        "layers": None,
        "parameters": None,
        "refusal": refusal,
        "self_test": {},
    }


def _of_family(family: Family, notes: Sequence[str]) -> dict[str, Any]:
    return {
        "family": family.name,
        "model_type": family.model_type,
        "skeleton": skeleton.skeleton(family, notes=notes),
        "table_line": skeleton.table_line(family.model_type),
    }
