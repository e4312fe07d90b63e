"""What is in a cell of models by benchmarks, in words, and short names for its row and column."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from data_cache.cells import Cell
from data_cache.samples import Split

LONGEST_BENCHMARK, LONGEST_LABEL = 18, 20
"""Characters; six columns beside such labels can be read on a screen of 420 pixels."""


def number_of(cell: Cell) -> str:
    """Write what a cell measures: the count where all is measured, else the share of it.

    >>> shorter = {"model": "m", "family": "f", "benchmark": "b", "of": {"test": 4329, "train": 0}}
    >>> number_of(Cell(**shorter, measured=4329, by_split={"test": 4329, "train": 0}))
    '4.3k'
    >>> number_of(Cell(**shorter, measured=1443, by_split={"test": 1443, "train": 0}))
    '33 %'
    """
    if not cell.measured:
        return "\u2013"
    if cell.is_partial:
        return f"{min(max(round(cell.share * 100), 1 if cell.share else 0), 99)} %"
    count = cell.measured if cell.split is None else cell.by_split[cell.split]
    if count < 1000:
        return f"{count}"
    return f"{count / 1000:.1f}k" if count < 99_950 else f"{count / 1000:.0f}k"


def lines_of(cell: Cell) -> list[str]:
    """Say what is in a cell, a few plain sentences."""
    if not cell.measured:
        sentence = {"running": "at work", "stopped": "stopped before the first samples"}
        return [sentence.get(cell.work, "not measured")]
    lines = [f"{part}: {_of(cell, part)}" for part in ("test", "train") if cell.split is not None]
    if cell.split is None:
        lines = [f"{cell.measured:,} samples; of which split is not known"]
    lines.append("layers: " + _layers(cell))
    if cell.estimates:
        of = ", ".join(cell.splits_with_spectra)
        lines.append(f"spectra: {cell.estimates}" + (f" ({of})" if of else ""))
    else:
        lines.append("spectra: none yet")
    if cell.spectra == "behind":
        lines.append("more samples are measured than its spectra took; estimate again")
    if cell.other_edition:
        lines.append("other samples than the newest run on this benchmark has")
    if cell.work:
        lines.append(
            {"running": "a job is at work", "stopped": "its last job has stopped"}[cell.work]
        )
    if cell.imported:
        lines.append("imported predictions")
    if cell.runs > 1:
        lines.append(f"{cell.runs} runs; this is the one with most samples")
    return lines


def describe(cells: Sequence[Cell]) -> str:
    """Say in words what the matrix shows, for those who do not see it."""
    measured = [cell for cell in cells if cell.measured]
    sentences = [
        f"{len({cell.model for cell in cells})} models by "
        f"{len({cell.benchmark for cell in cells})} benchmarks: {len(measured)} of {len(cells)} "
        f"cells are measured, {sum(cell.is_partial for cell in measured)} of them in part, "
        f"{sum(cell.spectra == 'none' for cell in measured)} without spectra."
    ]
    sentences += [
        f"{cell.model} on {cell.benchmark}: {'; '.join(lines_of(cell))}." for cell in measured[:6]
    ]
    if len(measured) > 6:
        sentences.append(f"And {len(measured) - 6} more, listed in the table.")
    return " ".join(sentences)


def narrow_labels(models: Iterable[str]) -> dict[str, str]:
    """Give each model a short name that stays unique: the last part of its path, cut where it may.

    >>> list(narrow_labels(["org/model-7B", "org/model-with-a-long-name-7B"]).values())
    ['model-7B', 'model-with-a…name-7B']

    Of an adapter the name stays: it is what tells it from its base and from others.

    >>> list(narrow_labels(["demo/language-small", "demo/language-small+pid-196a2a"]).values())
    ['language-small', 'language…+pid-196a2a']
    """
    names = {model: model.rstrip("/").rsplit("/", 1)[-1] for model in models}
    for head in (12, 8, 4, 0):
        short = {model: _narrow(name, head) for model, name in names.items()}
        if len(set(short.values())) == len(short):
            return short
    return names if len(set(names.values())) == len(names) else {model: model for model in names}


def _narrow(name: str, head: int) -> str:
    if len(name) <= LONGEST_LABEL:
        return name
    base, plus, adapter = name.rpartition("+")
    room = LONGEST_LABEL - 1 - len(plus + adapter)
    if plus and room >= 4:
        return f"{base[:room]}…{plus}{adapter}"
    return f"{name[:head]}…{name[head + 1 - LONGEST_LABEL :]}"


def natural(pair: tuple[str, str]) -> list[Any]:
    """Sort key of family and model, by which 7B comes before 13B and an adapter after its base."""

    return [
        [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", text)]
        for text in (pair[0].casefold(), pair[1].casefold())
    ]


def cut(name: str, longest: int) -> str:
    """Cut a name at its end."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _of(cell: Cell, split: Split) -> str:
    size = f"{cell.of[split]:,}" + ("" if cell.is_whole or not cell.of[split] else " known")
    return f"{cell.by_split[split]:,} of {size} samples"


def _layers(cell: Cell) -> str:
    if not cell.inner_layers:
        return "the output"
    return (
        f"the output and {cell.inner_layers} inner ones, "
        f"{cell.layers_with_spectra or 'none'} of them with spectra"
    )
