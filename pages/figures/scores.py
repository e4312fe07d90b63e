"""What the numbers of one sample are called, in which unit, and what each of them means."""

from dataclasses import dataclass

from pages.figures.palette import ATOMS


@dataclass(frozen=True, kw_only=True)
class Score:
    """How one number of a sample is shown."""

    field: str
    """Its name in an estimate's rows."""
    label: str
    unit: str
    """Empty for a ratio between 0 and 1."""
    meaning: str

    @property
    def title(self) -> str:
        """Label and unit, as a column's header."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


SCORES = (
    Score(
        field="gap_score",
        label="GapScore",
        unit="bits",
        meaning="Room for fusion that is not used: (1 - SR)(1 - SC) FP.",
    ),
    Score(
        field="synergy_ratio",
        label="SR, synergy ratio",
        unit="",
        meaning="Share of synergy in what decides this answer.",
    ),
    Score(
        field="shortcut",
        label="SC, shortcut",
        unit="",
        meaning="Share of what only the text tells: how far it could be answered blind.",
    ),
    Score(
        field="fusion_potential",
        label="FP, fusion potential",
        unit="bits",
        meaning="How much surer the model is with both than with the better one alone.",
    ),
)

POSITION = Score(
    field="position", label="Benchmark order", unit="", meaning="The benchmark's own order."
)

SORTABLE = (
    *SCORES,
    *(
        Score(field=atom.field, label=atom.label, unit="bits", meaning=atom.meaning)
        for atom in ATOMS
    ),
    POSITION,
)
"""Everything that samples can be sorted by, in the order of the picker."""
