"""Which train samples an adapter learned more from, and which less."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from data_cache.adapters import AdapterRecord
from data_cache.estimates import SpectrumRecord
from data_cache.plan import OUTPUT_LAYER
from data_cache.queries import StoredSample
from data_cache.sample_filters import Bound, SampleFilters
from pages.figures.gap_histogram import ROLES, describe, gap_histogram
from pages.figures.rows import POOLED
from pages.figures.scores import SCORES, Score
from pages.widgets.charts import show_figure
from pages.widgets.drill_down import remember_filtered
from pages.widgets.pictures import show_picture
from pages.widgets.sample_choices import EACH, choice_of
from pages.widgets.spectrum_choices import newest_of_each
from pages.widgets.stored import Stored
from pages.widgets.stored_adapters import Weights, gap_samples, read_weights
from pages.widgets.tables import show_table_frame

SHOWN = 12
PICTURE_PIXELS = 96
SORTED_BY = {"fp": "fusion_potential"}
"""The score that a strategy takes gap samples by, where it is not the GapScore."""


def show_weights(adapter: AdapterRecord, reading: Stored) -> None:
    """Show how many samples had which role and weight, and the first of the gap samples."""
    st.subheader("What it learned from", anchor=False)
    score = score_of(adapter)
    weights = read_weights(reading, adapter, score.field, shown=SHOWN)
    if weights is None:
        st.text("The train samples have not been weighed yet.")
        return
    counts, chart = st.columns([2, 3])
    with counts:
        show_table_frame(roles(weights.frame), key="role_table", alt="Train samples by role.")
        st.caption(f"Mean weight {adapter.mean_weight:.3f}. All of them are of the train split.")
    scores = scores_by_role(weights.frame, score)
    with chart:
        if any(scores.values()):
            behind = train_estimates(adapter, reading.spectra)
            show_figure(
                gap_histogram(scores, score),
                key="gap_histogram",
                alt=describe(scores, score),
                on_click=partial(_remember_bin, score, behind) if behind else None,
            )
            if behind:
                st.caption("Click a bar to see the train samples whose score lies there.")
        else:
            st.text(f"The strategy {adapter.strategy} needs no scores of train samples.")
    _show_samples(weights, score)


def train_estimates(
    adapter: AdapterRecord, spectra: Iterable[SpectrumRecord]
) -> tuple[SpectrumRecord, ...]:
    """Return the base's newest estimates on the train split of what the adapter was trained on.

    One where that is a subset, or where there are no subsets.
    """
    newest = newest_of_each(
        one
        for one in spectra
        if (one.model, one.benchmark, one.split) == (adapter.base, adapter.benchmark, "train")
        and one.layer == OUTPUT_LAYER
        and one.estimator == "certified"
    )
    wanted = adapter.options.get("subset")
    if wanted is not None:
        return tuple(one for one in newest if one.subset == wanted)
    return tuple(one for one in newest if one.subset != POOLED) or tuple(newest)


def _remember_bin(
    score: Score,
    behind: Sequence[SpectrumRecord],
    key: str,
) -> None:
    """Note which scores the bar that was clicked stands for."""
    for point in st.session_state[key]["selection"]["points"]:
        if point.get("customdata"):
            low, high = map(float, point["customdata"])
            bound = Bound(field=score.field, low=low, high=high)
            subset = choice_of(behind[0].subset) if len(behind) == 1 else EACH
            remember_filtered(behind[0], SampleFilters(bounds=(bound,)), subset=subset)
            return


def score_of(adapter: AdapterRecord) -> Score:
    """Return the score that the adapter's strategy takes gap samples by."""
    field = SORTED_BY.get(adapter.strategy, "gap_score")
    return next(score for score in SCORES if score.field == field)


def roles(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row per role: how many samples, and their weight."""
    rows = []
    for role in ROLES:
        here = frame[frame["role"] == role.name]
        weights = sorted({float(weight) for weight in here["weight"]})
        rows.append(
            {
                "Role": role.label,
                "Train samples": f"{len(here):,}",
                "Weight": ", ".join(f"{weight:g}" for weight in weights),
            }
        )
    return pd.DataFrame(rows)


def scores_by_role(frame: pd.DataFrame, score: Score) -> Mapping[str, Sequence[float]]:
    """Return the scores of each role that are numbers."""
    found: dict[str, Sequence[float]] = {}
    for role in ROLES:
        values = frame.loc[frame["role"] == role.name, score.field].to_numpy(dtype=float)
        found[role.name] = values[np.isfinite(values)].tolist()
    return found


def _show_samples(weights: Weights, score: Score) -> None:
    gap = gap_samples(weights.frame, score.field)
    if gap.empty:
        return
    scored = bool(np.isfinite(gap[score.field]).any())
    title = f"The first gap samples by {score.label}" if scored else "The first samples of the tag"
    with st.expander(title, icon=":material/image_search:"):
        if not weights.shown:
            st.text("The text and images of these samples are not in this cache.")
            st.text("\n".join(gap["sample_id"].head(SHOWN)))
            return
        values = dict(zip(gap["sample_id"], gap[score.field], strict=True))
        with st.grid(min_column_width=150, gap="xsmall"):
            for sample in weights.shown:
                value = f"{values[sample.sample_id]:.3f} {score.unit}".rstrip() if scored else ""
                _show_sample(sample, value)


def _show_sample(sample: StoredSample, value: str) -> None:
    with st.container(border=True, gap="xsmall"):
        thumbnail = sample.thumbnails[0] if sample.thumbnails else None
        show_picture(thumbnail, side=PICTURE_PIXELS, alt=f"Image of {sample.sample_id}")
        st.text(sample.question)
        st.text(", ".join(filter(None, (sample.subset, f"{sample.split} split", value))))
