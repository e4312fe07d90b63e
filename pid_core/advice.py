"""Turns measured facts into the sentences that go with a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pid_core.spectrum import ATOMS

SHIFT_BITS = 0.1
"""Prior shift above which a reader is told."""
KEPT_SHARE = 0.8
"""Share of a probe's information below which the loss is told (below half: not identifiable)."""
SMALL_LOSS_BITS = 0.01
"""Losses below this are not worth a sentence, whatever their share."""
NOISE_BITS = 0.05
"""Information from pure noise, or from the fall-back alone, above which a reader is told."""
VISIBLE_BITS = 1e-3
"""Negative values above -1e-3 (or within the gap) say nothing: they are shown, not explained."""


def margin_warnings(
    shift: Sequence[float], own: Sequence[float], kept: Sequence[float], policy: str
) -> list[str]:
    """Say what aligning the margins did to the two probes (bits)."""
    warnings: list[str] = []
    for source in (0, 1):
        if shift[source] > SHIFT_BITS:
            warnings.append(
                f"source {source + 1} alone predicts other answer frequencies than both together "
                f"(prior shift {shift[source]:.2f} bits), so its atoms depend on how the margins "
                "are aligned; compare the policies of `marginals`"
            )
        lost = own[source] - kept[source]
        if (
            policy != "reference"
            and lost > SMALL_LOSS_BITS
            and kept[source] < KEPT_SHARE * own[source]
        ):
            part = 100.0 * kept[source] / own[source]
            verdict = (
                "its atoms are not identifiable"
                if part < 50.0
                else "what it shares or has alone is a low estimate and synergy a high one"
            )
            warnings.append(
                f"aligning the margins kept {part:.0f} % of the information of source {source + 1} "
                f"({kept[source]:.2f} of {own[source]:.2f} bits): {verdict}"
            )
    return warnings


def atom_warnings(
    atoms: Mapping[str, float],
    total: float,
    informations: Sequence[float],
    gap: float,
    policy: str,
    *,
    jackknifed: bool = False,
) -> list[str]:
    """Say why an atom is negative: it is reported as it is, never clipped."""
    warnings: list[str] = []
    star = total - atoms["synergy"]
    for name in ATOMS:
        if atoms[name] >= -max(gap, VISIBLE_BITS):
            continue
        if policy == "reference":
            why = "marginals='reference' takes the difference of two priors for information"
        elif name == "synergy":
            why = (
                f"the two masked probes together carry at least {star:.3f} bits, more than the "
                f"{total:.3f} bits of the joint run, so they are not margins of its predictions"
            )
        elif jackknifed:
            why = "removing the noise of the draws by jackknife can overshoot; more draws help"
        else:
            why = f"I1 = {informations[0]:.3f}, I2 = {informations[1]:.3f}, I* = {star:.3f} bits"
        warnings.append(f"{name} is negative ({atoms[name]:.2g} bits): {why}")
    return warnings


def draw_warnings(draws: int) -> list[str]:
    """Say what few noise draws leave in the atoms."""
    if draws >= 3:
        return []
    return [
        f"{draws} noise draw(s) per sample: noise that both probes share the form of counts as "
        "redundancy, and removing it by jackknife needs at least 3 draws"
    ]


def averaged_warnings(draws: int) -> list[str]:
    """Say that an estimator that trains was given the mean over draws."""
    return [
        f"the mean over {draws} noise draw(s) was decomposed without a jackknife, which trained "
        "estimators leave out: noise that both probes share the form of counts as redundancy"
    ]


def noise_warnings(noise_floor_bits: float | None) -> list[str]:
    """Say that masked prompts still carry something."""
    if noise_floor_bits is None or noise_floor_bits <= NOISE_BITS:
        return []
    return [
        f"with both sources masked the answer still varies by {noise_floor_bits:.2f} bits (noise "
        "floor); atoms of that size cannot be told from it"
    ]


def fallback_warnings(fallback_bits: Mapping[str, float]) -> list[str]:
    """Name the conditions in which falling back or not is itself informative."""
    return [
        f"in condition {condition} whether a row fell back to uniform is worth {bits:.2f} bits by "
        "itself; lower tau or read the atoms with that in mind"
        for condition, bits in fallback_bits.items()
        if bits > NOISE_BITS
    ]
