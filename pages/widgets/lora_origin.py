"""The LoRA-PID button: from samples that lack fusion to the page that trains an adapter on such."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from data_cache import jobs
from data_cache.benchmarks import BENCHMARKS, FORMATS
from data_cache.queries import RunRow
from data_cache.sample_detail import SampleDetail
from model_runners.benchmark_choice import FRAMES, MAX_BAD_SHARE, asked_in, choice_of
from model_runners.finetuning.options import FinetuneOptions
from model_runners.models import MODELS
from pages.figures.rows import POOLED
from pages.widgets import state
from pages.widgets.address import say
from pages.widgets.benchmark_choices import (
    ALLOWED,
    FILES,
    FRAMES_OF,
    ORDER,
    OTHER_FILE,
    PLACE,
    POLICY,
    VARIANT,
)
from pages.widgets.read_benchmarks import read_benchmark
from pages.widgets.run_choices import EVERY_SUBSET, OTHER
from pages.widgets.sidebar import Selection
from pages.widgets.stored import Stored
from pages.widgets.stored_adapters import read_adapters
from pages.widgets.wishes import clicked

LORA_PAGE = "pages/lora.py"
STRATEGY, OF_TAG = "pid", "tag"
"""The strategy that the form is filled with, and that of a tag."""
OTHER_CONTENT = (
    "The benchmark as it is read here is not the one that the samples you come from belong to: its "
    "files, or how train and test are divided, are others. A sample of the test split there may be "
    "trained on here; choose place and split as the run had them."
)
FIELDS: dict[str, tuple[str, Any]] = {
    "data": (PLACE, ""),
    "split_policy": (POLICY, "group"),
    "circular": (ORDER, "all"),
    "frames": (FRAMES_OF, FRAMES),
}
"""What a run may say of its benchmark: the end of the field's key, and what it is where it does not
say so."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What somebody looked at when the button was clicked."""

    model: str
    """As the LoRA-PID page names it."""
    benchmark: str
    subset: str | None = None
    sample_id: str | None = None
    split: str | None = None
    gap_score: float | None = None
    tag: str | None = None
    """The tag that the list was filtered by, if it was one."""
    asked: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """How the run asked for its benchmark: where it lies, how it is divided; empty if unknown."""
    benchmark_key: str | None = None
    """The content of the benchmark that was looked at."""


