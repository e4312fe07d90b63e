"""Which colour and shape each model has wherever several of them are drawn as lines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

COLOURS = (
    "#3B7DD8",
    "#D55E00",
    "#2E9E4F",
    "#B5458F",
    "#8A6D1D",
    "#0E93A5",
    "#8B6FE0",
    "#E0457B",
)
"""Each stands out on the light and on the dark background (3.4:1 or more)."""
SYMBOLS = ("circle", "square", "triangle-up", "cross", "x", "pentagon", "star", "hexagon")
DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True, kw_only=True)
class ModelStyle:
    """How one model is drawn."""

    colour: str
    symbol: str
    """The second sign beside the colour, for those who cannot tell the colours apart."""
    dash: str

    def tint(self, opacity: float) -> str:
        """Return the colour, see-through."""
        red, green, blue = (int(self.colour[place : place + 2], 16) for place in (1, 3, 5))
        return f"rgba({red}, {green}, {blue}, {opacity})"


def model_styles(models: Sequence[str]) -> dict[str, ModelStyle]:
    """Give each model its style by its place among all of them.

    Parameters
    ----------
    models
        All models of a benchmark in a fixed order, shown or not: then no choice changes a colour.
    """
    return {
        model: ModelStyle(
            colour=COLOURS[place % len(COLOURS)],
            symbol=SYMBOLS[place % len(SYMBOLS)],
            dash=DASHES[place // len(COLOURS) % len(DASHES)],
        )
        for place, model in enumerate(models)
    }


def styles_apart(models: Sequence[str], chosen: Sequence[str]) -> tuple[ModelStyle, ...]:
    """Return the styles of some models in colours that differ.

    Parameters
    ----------
    models
        All models of a benchmark in a fixed order.
    chosen
        As many of them as there are colours, or fewer.
    """
    styles = model_styles(models)
    found: list[ModelStyle] = []
    for model in chosen:
        style = styles[model]
        taken = {one.colour for one in found}
        if style.colour in taken:
            place = COLOURS.index(style.colour)
            following = (*COLOURS[place:], *COLOURS[:place])
            style = replace(style, colour=next(one for one in following if one not in taken))
        found.append(style)
    return tuple(found)
