"""The LoRA-PID button: from samples that lack fusion to the page that trains an adapter on such."""

from dataclasses import dataclass
from functools import partial

import streamlit as st

from data_cache import jobs
from data_cache.benchmarks import BENCHMARKS
from data_cache.sample_detail import SampleDetail
from model_runners.finetuning.options import FinetuneOptions
from model_runners.models import MODELS
from pages.figures.rows import POOLED
from pages.widgets import state
from pages.widgets.address import say
from pages.widgets.benchmark_choices import VARIANT
from pages.widgets.run_choices import EVERY_SUBSET, OTHER
from pages.widgets.sidebar import Selection
from pages.widgets.stored import Stored
from pages.widgets.stored_adapters import read_adapters
from pages.widgets.wishes import clicked

LORA_PAGE = "pages/lora.py"
STRATEGY, OF_TAG = "pid", "tag"
"""The strategy that the form is filled with, and that of a tag."""


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
    refusal = refusal_of(reading, model, benchmark)
    origin = Origin(
        model=source_of(reading, model),
        benchmark=benchmark,
        subset=None if subset == POOLED or tag is not None else subset,
        tag=tag,
    )
    if detail is not None:
        origin = Origin(
            model=origin.model,
            benchmark=benchmark,
            subset=detail.sample.subset,
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
    if origin is None or origin.sample_id is None:
        return
    if (origin.model, origin.benchmark) == (options.model, options.benchmark):
        say(sentence_of(origin))


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


def refusal_of(reading: Stored, model: str, benchmark: str) -> str | None:
    """Say why no adapter can be trained from here; None where one can."""
    if any(one.name == model for one in read_adapters(reading)):
        return "This model has an adapter already; choose the model that it was trained from."
    if benchmark.partition(":")[0] not in BENCHMARKS:
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
    base, _, variant = origin.benchmark.partition(":")
    st.session_state[state.LORA_BENCHMARK] = base
    if variant:
        st.session_state[f"{state.LORA_BENCHMARK}{VARIANT}_{base}"] = variant
    st.session_state[state.LORA_SUBSET] = origin.subset or EVERY_SUBSET
    st.session_state[state.LORA_STRATEGY] = STRATEGY if origin.tag is None else OF_TAG
    if origin.tag is not None:
        st.session_state[state.LORA_TAG] = origin.tag
    st.session_state[state.LORA_FROM] = origin
