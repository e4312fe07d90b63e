"""What every number on screen means, and when not to trust it: one sentence each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from textwrap import wrap
from types import MappingProxyType
from typing import Any

LINE = 64
"""Characters of a line beside the mouse."""


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """One quantity in words."""

    key: str
    """Its name in a record or in a sample's rows."""
    label: str
    unit: str
    """Empty for a ratio between 0 and 1."""
    says: str
    """One sentence."""
    doubt: str
    """When not to trust it, one sentence."""

    @property
    def title(self) -> str:
        """Label and unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


ALL = (
    Meaning(
        key="redundancy",
        label="Redundancy",
        unit="bits",
        says="What image and text each tell of the answer on their own.",
        doubt="Not where a probe is surer than it is right, or from fewer than three draws of "
        "noise: both make redundancy out of nothing.",
    ),
    Meaning(
        key="unique_1",
        label="Unique vision",
        unit="bits",
        says="What only the image tells of the answer.",
        doubt="Not below its null or at few samples, which find unique information in two sources "
        "that are alike; nor where less than half of the probe's information was kept.",
    ),
    Meaning(
        key="unique_2",
        label="Unique language",
        unit="bits",
        says="What only the text tells of the answer: prior knowledge, and wording that gives it "
        "away.",
        doubt="Not below its null or at few samples, which find unique information in two sources "
        "that are alike; nor where less than half of the probe's information was kept.",
    ),
    Meaning(
        key="synergy",
        label="Synergy",
        unit="bits",
        says="What only image and text together tell of the answer.",
        doubt="It is what the other three leave over, with all of their errors: not where it is "
        "negative, where its interval holds zero, or where many samples fell back to uniform.",
    ),
    Meaning(
        key="total",
        label="Total",
        unit="bits",
        says="What image and text, with both there, tell of the model's answer; the four atoms add "
        "up to it.",
        doubt="It is about what the model says, right or wrong: a model that is sure and wrong can "
        "have a high total.",
    ),
    Meaning(
        key="share",
        label="Share of the total",
        unit="%",
        says="An atom as a part of the total, so that models that are sure and models that are not "
        "compare.",
        doubt="Not where the total is small: below 0.01 bits none is shown, and little above it "
        "one is mostly noise.",
    ),
    Meaning(
        key="coinformation",
        label="Co-information",
        unit="bits",
        says="Redundancy minus synergy, which no decomposition is needed for.",
        doubt="Zero does not say that there is neither: both can be large and equal.",
    ),
    Meaning(
        key="information_1",
        label="Vision alone",
        unit="bits",
        says="What the answers tell with the text masked: redundancy and unique vision.",
        doubt="It is what a probe with noise in place of the text says, not what the full model "
        "takes from the image.",
    ),
    Meaning(
        key="information_2",
        label="Language alone",
        unit="bits",
        says="What the answers tell with the image masked: redundancy and unique language.",
        doubt="It is what a probe with noise in place of the image says, not what the full model "
        "takes from the text.",
    ),
    Meaning(
        key="accuracy",
        label="Accuracy",
        unit="%",
        says="How often the most likely first token of the whole vocabulary is the right letter.",
        doubt="It is low where a model answers in words and not in letters; look at forced choice "
        "and at the fall-back then.",
    ),
    Meaning(
        key="accuracy_forced",
        label="Forced choice",
        unit="%",
        says="How often the right letter is the most likely among the options.",
        doubt="It hides that a model did not answer at all, because some option is always the most "
        "likely.",
    ),
    Meaning(
        key="circular_accuracy",
        label="In every order",
        unit="%",
        says="Share of the questions that are right with their options in every order "
        "(CircularEval).",
        doubt="Questions of which an order is missing are left out, so with a limit it is of few.",
    ),
    Meaning(
        key="d_vision",
        label="D_vision",
        unit="points",
        says="Accuracy minus the accuracy of a prompt built without the image.",
        doubt="It is small where the text alone already answers, however well the model sees.",
    ),
    Meaning(
        key="mean_confidence",
        label="Confidence",
        unit="%",
        says="Mean probability of the answer that the model prefers.",
        doubt="It is about the model's belief and not about being right; compare it with the "
        "accuracy.",
    ),
    Meaning(
        key="calibration_error",
        label="ECE",
        unit="%",
        says="Expected calibration error over 15 bins of equal width: how far confidence is from "
        "accuracy.",
        doubt="It is biased upward at few samples, where bins hold a handful each.",
    ),
    Meaning(
        key="gap_bits",
        label="Gap",
        unit="bits",
        says="The exact value of each atom lies within this distance of the one shown.",
        doubt="It says that the problem was solved, not that it was the right one, and nothing of "
        "sampling error.",
    ),
    Meaning(
        key="interval",
        label="95 % interval",
        unit="bits",
        says="Where the atom would lie for other samples of the same kind, with the bias of few "
        "samples where that was measured.",
        doubt="It holds neither the error of the masking nor that of the solver, which is the gap.",
    ),
    Meaning(
        key="null",
        label="Null",
        unit="bits",
        says="What the estimator finds at this number of samples where there is nothing to find.",
        doubt="It is zero only for the atoms that it is drawn at; an atom above it may still be "
        "within its own interval of zero.",
    ),
    Meaning(
        key="noise_floor_bits",
        label="Noise floor",
        unit="bits",
        says="What the prompts with both sources masked still tell about the answer.",
        doubt="Above 0.05 bits the atoms are in part about the masking and not about the samples.",
    ),
    Meaning(
        key="fallback_rate",
        label="Fall-back",
        unit="%",
        says="Share of samples with too little mass on the options, in the condition where it is "
        "largest; a uniform distribution stands for them.",
        doubt="Above 10 % bars are hatched: what fell back counts as knowing nothing, and in a "
        "probe that turns redundant and unique information into synergy.",
    ),
    Meaning(
        key="parameters",
        label="Size",
        unit="parameters",
        says="Parameters of the loaded model, counted when it was run.",
        doubt="It is missing for imported predictions, and counts all experts of a mixture.",
    ),
    Meaning(
        key="gap_score",
        label="GapScore",
        unit="bits",
        says="Room for fusion that is not used: (1 - SR)(1 - SC) FP.",
        doubt="Not where the answer with both sources rests on a fall-back, and it is zero where "
        "fusing makes the model no surer.",
    ),
    Meaning(
        key="synergy_ratio",
        label="SR, synergy ratio",
        unit="",
        says="Share of synergy in what decides this answer, among the positive atoms.",
        doubt="Not where all four atoms of the sample are near zero: it is one small number over "
        "another.",
    ),
    Meaning(
        key="shortcut",
        label="SC, shortcut",
        unit="",
        says="Share of what only the text tells: how far it could be answered blind.",
        doubt="Not where all four atoms of the sample are near zero, nor as a statement about the "
        "question alone: it is about this model.",
    ),
    Meaning(
        key="fusion_potential",
        label="FP, fusion potential",
        unit="bits",
        says="How much surer the model is with both than with the better one alone.",
        doubt="Surer is not righter: it is as high where both together make a wrong answer sure.",
    ),
    Meaning(
        key="pointwise",
        label="An atom of one sample",
        unit="bits",
        says="What the sample adds to the atom; the mean over samples is the atom.",
        doubt="Its split is one of several that average to the same atoms: they agree on which "
        "samples are synergistic, and much less on the unique atoms of a single one.",
    ),
    Meaning(
        key="position",
        label="Benchmark order",
        unit="",
        says="The benchmark's own order.",
        doubt="Neighbours are often alike, so the first samples stand for no random part.",
    ),
)
MEANINGS: Mapping[str, Meaning] = MappingProxyType({one.key: one for one in ALL})
"""By the name of the quantity."""
OF_SPECTRA = (
    *("redundancy", "unique_1", "unique_2", "synergy", "total", "share", "interval", "null"),
    *("gap_bits", "accuracy", "accuracy_forced", "d_vision", "fallback_rate", "noise_floor_bits"),
)
OF_SAMPLES = (
    *("gap_score", "synergy_ratio", "shortcut", "fusion_potential", "pointwise"),
    *("redundancy", "unique_1", "unique_2", "synergy"),
)


def help_of(key: str) -> str:
    """Return what a quantity means and when not to trust it, for a `?` beside it.

    >>> help_of("coinformation").startswith("Redundancy minus synergy")
    True
    """
    return f"{MEANINGS[key].says} {MEANINGS[key].doubt}"


def meaning_below(key: str) -> dict[str, Any]:
    """Return what a trace needs so that the meaning stands below each of its texts.

    It is sent once a trace and not once a point: a chart may have a thousand of them.
    """
    lines = "<br>".join(f"<i>{line}</i>" for line in hover_lines([key]))
    return {"meta": [lines], "hovertemplate": "%{hovertext}<br>%{meta[0]}<extra></extra>"}


def hover_lines(keys: Iterable[str]) -> list[str]:
    """Return the same as lines for a text beside the mouse.

    >>> all(len(line) <= LINE for line in hover_lines(["synergy"]))
    True
    """
    return [line for key in keys for line in wrap(help_of(key), LINE)]
