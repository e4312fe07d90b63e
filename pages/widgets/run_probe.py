"""What a run does to tell the sources apart: noise and how often, or swaps and with how many."""

from typing import TypedDict

import streamlit as st

from model_runners.swapping import MOST_PARTNERS, PARTNERS, Probe, Within
from pages.widgets import state
from pages.widgets.address import note_unknown

NOISE, SWAPS = "noise", "swapped-pairs"
PROBE_OF: dict[str, Probe] = {NOISE: "gaussian", SWAPS: "swap"}
FROM: dict[str, Within] = {
    "same-subset": "subset",
    "same-options": "candidates",
    "whole-benchmark": "benchmark",
}
DRAWS = 4
MOST_DRAWS = 64


class ProbeOptions(TypedDict, total=False):
    """What of a run's options is chosen here."""

    draws: int
    probe: Probe
    partners: int
    partners_within: Within


def choose_probe(draws_key: str) -> ProbeOptions:
    """Draw the pickers.

    Parameters
    ----------
    draws_key
        Of the field for the draws of noise.
    """
    note_unknown(state.RUN_PROBE, PROBE_OF)
    chosen = st.selectbox(
        "Probe",
        list(PROBE_OF),
        key=state.RUN_PROBE,
        bind="query-params",
        width=160,
        help="Noise hides image or text. Swapped pairs hide nothing: each question is asked about "
        "the images of other samples, too, for the interventional spectrum. That is a run of its "
        "own, shown on Spectra as a second estimator.",
    )
    if chosen != SWAPS:
        return {"draws": choose_draws(draws_key)}
    partners = st.number_input(
        "Partners",
        min_value=1,
        max_value=MOST_PARTNERS,
        value=PARTNERS,
        step=1,
        key=state.RUN_PARTNERS,
        bind="query-params",
        width=140,
        help="Other images that each question is asked about. From 3 on, most of the bias of few "
        "partners is taken out; more later only add to these.",
    )
    note_unknown(state.RUN_PARTNERS_FROM, FROM)
    within = st.selectbox(
        "Partners from",
        list(FROM),
        key=state.RUN_PARTNERS_FROM,
        bind="query-params",
        width=180,
        help="Always of the same split and with as many options. Where the options differ between "
        "questions, a letter means another answer in each; same-options keeps the meaning.",
    )
    return {
        "probe": PROBE_OF[SWAPS],
        "partners": int(partners),
        "partners_within": FROM.get(within or "", "subset"),
    }


def choose_draws(key: str) -> int:
    """Draw the field for the draws of noise."""
    return st.number_input(
        "Draws of noise",
        min_value=1,
        max_value=MOST_DRAWS,
        value=DRAWS,
        step=1,
        key=key,
        persist_state="session",
        width=140,
        help="Per masked condition. From 3 on, the bias of few draws is taken out.",
    )
