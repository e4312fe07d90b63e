"""What a person sees where there is nothing to draw yet, and the command that changes it."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

import streamlit as st

from data_cache.estimates import SpectrumRecord
from data_cache.location import DEFAULT_DIRECTORY, cache_directory
from model_runners.models import runnable
from pages.widgets.sidebar import Selection
from pages.widgets.stored import Stored

DEMO_COMMAND = "python -m model_runners demo load"


def nothing_stored(reading: Stored) -> None:
    """The cache is missing or holds no run."""
    with st.container(border=True):
        st.subheader("Nothing to show yet", anchor=False)
        st.text(nothing_in(reading.cache))
        st.text("Load the demo (real weights, real handwriting, no download), then reload:")
        show_command("demo load", reading.cache)
        st.text("Or measure a model yourself:")
        profile = "profile --model demo/oracle --benchmark digits_vqa --limit 256"
        show_command(profile, reading.cache)
        st.page_link(
            "pages/run.py", label="Or start a run from here", icon=":material/play_circle:"
        )


def nothing_in(cache: Path) -> str:
    """Say what there is of a cache without results, as plain text."""
    what = "holds no run yet" if cache.is_dir() else "is not there yet"
    return f"The cache folder {cache} {what}."


def no_estimates(reading: Stored) -> None:
    """Runs are stored, and no spectrum has been estimated from any of them."""
    run = max(reading.runs, key=lambda row: row.n_samples)
    with st.container(border=True):
        st.subheader("Predictions, but no estimate yet", anchor=False)
        st.text(f"Runs stored: {len(reading.runs)}. Spectra estimated from them: none.")
        st.text("Estimate the largest run, then reload:")
        show_estimate_command(run.model, run.benchmark, reading.cache)


def nothing_selected() -> None:
    """No model is chosen."""
    with st.container(border=True):
        st.subheader("Nothing is selected", anchor=False)
        st.text("Choose at least one model in the sidebar.")


def without_estimate(
    selection: Selection, records: Sequence[SpectrumRecord], *, cache: Path
) -> None:
    """Some of the chosen models have predictions, and no spectrum that fits the pickers."""
    shown = {record.model for record in records}
    missing = [model for model in selection.models if model not in shown]
    if not missing:
        return
    with st.container(border=True):
        st.subheader("No estimate yet", anchor=False)
        st.text(f"{selection.benchmark}: no spectrum of this kind for {', '.join(missing)}.")
        for model in missing[:3]:
            show_estimate_command(model, selection.benchmark, cache)


def no_sensory(benchmarks: Sequence[str], reading: Stored) -> None:
    """The chosen benchmark has no spectra of video and audio; others may have some."""
    with st.container(border=True):
        st.subheader("No spectra of video and audio here", anchor=False)
        if benchmarks:
            st.text(f"There are some of: {', '.join(benchmarks)}. Choose one at the left.")
        st.text("The demo has a small model that watches and listens; measure it, then reload:")
        show_command(
            "profile --model demo/omni --benchmark digits_av --sources video-audio --split test",
            reading.cache,
        )
        st.text("Or a model of yours, on videos of your own or of MUSIC-AVQA:")
        show_command(
            "profile --model FOLDER_OR_HUB_ID --benchmark music_avqa --sources video-audio",
            reading.cache,
        )


def benchmarks_without_estimate(model: str, benchmarks: Sequence[str], *, cache: Path) -> None:
    """Some benchmarks of a model have no spectrum that fits the pickers."""
    if not benchmarks:
        return
    with st.container(border=True):
        st.subheader("No estimate yet", anchor=False)
        st.text(f"{model}: no spectrum of this kind on {', '.join(benchmarks)}.")
        for benchmark in benchmarks[:3]:
            show_estimate_command(model, benchmark, cache)


def nothing_to_compare(models: Sequence[str], benchmark: str, reading: Stored) -> None:
    """Fewer than two models have a spectrum on the benchmark."""
    with st.container(border=True):
        st.subheader("Two models are needed", anchor=False)
        only = f"only {models[0]} has a spectrum" if models else "no model has a spectrum"
        st.text(f"{benchmark}: {only}. Two can be compared.")
        measured = {run.model for run in reading.runs if run.benchmark == benchmark}
        waiting = sorted(measured - set(models))
        for model in waiting[:3]:
            st.text(f"{model} is measured; estimate its spectra, then reload:")
            show_estimate_command(model, benchmark, reading.cache)
        if not waiting:
            other = next((name for name in runnable() if name not in measured), "FOLDER_OR_HUB_ID")
            st.text("Measure another one, then reload:")
            names = f"--model {quote(other)} --benchmark {quote(benchmark)}"
            show_command(f"profile {names}", reading.cache)
        st.page_link(
            "pages/run.py", label="Or start a run from here", icon=":material/play_circle:"
        )


def no_common_subset(*models: str) -> None:
    """Some models have spectra, and none on the same subset."""
    with st.container(border=True):
        st.subheader("No subset in common", anchor=False)
        names = f"{', '.join(models[:-1])} and {models[-1]}"
        st.text(f"{names} have no spectrum of the same subset that fits the pickers.")


def no_adapters(reading: Stored) -> None:
    """No adapter has been trained in this cache."""
    with st.container(border=True):
        st.subheader("No adapter yet", anchor=False)
        st.text("What is trained above is shown here: its spectrum and accuracy before and after.")
        st.text("The same from a terminal:")
        names = "--model demo/fusion-small --benchmark digits_vqa"
        show_command(f"finetune {names} --strategy pid", reading.cache)


def show_command(verb: str, cache: Path) -> None:
    """Show a command of the command line as plain text that can be copied."""
    where = "" if cache == cache_directory(DEFAULT_DIRECTORY) else f" --cache {quote(str(cache))}"
    st.code(f"{_python()} -m model_runners {verb}{where}", language=None, wrap_lines=True)


def show_estimate_command(
    model: str,
    benchmark: str,
    cache: Path,
    *,
    estimator: str | None = None,
    split: str | None = None,
) -> None:
    """Show the command that estimates the spectra of a run, of each subset and pooled."""
    names = f"--model {quote(model)} --benchmark {quote(benchmark)}"
    more = "".join(
        f" --{option} {quote(value)}"
        for option, value in (("estimator", estimator), ("split", split))
        if value is not None
    )
    show_command(f"estimate {names} --by subset{more}", cache)


def _python() -> str:
    """Return how a shell in the project's folder reaches the Python that runs the dashboard."""
    running = Path(sys.executable)
    if shutil.which("python") == str(running):
        return "python"
    here = Path.cwd()
    return quote(str(running.relative_to(here) if running.is_relative_to(here) else running))
