"""Which of the samples that models see differently are listed, and in which order: the pickers."""

from collections.abc import Mapping

import streamlit as st

from data_cache.common_samples import CARRIERS
from data_cache.disagreement import ALL, ANY, Differing, kinds
from pages.figures.carrier_matrix import LABELS
from pages.figures.palette import ATOMS
from pages.widgets import state
from pages.widgets.address import note_unknown
from pages.widgets.drill_down import estimate_of
from pages.widgets.pair_choices import LETTERS, Together

ORDERS = {
    "GapScore, largest difference": "gap_score",
    "All atoms, largest difference": "atoms",
    **{f"{atom.label}, largest difference": atom.field for atom in ATOMS},
    "Answer probabilities, largest difference": "answer",
    "Benchmark order": "position",
}
"""Each order by its words."""
DISTANCE_WORDS = {
    "gap_score": "GapScores differ by {:.2f} bits",
    "atoms": "atoms differ by {:.2f} bits, added over all four",
    **{atom.field: f"{atom.label.lower()} differs by {{:.2f}} bits" for atom in ATOMS},
    "answer": "{:.0%} of the probability is on other options",
}
"""How far a sample's models are apart, by what the list is sorted by."""
ORDER_HELP = (
    "GapScore or one atom: the largest minus the smallest value of the models, in bits. All atoms: "
    "these differences added over the four atoms, in bits. Answer probabilities: the share of the "
    "full prompt's probability that the models do not give to the same options (for two models "
    "the total variation distance)."
)
ANY_ATOM, OTHER_ATOM = "anything", "another atom"


def kind_labels(count: int) -> dict[str, str]:
    """Return the kinds of samples of so many models by their words.

    >>> list(kind_labels(2))[:3]
    ['any disagreement', 'only A right', 'only B right']
    """
    labels: dict[str, str] = {}
    for kind in kinds(count):
        if kind == ANY:
            words = "any disagreement"
        elif kind == ALL:
            words = "all samples"
        elif kind.startswith("only_"):
            words = f"only {LETTERS[int(kind[-1])]} right"
        elif kind.startswith("all_but_"):
            words = f"all but {LETTERS[int(kind[-1])]} right"
        else:
            words = "both wrong, differently" if count == 2 else "all wrong, differently"
        labels[words] = kind
    return labels


def cell_labels(carried: Mapping[tuple[str, ...], int]) -> dict[str, tuple[str | None, ...]]:
    """Return what the picker for atoms offers: each pair of largest atoms that occurs, A's first.

    Parameters
    ----------
    carried
        Samples of each combination of largest atoms.
    """
    width = len(next(iter(carried), ()))
    found: dict[tuple[int, str, str], int] = {}
    for names, samples in carried.items():
        for place in range(1, width):
            cell = (place, names[0], names[place])
            found[cell] = found.get(cell, 0) + samples
    order = sorted(found, key=lambda cell: (cell[1] == cell[2], -found[cell], cell))
    return {
        _cell_words(place, one, two): tuple(
            one if side == 0 else two if side == place else None for side in range(width)
        )
        for place, one, two in order
    }


def choose_differing(together: Together, carried: Mapping[tuple[str, ...], int]) -> Differing:
    """Draw the pickers for who is right, what carried the answers, and the order."""
    labels = kind_labels(len(together.records))
    cells = cell_labels(carried)
    with st.container(horizontal=True, vertical_alignment="top"):
        kind = _choose("Show", state.DIFFERING, list(labels), width=230)
        atoms = _choose(
            "Carried by",
            state.CARRIED,
            [ANY_ATOM, OTHER_ATOM, *cells],
            width=300,
            help="Which atom is the largest of a sample. “Another atom”: not the same one for all.",
        )
        order = _choose("Sort by", state.DIFFERING_ORDER, list(ORDERS), width=300, help=ORDER_HELP)
    differing = Differing(
        estimate_keys=together.estimate_keys,
        kind=labels[kind],
        carriers=cells.get(atoms, ()),
        other_carrier=atoms == OTHER_ATOM,
        order_by=ORDERS[order],
    )
    _begin_again_with_others(differing)
    return differing


def remember_cell(key: str) -> None:
    """List the samples of a pair of largest atoms; the callback of a matrix."""
    cell = estimate_of(st.session_state[key])
    one, _, two = (cell or "").partition(":")
    letter = key.rsplit("_", 1)[1].upper()
    if one in CARRIERS and two in CARRIERS and letter in LETTERS:
        st.session_state[state.CARRIED] = _cell_words(LETTERS.index(letter), one, two)
        st.session_state[state.DIFFERING] = "all samples"


def remember_part(key: str) -> None:
    """List the samples that differ most in the number of a dot; a chart's callback."""
    part = estimate_of(st.session_state[key])
    fields = {atom.field: atom.field for atom in ATOMS}
    fields |= {"total": "atoms", "accuracy": "answer", "d_vision": "answer"}
    if part not in fields:
        return
    words = {field: label for label, field in ORDERS.items()}
    st.session_state[state.DIFFERING_ORDER] = words[fields[part]]
    is_answer = fields[part] == "answer"
    st.session_state[state.DIFFERING] = "any disagreement" if is_answer else "all samples"
    st.session_state[state.CARRIED] = ANY_ATOM


def _cell_words(place: int, one: str, two: str) -> str:
    return f"A {LABELS[one].lower()}, {LETTERS[place]} {LABELS[two].lower()}"


def _choose(label: str, key: str, values: list[str], *, width: int, help: str | None = None) -> str:
    note_unknown(key, values)
    wanted = st.selectbox(label, values, key=key, bind="query-params", width=width, help=help)
    return wanted if wanted in values else values[0]


def _begin_again_with_others(differing: Differing) -> None:
    """Show the first page where other samples, or the same in another order, are listed."""
    before = st.session_state.get(state.LISTED_DIFFERING)
    if before is not None and before != differing:
        st.session_state[state.DIFFERING_PAGE] = 1
    st.session_state[state.LISTED_DIFFERING] = differing
