"""Which colour and symbol each model family has."""

from collections.abc import Sequence

from pages.figures.model_styles import COLOURS, SYMBOLS, ModelStyle


def family_styles(families: Sequence[str]) -> dict[str, ModelStyle]:
    """Give each family its style by its place among all of them: 64 differ in colour or symbol.

    Parameters
    ----------
    families
        All families of a benchmark in a fixed order, shown or not: then no choice changes a colour.
    """
    return {
        family: ModelStyle(
            colour=COLOURS[place % len(COLOURS)],
            # Where the colours begin again, the symbols go on by one.
            symbol=SYMBOLS[(place + place // len(COLOURS)) % len(SYMBOLS)],
            dash="solid",
        )
        for place, family in enumerate(families)
    }
