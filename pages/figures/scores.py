"""What the numbers of one sample are called, in which unit, and what each of them means."""

from dataclasses import dataclass

from pages.figures.meanings import MEANINGS, help_of
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
    """One sentence."""
    help: str
    """The same, and when not to trust it."""

    @property
    def title(self) -> str:
        """Label and unit, as a column's header."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def _score(key: str) -> Score:
    meaning = MEANINGS[key]
    return Score(
        field=key,
        label=meaning.label,
        unit=meaning.unit,
        meaning=meaning.says,
        help=help_of(key),
    )


SCORES = tuple(
    _score(key) for key in ("gap_score", "synergy_ratio", "shortcut", "fusion_potential")
)
POSITION = _score("position")
SORTABLE = (
    *SCORES,
    *(
        Score(
            field=atom.field,
            label=atom.label,
            unit="bits",
            meaning=atom.meaning,
            help=f"{atom.meaning} {help_of('pointwise')}",
        )
        for atom in ATOMS
    ),
    POSITION,
)
"""Everything that samples can be sorted by, in the order of the picker."""
