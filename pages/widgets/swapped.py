"""What swapped pairs say beside the noise: how they settle, and what the dataset's pairing adds."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from data_cache.estimates import SpectrumRecord
from pages.figures import pairing_dots, partner_lines
from pages.figures.estimator_differences import EstimatorPair
from pages.figures.palette import ATOMS
from pages.figures.rows import row_names
from pages.widgets import drawn, state
from pages.widgets.address import note_unknown
from pages.widgets.charts import show_figure
from pages.widgets.tables import show_table_frame

BITS = st.column_config.NumberColumn(format="%.3f")


def show_swapped(pairs: Sequence[EstimatorPair]) -> None:
    """Show what only swapped pairs have, below the bars of both probes.

    Parameters
    ----------
    pairs
        Of each row the spectrum with noise and that of swapped pairs.
    """
    if not pairs:
        return
    records = [pair.second for pair in pairs]
    st.subheader("Swapped pairs", anchor=False)
    drawn.show_caption(
        "Each question was also asked about the images of other samples. Image and text are then "
        "independent by design: both margins belong to one distribution, nothing has to be "
        "repaired, and no atom can be negative but for its certified gap and the correction for "
        "few partners. What noise calls redundancy may lie in the dataset: where image and text "
        "always agree, swapping breaks their agreement, and what is left is what the model does."
    )
    left, right = st.columns(2)
    with left:
        st.text("What the dataset's pairing adds")
        show_figure(
            pairing_dots.pairing_dots(records),
            key="pairing_dots",
            alt=pairing_dots.describe(records),
            data=partial(table, pairs),
        )
        drawn.show_caption(
            "Total information with a question's own image minus that with the images of others, "
            "with 95 % intervals from resampled images and questions. It is not 0 where a model is "
            "surer, or answers otherwise, when image and question belong together."
        )
    with right:
        record = _choose(records)
        show_figure(
            partner_lines.partner_lines(record),
            key="partner_lines",
            alt=partner_lines.describe(record),
        )
        drawn.show_caption(
            "An average over few partners looks surer than it is, and the atoms of a few rounds "
            "show redundancy that is not there. Leaving out one round at a time takes most of that "
            "away (jackknife). Whiskers are 95 % intervals."
        )
    show_table_frame(
        table(pairs),
        key="swapped_pairs",
        alt="One row per spectrum of swapped pairs: its atoms, those with noise, and the pairing.",
        column_config={name: BITS for name in table(pairs).columns if name.endswith("(bits)")},
    )


def _choose(records: Sequence[SpectrumRecord]) -> SpectrumRecord:
    names = {name: key for key, name in row_names(records).items()}
    note_unknown(state.SETTLING, list(names))
    chosen = st.selectbox(
        "How many partners are enough",
        list(names),
        key=state.SETTLING,
        bind="query-params",
    )
    by_key = {record.estimate_key: record for record in records}
    return by_key.get(names.get(chosen or "", ""), records[0])


def table(pairs: Sequence[EstimatorPair]) -> pd.DataFrame:
    """Return one row per pair of spectra."""
    names = row_names([pair.second for pair in pairs])
    return pd.DataFrame(
        [
            {
                "Row": names[pair.second.estimate_key],
                "Samples": pair.second.n,
                "Partners": pair.second.settings.get("draws"),
                **{
                    f"{atom.label}, swapped (bits)": getattr(pair.second, atom.field)
                    for atom in ATOMS
                },
                **{
                    f"{atom.label}, noise (bits)": getattr(pair.first, atom.field) for atom in ATOMS
                },
                "Total, swapped (bits)": pair.second.total,
                "Total, own image (bits)": pair.second.diagnostics.get("observed_total"),
                "Dataset's pairing (bits)": pairing_dots.pairing_of(pair.second),
            }
            for pair in pairs
        ]
    )
