"""Why a sample is hard, or why it is not, in one to three sentences with their numbers.

First what the scores say: is there room for fusion (FP), and is it used (SR), or does the text
alone do (SC)? Then what the conditions say of the right answer. Last what to be careful with: a
condition that named no option, or noise that decides.
"""

from collections.abc import Mapping
from math import log2

from data_cache.conditions import Condition
from data_cache.sample_detail import Distribution
from data_cache.samples import letter_of
from pages.widgets.carrier import Voice, voice

SMALL_POTENTIAL = 0.1
"""Bits; with less, both sources together are as good as one of them."""
UNUSED_SHARE = 0.5
"""A GapScore of at least so much of FP says that the room for fusion is not used."""
WIDE_DRAWS = 0.5
"""Draws of noise whose probabilities of one option reach this far do not agree."""

ALONE = {Condition.ONLY_1: "the image alone", Condition.ONLY_2: "the text alone"}
MASKED = {Condition.ONLY_1: "text", Condition.ONLY_2: "image"}
OTHER = {"the image alone": "the text", "the text alone": "the image"}


def why_hard(
    numbers: Mapping[str, float | None],
    distributions: Mapping[Condition, Distribution],
    *,
    answer: int,
    tau: float,
) -> tuple[str, ...]:
    """Say why a sample is hard for a model.

    Parameters
    ----------
    numbers
        Its scores by their names in an estimate; None where one is undefined.
    distributions
        What the model answers in each condition.
    answer
        Index of the right option.
    tau
        Probability that the options need together, 0 to 1; with less, uniform ones stand in.

    Returns
    -------
    One to three sentences; none where the conditions behind the scores were not run.
    """
    if not {Condition.FULL, *ALONE} <= set(distributions):
        return ()
    voices = {
        condition: voice(distributions[condition].probabilities)
        for condition in (Condition.FULL, *ALONE)
    }
    found = (
        _scores(numbers, distributions, voices),
        _answer(distributions, voices, answer),
        _care(distributions, tau),
    )
    return tuple(sentence for sentence in found if sentence)


def _scores(
    numbers: Mapping[str, float | None],
    distributions: Mapping[Condition, Distribution],
    voices: Mapping[Condition, Voice],
) -> str:
    gap, ratio, shortcut, potential = (
        numbers.get(name) for name in ("gap_score", "synergy_ratio", "shortcut", "fusion_potential")
    )
    if gap is None or ratio is None or shortcut is None or potential is None:
        return "Its scores are undefined, so they do not say whether fusion is missing."
    if potential < SMALL_POTENTIAL:
        return _without_room(gap, potential, distributions, voices)
    surer = (
        f"both together make the model {potential:.2f} bits surer than the better one alone (FP)"
    )
    if gap >= UNUSED_SHARE * potential:
        return (
            f"Fusion is missing: {surer}, yet synergy is only {ratio:.0%} of what decides the "
            f"answer (SR) and the text alone {shortcut:.0%} (SC), so {gap:.2f} bits of that room "
            "are unused (GapScore)."
        )
    if ratio >= shortcut:
        return (
            f"Fusion is there: {surer}, and synergy is {ratio:.0%} of what decides the answer "
            f"(SR), so only {gap:.2f} bits of that room are unused (GapScore)."
        )
    return (
        f"The text is a shortcut: {surer}, but what the text alone tells is {shortcut:.0%} of "
        f"what decides the answer (SC), so only {gap:.2f} bits count as missing fusion (GapScore)."
    )


def _without_room(
    gap: float,
    potential: float,
    distributions: Mapping[Condition, Distribution],
    voices: Mapping[Condition, Voice],
) -> str:
    both = voices[Condition.FULL]
    surest = min(ALONE, key=lambda condition: voices[condition].entropy)
    if both.is_open:
        at_most = log2(len(distributions[Condition.FULL].probabilities))
        return (
            f"The model stays unsure: both together leave {both.entropy:.2f} of {at_most:.2f} bits "
            f"open, {ALONE[surest]} {voices[surest].entropy:.2f} (FP {potential:.2f} bits), so its "
            f"GapScore of {gap:.2f} bits says nothing of how hard it is."
        )
    return (
        f"There is no room for fusion: {ALONE[surest]} makes the model about as sure as both "
        f"together (FP {potential:.2f} bits), so its GapScore is {gap:.2f} bits."
    )


def _answer(
    distributions: Mapping[Condition, Distribution],
    voices: Mapping[Condition, Voice],
    answer: int,
) -> str:
    """Say what the conditions make of the right answer; nothing where none stands against it."""
    both = voices[Condition.FULL].option
    if both == answer:
        against = [
            f"{ALONE[condition]}, which points to the wrong {letter_of(option)} "
            f"({voices[condition].probability:.0%})"
            for condition in ALONE
            if (option := voices[condition].option) not in (None, answer)
        ]
        return f"The right answer has to overrule {' and '.join(against)}." if against else ""
    shares = {
        condition: float(distributions[condition].probabilities[answer]) for condition in voices
    }
    sentence = (
        f"The right answer {letter_of(answer)} has {shares[Condition.FULL]:.0%} with both, "
        f"{shares[Condition.ONLY_1]:.0%} with the image alone and "
        f"{shares[Condition.ONLY_2]:.0%} with the text alone"
    )
    knowing = [ALONE[condition] for condition in ALONE if voices[condition].option == answer]
    misled = [ALONE[condition] for condition in ALONE if voices[condition].option == both]
    if len(knowing) == 2:
        return f"{sentence}: together they lose what each alone says."
    if knowing:
        return f"{sentence}: {OTHER[knowing[0]]} leads the model away from it."
    if both is not None and misled:
        says = "says" if len(misled) == 1 else "say"
        return f"{sentence}; the wrong {letter_of(both)} is what {' and '.join(misled)} {says} too."
    return f"{sentence}: nothing points to it."


def _care(distributions: Mapping[Condition, Distribution], tau: float) -> str:
    names = {Condition.FULL: "both together"} | ALONE
    for condition, name in names.items():
        fell, draws = int(distributions[condition].fallback.sum()), distributions[condition].draws
        if fell:
            often = "" if len(draws) == 1 else f" in {fell} of {len(draws)} draws of noise"
            return (
                f"With {name} the options had less than {tau:g} of the probability (tau){often}, "
                "and a uniform distribution stands in: that it looks unsure is a convention there."
            )
    reach = {
        condition: distributions[condition].draws.max(axis=0)
        - distributions[condition].draws.min(axis=0)
        for condition in ALONE
    }
    widest = max(ALONE, key=lambda condition: float(reach[condition].max()))
    option = int(reach[widest].argmax())
    if reach[widest][option] < WIDE_DRAWS:
        return ""
    column = distributions[widest].draws[:, option]
    return (
        f"The noise in place of the {MASKED[widest]} decides much: {ALONE[widest]} gives "
        f"{letter_of(option)} {column.min():.0%} to {column.max():.0%} over {len(column)} draws, "
        f"and the scores rest on the mean of {column.mean():.0%}."
    )
