"""Which of the numbers to trust, and why, in plain words."""

from collections.abc import Sequence

import streamlit as st

from model_runners.audit import SOLVER, AuditRow
from pages.widgets.lab_choices import Source
from pid_core.advice import SHIFT_BITS
from pid_core.registry import ON_FEATURES, TRAINED

UNIDENTIFIABLE = 0.5
"""Share of a probe's information below which aligning the margins left too little."""
WRONG_ABOVE = 0.01
"""Bits of error that are worth a word."""
BALANCE = (
    "R - S = 0 does not mean that nothing is shared and nothing combined: both can be large and "
    "equal. The difference R - S alone is I1 + I2 - I12, which needs no decomposition at all and "
    "no estimator; only R and S each tell the two apart."
)
LIMITS = (
    "A small gap says that the problem was solved, not that the problem is the right one: masked "
    "predictions are probes, a finite sample makes unique atoms too large, and margins that had to "
    "be moved far leave nothing to identify. Those are in the warnings, not in the gap."
)


def show_trust(rows: Sequence[AuditRow], source: Source) -> None:
    """Draw the box."""
    with st.container(border=True):
        st.subheader("Which number to trust", anchor=False)
        for sentence in [*advice(rows, is_population=source.is_population), LIMITS, BALANCE]:
            st.text(f"• {sentence}")


def advice(rows: Sequence[AuditRow], *, is_population: bool = False) -> list[str]:
    """Return a sentence per estimator, what it stands for and how it did here.

    Parameters
    ----------
    rows
        What was computed.
    is_population
        The truth is that of a population, of which the samples are some draws.

    Examples
    --------
    >>> solved = AuditRow(estimator="certified", label="certified", atoms={}, gap_bits=2e-4)
    >>> advice([solved])[0]
    'certified: the exact value lies within 0.0002 bits, proven. Take this one.'
    """
    sentences: list[str] = []
    for row in rows:
        if row.atoms is None:
            continue
        if row.estimator == SOLVER:
            text = _of_solver(row)
        elif row.estimator in ON_FEATURES:
            text = (
                f"{row.label}: solves another problem, the joint distribution of clustered "
                "embeddings and the answer. It is exact for its codes, and its atoms are not those "
                "of the masked predictions unless the codes say all that the probes do."
            )
        elif row.gap_bits is None:
            text = (
                f"{row.label}: a trained network without a certificate. Nothing bounds its error; "
                "use it to reproduce a published figure."
            )
        else:
            text = (
                f"{row.label}: an upper bound on I*, so unique atoms can only be too large and "
                f"redundancy and synergy too small, by {max(row.gap_bits, 1e-4):.2g} bits at most."
            )
        if row.error_bits is not None and row.error_bits > WRONG_ABOVE:
            text += f" Here it is off by {row.error_bits:.2f} bits"
            if is_population and row.estimator == SOLVER:
                text += f" from the population: that is what {row.samples:,} draws of it leave open"
            text += "."
        sentences.append(text)
    names = {row.estimator for row in rows}
    if names & TRAINED and SOLVER in names:
        sentences.append(
            "A network that has not come to rest stays near the coupling in which the sources are "
            "independent given the answer. That coupling overstates I*, which is why redundancy "
            "and synergy come out too small together."
        )
    return sentences


def _of_solver(row: AuditRow) -> str:
    gap = max(row.gap_bits or 0.0, 1e-4)
    if row.setting == "reference":
        return (
            f"{row.label}: solved within {gap:.2g} bits, but with the joint run's p(y) in the place"
            " of the probes' own, as the published code does. Where the two differ it counts a "
            "difference of habits as information."
        )
    text = f"{row.label}: the exact value lies within {gap:.2g} bits, proven."
    if not row.converged and gap > WRONG_ABOVE:
        return f"{text} Not close enough yet."
    if row.kept_share < UNIDENTIFIABLE:
        return (
            f"{text} But aligning the margins left only {row.kept_share:.0%} of what one probe "
            "carries: these atoms are not identifiable, and no estimator can help. Take none."
        )
    if row.prior_shift_bits > SHIFT_BITS:
        return (
            f"{text} Take this one, after a look at the other policies: one probe answers with "
            f"other frequencies than the joint run (prior shift {row.prior_shift_bits:.2f} bits)."
        )
    return f"{text} Take this one."
