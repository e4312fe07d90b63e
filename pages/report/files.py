"""The files that a figure or a table can be taken along as: CSV and Parquet."""

import html
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.report.parts import Figure, Table


def as_csv(frame: pd.DataFrame, *, index: bool = False) -> bytes:
    """Return a table as CSV in UTF-8, every digit kept."""
    return frame.to_csv(index=index).encode("utf-8", "backslashreplace")


def as_parquet(frame: pd.DataFrame, *, index: bool = False) -> bytes:
    """Return a table as Parquet; a column that mixes kinds of values is kept as text.

    >>> mixed = pd.DataFrame({"value": [1, "two"]})
    >>> pd.read_parquet(io.BytesIO(as_parquet(mixed)))["value"].tolist()
    ['1', 'two']
    """
    frame = frame.reset_index() if index else frame
    columns = {str(name): _of_one_kind(column) for name, column in frame.items()}
    buffer = io.BytesIO()
    pd.DataFrame(columns).to_parquet(buffer, index=False)
    return buffer.getvalue()


def records_behind(part: Figure | Table) -> pd.DataFrame:
    """Return what a figure was made from, or the numbers that it draws; a table as it is."""
    if isinstance(part, Table):
        return part.frame.reset_index() if part.index else part.frame
    return drawn_numbers(part.figure) if part.data is None else part.data()


def drawn_numbers(figure: go.Figure) -> pd.DataFrame:
    """Return the numbers of a figure as it draws them: one row a bar, point or cell.

    Columns that nothing is in are left out. `words` is what stands beside the mouse.

    >>> bar = go.Bar(name="a", x=[1.5], y=["row"], error_x={"array": [0.5], "arrayminus": [0.25]})
    >>> drawn_numbers(go.Figure(bar)).to_dict("records")
    [{'trace': 'a', 'type': 'bar', 'x': 1.5, 'y': 'row', 'x_low': 1.25, 'x_high': 2.0}]
    """
    rows: list[dict[str, Any]] = []
    traces: Any = figure.data
    for trace in traces:
        rows += _cells(trace) if trace.type == "heatmap" else _points(trace)
    frame = pd.DataFrame(rows)
    return frame.dropna(axis="columns", how="all") if rows else frame


def plain(text: str) -> str:
    """Return the text beside the mouse without its markup, on one line.

    >>> plain("<b>1.5 bits</b><br>a &lt; b")
    '1.5 bits; a < b'
    """
    lines = re.split(r"<br\s*/?>", text)
    return "; ".join(html.unescape(re.sub(r"<[^>]*>", "", line)).strip() for line in lines)


def _points(trace: Any) -> Iterable[dict[str, Any]]:
    x, y = _list(trace.x), _list(trace.y)
    count = max(len(x), len(y))
    words = _each(trace.hovertext if trace.hovertext is not None else trace.text, count)
    for place in range(count):
        at = {"x": _at(x, place), "y": _at(y, place)}
        if at["x"] is None or at["y"] is None:
            continue
        found = {
            "trace": plain(str(trace.name or trace.legendgroup or "")),
            "type": trace.type,
            "plot": _plot_of(trace),
            **at,
        }
        for axis in ("x", "y"):
            found |= _ends(axis, at[axis], getattr(trace, f"error_{axis}"), place)
        yield found | {"words": None if words[place] is None else plain(str(words[place]))}


def _cells(trace: Any) -> Iterable[dict[str, Any]]:
    columns, lines = _list(trace.x), _list(trace.y)
    for row, values in enumerate(_list(trace.z)):
        for column, value in enumerate(values):
            yield {
                "trace": plain(str(trace.name or "")),
                "type": trace.type,
                "x": _at(columns, column),
                "y": _at(lines, row),
                "z": value,
                "words": _words_of_cell(trace, row, column),
            }


def _words_of_cell(trace: Any, row: int, column: int) -> str | None:
    words = trace.hovertext if trace.hovertext is not None else trace.text
    return None if words is None else plain(str(words[row][column]))


def _ends(axis: str, value: Any, whiskers: Any, place: int) -> dict[str, float | None]:
    above = _at(_list(whiskers.array), place)
    below = _at(_list(whiskers.arrayminus), place)
    if above is None:
        return {f"{axis}_low": None, f"{axis}_high": None}
    return {
        f"{axis}_low": value - (above if below is None else below),
        f"{axis}_high": value + above,
    }


def _plot_of(trace: Any) -> str | None:
    """Name the small plot of a figure that has several."""
    axes = [axis for axis in (trace.xaxis, trace.yaxis) if axis not in {None, "x", "y"}]
    return " ".join(axes) or None


def _each(words: Any, count: int) -> Sequence[Any]:
    if words is None or isinstance(words, str):
        return [words] * count
    found = list(words)
    return [*found, *[None] * (count - len(found))]


def _list(values: Any) -> list[Any]:
    return [] if values is None else list(values)


def _at(values: Sequence[Any], place: int) -> Any:
    if place >= len(values):
        return None
    value = values[place]
    return value.item() if isinstance(value, np.generic) else value


def _of_one_kind(column: pd.Series) -> pd.Series:
    if column.dtype != object:
        return column
    kinds = {type(value) for value in column if value is not None}
    if len(kinds) <= 1:
        return column
    return column.map(lambda value: None if value is None else str(value))
