"""How many train samples weigh how much, which score decided it, and a look at some of them."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from data_cache.estimates import SpectrumRecord
from data_cache.queries import StoredSample
from data_cache.records import NUMBERS
from data_cache.sample_filters import Bound, SampleFilters
from pages.figures.gap_histogram import Role, describe, gap_histogram
from pages.figures.scores import Score
from pages.widgets import drawn
from pages.widgets.charts import show_figure
from pages.widgets.drill_down import remember_filtered
from pages.widgets.pictures import show_picture
from pages.widgets.sample_choices import EACH, choice_of
from pages.widgets.stored_adapters import Weights, lifted_samples
from pages.widgets.strategy_words import (
    entry_of,
    rank_of,
    role_table,
    roles_of,
)
from pages.widgets.tables import show_table_frame

SHOWN = 12
PICTURE_PIXELS = 96


def show_roles(
    weights: Weights,
    strategy: str,
    *,
    key: str,
    note: str,
    behind: Sequence[SpectrumRecord],
) -> None:
    """Show the table of roles, the histogram of what decided them, and the first lifted samples.

    Parameters
    ----------
    weights
        Of train samples.
    strategy
        That gave them.
    key
        Beginning of the keys of what is drawn.
    note
        A sentence below the table.
    behind
        Estimates on the train split, one or one per subset, to whose samples a bar leads.
    """
    score, roles = rank_of(strategy), roles_of(strategy)
    counts, chart = st.columns([2, 3])
    with counts:
        show_table_frame(
            role_table(weights.frame, roles), key=f"{key}_roles", alt="Train samples by role."
        )
        drawn.show_caption(note)
    scores = {} if score is None else scores_by_role(weights.frame, score, roles)
    with chart:
        if score is None or not any(scores.values()):
            st.text(f"The strategy {strategy} needs no scores of train samples.")
        else:
            clicks = behind if score.field in NUMBERS else ()
            show_figure(
                gap_histogram(scores, score, roles),
                key=f"{key}_histogram",
                alt=describe(scores, score, roles),
                on_click=partial(_remember_bin, score, clicks) if clicks else None,
            )
            if clicks:
                st.caption("Click a bar to see the train samples whose score lies there.")
    _show_samples(weights, strategy, score)


def scores_by_role(
    frame: pd.DataFrame, score: Score, roles: Sequence[Role]
) -> Mapping[str, Sequence[float]]:
    """Return the scores of each role that are numbers."""
    found: dict[str, Sequence[float]] = {}
    if score.field not in frame:
        return found
    for role in roles:
        values = frame.loc[frame["role"] == role.name, score.field].to_numpy(dtype=float)
        found[role.name] = values[np.isfinite(values)].tolist()
    return found


def _remember_bin(score: Score, behind: Sequence[SpectrumRecord], key: str) -> None:
    """Note which scores the bar that was clicked stands for."""
    for point in st.session_state[key]["selection"]["points"]:
        if point.get("customdata"):
            low, high = map(float, point["customdata"])
            bound = Bound(field=score.field, low=low, high=high)
            subset = choice_of(behind[0].subset) if len(behind) == 1 else EACH
            remember_filtered(behind[0], SampleFilters(bounds=(bound,)), subset=subset)
            return


def _show_samples(weights: Weights, strategy: str, score: Score | None) -> None:
    lifted = lifted_samples(weights.frame, None if score is None else score.field)
    if lifted.empty:
        return
    lifts = entry_of(strategy).lifts or "samples"
    scored = score is not None and bool(np.isfinite(lifted[score.field]).any())
    title = f"The first {lifts}"
    if scored and score is not None:
        title += f" by {score.label}"
    with st.expander(title, icon=":material/image_search:"):
        if not weights.shown:
            st.text("The text and images of these samples are not in this cache.")
            st.text("\n".join(lifted["sample_id"].head(SHOWN)))
            return
        values = (
            dict(zip(lifted["sample_id"], lifted[score.field], strict=True))
            if scored and score is not None
            else {}
        )
        with st.grid(min_column_width=150, gap="xsmall"):
            for sample in weights.shown:
                value = values.get(sample.sample_id)
                unit = "" if score is None else score.unit
                words = "" if value is None else f"{value:.3f} {unit}".rstrip()
                _show_sample(sample, words)


def _show_sample(sample: StoredSample, value: str) -> None:
    with st.container(border=True, gap="xsmall"):
        thumbnail = sample.thumbnails[0] if sample.thumbnails else None
        show_picture(thumbnail, side=PICTURE_PIXELS, alt=f"Image of {sample.sample_id}")
        st.text(sample.question)
        st.text(", ".join(filter(None, (sample.subset, f"{sample.split} split", value))))
