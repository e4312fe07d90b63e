"""How far the trajectories can be trusted: the gap, and the layers that say nothing."""

from collections.abc import Sequence

import streamlit as st

from pages.figures.exactness import within
from pages.figures.layer_trajectories import OFTEN, Trajectory, fell_back
from pages.widgets.evidence import GAP_ABOVE


def show_notes_on(trajectories: Sequence[Trajectory]) -> None:
    """Show how exact the numbers are, and which layers hardly name an option."""
    gap = max(
        (record.gap_bits for one in trajectories for record in (*one.layers, one.output)),
        default=0.0,
    )
    exact = gap <= GAP_ABOVE
    st.badge(
        within(max(gap, 1e-4)),
        icon=":material/verified:" if exact else ":material/warning:",
        color="green" if exact else "orange",
        help="The largest distance between the certified lower and upper bound, over all layers.",
    )
    sentences = [
        f"{one.model}: {layers_in_words(layers)}"
        for one in trajectories
        if (layers := fell_back(one))
    ]
    if sentences:
        with st.container(border=True):
            st.text(
                f"In these layers more than {OFTEN:.0%} of the samples put too little mass on the "
                "options and counted as uniform. Atoms near zero there say that the lens reads no "
                "answer, not that there is no information."
            )
            st.text("\n".join(f"• {sentence}" for sentence in sentences))


def layers_in_words(layers: Sequence[int]) -> str:
    """Join layers to runs of neighbours.

    >>> layers_in_words([0, 1, 2, 5])
    'layers 0-2, 5'
    """
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    words = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
    return f"layer{'s' if len(layers) > 1 else ''} {words}"
