"""Through which lens the layers of a run are read: the picker, and the button that trains one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from data_cache.lenses import LensRecord, lenses
from data_cache.location import cache_directory
from model_runners.lens_options import LOGIT, TUNED, LensOptions
from model_runners.models import shown_name
from model_runners.profile import ProfileOptions
from pages.widgets import state
from pages.widgets.job_offer import offer_job

EVERY_LAYER = "every layer"


def choose_lens(options: ProfileOptions, place: DeltaGenerator) -> str | None:
    """Draw the picker, and where no lens fits the button that trains one.

    Returns the lens, or None where one has to be trained first.

    Parameters
    ----------
    options
        What else is chosen.
    place
        Where the picker goes.
    """
    cache = cache_directory(None)
    found = fitting(lenses(cache), options)
    offered = [LOGIT, TUNED, *(one.key for one in found[1:])]
    if st.session_state.get(state.RUN_LENS) in {one.key for one in found[:1]}:
        st.session_state[state.RUN_LENS] = TUNED  # the newest one
    elif st.session_state.get(state.RUN_LENS) not in (None, *offered):
        st.session_state[state.RUN_LENS] = LOGIT  # it is of another model
    chosen = place.selectbox(
        "Lens",
        offered,
        format_func=lambda lens: _words(lens, found),
        key=state.RUN_LENS,
        persist_state="session",
        width=260,
        help="How layers are read: as if each were the last one (logit lens), or through a map "
        "that was trained so that it reads what the model says at its end (tuned lens). Another "
        "lens is another run.",
    )
    if chosen == TUNED and not found:
        _offer(options, cache)
        return None
    return chosen or LOGIT


def fitting(stored: Sequence[LensRecord], options: ProfileOptions) -> list[LensRecord]:
    """Return the lenses that look as if they fitted, the newest first.

    Whether one does, the run itself finds out: only the loaded model says what its weights are.

    Parameters
    ----------
    stored
        The lenses of the cache.
    options
        Of the run.
    """
    model, benchmark = shown_name(options.model), options.benchmark
    return [
        one
        for one in stored
        if one.model == model
        and one.benchmark == benchmark
        and one.recipe.get("mask_scope", options.mask_scope) == options.mask_scope
        and one.recipe.get("image_size") == options.image_size
    ]


def _offer(options: ProfileOptions, cache: Path) -> None:
    with st.container(border=True, gap="small"):
        st.text(
            f"There is no tuned lens for {shown_name(options.model)} on {options.benchmark}, asked "
            "and masked like this, yet. It is trained on the train split; then the run can be "
            "started."
        )
        offer_job(
            LensOptions(asked=replace(options, lens=LOGIT)),
            "Train a tuned lens",
            key="train_lens",
            icon="lens_blur",
            cache=cache,
            on_run=True,
        )


def _words(lens: str, found: Sequence[LensRecord]) -> str:
    if lens == LOGIT:
        return "logit lens"
    record = found[0] if lens == TUNED and found else None
    record = next((one for one in found if one.key == lens), record)
    if record is None:
        return "tuned lens (none yet)"
    said = f"{record.key[:6]}, {record.created[:10]}"
    return f"tuned lens, the newest ({said})" if lens == TUNED else f"tuned lens {said}"
