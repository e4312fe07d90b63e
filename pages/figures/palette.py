"""What the atoms are called and coloured on screen: the one place that says vision and language."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pages.figures.meanings import MEANINGS

if TYPE_CHECKING:
    from data_cache.estimates import SpectrumRecord


@dataclass(frozen=True, kw_only=True)
class Atom:
    """How one atom is shown."""

    field: str
    """Its name in a record."""
    label: str
    colour: str
    """Okabe and Ito (2008), told apart with every common colour vision, on white and on black."""

    @property
    def meaning(self) -> str:
        """What it says, in one sentence."""
        return MEANINGS[self.field].says


ATOMS = (
    Atom(
        field="redundancy",
        label="Redundancy",
        colour="#0072B2",
    ),
    Atom(
        field="unique_1",
        label="Unique vision",
        colour="#E69F00",
    ),
    Atom(
        field="unique_2",
        label="Unique language",
        colour="#009E73",
    ),
    Atom(
        field="synergy",
        label="Synergy",
        colour="#CC79A7",
    ),
)


SOURCES = {
    "vision-language": ("vision", "language"),
    "video-audio": ("video", "audio"),
    "video-language": ("video", "language"),
    "audio-language": ("audio", "language"),
}
"""What source 1 and source 2 of a run are called."""
USUAL = "vision-language"


def atoms_of(records: "Iterable[SpectrumRecord]") -> tuple[Atom, ...]:
    """Return the atoms as they are called where all records have the same sources.

    Those of records with several kinds of sources are called as usual.
    """
    kinds = {record.settings.get("sources") or USUAL for record in records}
    first, second = SOURCES.get(next(iter(kinds)) if len(kinds) == 1 else USUAL, SOURCES[USUAL])
    names = {"unique_1": f"Unique {first}", "unique_2": f"Unique {second}"}
    return tuple(replace(atom, label=names.get(atom.field, atom.label)) for atom in ATOMS)


def in_words(text: str) -> str:
    """Replace the names of the atoms in a sentence of the estimator by those on screen.

    >>> in_words("unique_1 is negative")
    'unique vision is negative'
    """
    for atom in ATOMS:
        text = text.replace(atom.field, atom.label.lower())
    return text


CONDITIONS = {
    "full": "with image",
    "only_1": "vision only",
    "only_2": "language only",
    "neither": "both masked",
    "no_image": "no image",
}
"""The conditions of a run, by their names in a record."""

NEUTRAL = "#7F8894"
"""Readable on the light and on the dark background (4:1 and 4.5:1)."""

HATCH_ABOVE = 0.10
"""Bars are hatched where a condition fell back to uniform in more than this share of samples."""