def show_button(
    reading: Stored,
    selection: Selection,
    *,
    subset: str | None = None,
    tag: str | None = None,
    detail: SampleDetail | None = None,
) -> None:
    """Draw the button of a list of samples, or of an opened one.

    Parameters
    ----------
    reading, selection
        Where, and which model on which benchmark.
    subset
        The subset that is listed, if it is one.
    tag
        The tag that the list is filtered by, if it is one.
    detail
        The sample that is opened.
    """
    model, benchmark = selection.models[0], selection.benchmark
    run = run_of(reading, model, benchmark, None if detail is None else detail.record.run_key)
    asked = asked_in(run.environment, benchmark) if run is not None else {}
    refusal = refusal_of(reading, model, benchmark, asked)
    origin = Origin(
        model=source_of(reading, model),
        benchmark=benchmark,
        subset=None if subset == POOLED or tag is not None else subset,
        tag=tag,
        asked=asked,
        benchmark_key=None if run is None else run.benchmark_key,
    )
    if detail is not None:
        origin = replace(
            origin,
            subset=detail.sample.subset,
            tag=None,
            sample_id=detail.sample.sample_id,
            split=detail.sample.split,
            gap_score=detail.numbers["gap_score"],
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        if clicked(
            "LoRA-PID",
            key="lora_pid",
            first=partial(_choose, origin),
            icon=":material/model_training:",
            disabled=refusal is not None,
        ):
            st.switch_page(LORA_PAGE, query_params={})
        st.text(refusal or offer_of(origin))


def show_origin(options: FinetuneOptions) -> None:
    """Say which sample led here, and that a test sample is never trained on."""
    origin: Origin | None = st.session_state.get(state.LORA_FROM)
    if origin is None or origin.model != options.model:
        return
    if origin.asked.get("benchmark", origin.benchmark) != options.benchmark:
        return
    if origin.sample_id is not None:
        say(sentence_of(origin))
    key = origin.benchmark_key
    if key is not None and read_benchmark(choice_of(options)).key != key:
        say(OTHER_CONTENT)


def offer_of(origin: Origin) -> str:
    """Say what the button leads to, as plain text."""
    if origin.tag is not None:
        return f"Train an adapter in which the train samples tagged “{origin.tag}” weigh more."
    where = f"of {origin.subset} " if origin.subset else ""
    offer = f"Train an adapter on train samples {where}that lack fusion"
    return f"{offer}; never on this one." if origin.split == "test" else f"{offer}."


def sentence_of(origin: Origin) -> str:
    """Return what is to be known about the sample that led here, as plain text."""
    score = "undefined" if origin.gap_score is None else f"{origin.gap_score + 0.0:.3f} bits"
    start = (
        f"From sample {origin.sample_id} ({origin.split} split, subset {origin.subset}): "
        f"GapScore {score}."
    )
    if origin.split == "test":
        return (
            f"{start} This very sample is never trained on: the training takes samples of the "
            "train split only, of the same subset, and gives those that lack fusion more weight."
        )
    return (
        f"{start} It belongs to the train split and may be one of those that are trained on; what "
        "is shown before and after is of the test split alone."
    )


def run_of(
    reading: Stored, model: str, benchmark: str, run_key: str | None = None
) -> RunRow | None:
    """Return the run that was looked at, else the newest of the model on the benchmark."""
    fitting = [
        run
        for run in reading.runs
        if (run.model, run.benchmark) == (model, benchmark) and run_key in (None, run.run_key)
    ]
    return max(fitting, key=lambda run: run.ingested_at, default=None)


def refusal_of(reading: Stored, model: str, benchmark: str, asked: Mapping[str, Any]) -> str | None:
    """Say why no adapter can be trained from here; None where one can."""
    if any(one.name == model for one in read_adapters(reading)):
        return "This model has an adapter already; choose the model that it was trained from."
    name = str(asked.get("benchmark", benchmark))
    if not is_file(name) and name.partition(":")[0] not in BENCHMARKS:
        return "This benchmark is not among those that PIDscope can read here."
    return None


def source_of(reading: Stored, model: str) -> str:
    """Return what the LoRA-PID page has to be given for a model: its name, folder or hub id.

    The results of a model in a folder carry the folder's last name; the job that measured it knows
    the rest. Empty where nobody knows.
    """
    if model in MODELS:
        return model
    for job in jobs.jobs(reading.cache):
        if job.result.get("model") == model and isinstance(job.request.get("model"), str):
            return job.request["model"]
    return model if "/" in model and not model.startswith("demo/") else ""


def _choose(origin: Origin) -> None:
    """Fill the form; a callback, so that it comes before the pickers."""
    known = origin.model in MODELS
    st.session_state[state.LORA_MODEL] = origin.model if known else OTHER
    if not known:
        st.session_state[state.LORA_OTHER_MODEL] = origin.model
    _choose_benchmark(origin)
    st.session_state[state.LORA_SUBSET] = origin.subset or EVERY_SUBSET
    st.session_state[state.LORA_STRATEGY] = STRATEGY if origin.tag is None else OF_TAG
    if origin.tag is not None:
        st.session_state[state.LORA_TAG] = origin.tag
    st.session_state[state.LORA_FROM] = origin


def is_file(name: str) -> bool:
    """Whether a benchmark is named by the path of a file.

    >>> is_file("/data/mine.TSV"), is_file("pope:popular")
    (True, False)
    """
    return Path(name).suffix.lower() in FORMATS


def _choose_benchmark(origin: Origin) -> None:
    """Fill the fields of the benchmark as the run had them: the same samples in the same split."""
    name = str(origin.asked.get("benchmark", origin.benchmark))
    own = is_file(name)
    base, _, variant = name.partition(":")
    st.session_state[state.LORA_BENCHMARK] = OTHER_FILE if own else base
    if own:
        st.session_state[state.LORA_BENCHMARK + FILES] = name
    elif variant:
        st.session_state[f"{state.LORA_BENCHMARK}{VARIANT}_{base}"] = variant
    for asked, (end, usual) in FIELDS.items():
        key = state.LORA_BENCHMARK + (f"{end}_{base}" if end == PLACE else end)
        st.session_state[key] = origin.asked.get(asked, usual)
    bad = origin.asked.get("max_bad_rows", MAX_BAD_SHARE)
    st.session_state[state.LORA_BENCHMARK + ALLOWED] = 100 * float(bad)
