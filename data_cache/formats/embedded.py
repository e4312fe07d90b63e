"""Images and lists inside the cells of a table: base64, the hub's structs, references to rows."""

import ast
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, cast

from data_cache.errors import BenchmarkError
from data_cache.formats.rows import Row, quoted
from data_cache.image_store import ImageStore
from data_cache.images import ImageFile
from data_cache.samples import RowProblem

SCALARS = (str, int, float)
LONGEST_REFERENCE = 64
"""Characters; a shorter image cell is the index of the row whose image is meant."""


def decode_base64(text: str) -> bytes:
    """Return the bytes that a base64 text stands for; line breaks in it and a data URL are read.

    Raises
    ------
    BenchmarkError
        If it is no base64, for example because it was cut off.

    Examples
    --------
    >>> decode_base64("data:image/png;base64,UE5H")
    b'PNG'
    """
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError as first:
        # Wrapped lines are fine, anything else that is no base64 is not.
        joined = "".join(text.split())
        if len(joined) != len(text):
            return decode_base64(joined)
        raise BenchmarkError(f"it is no valid base64 ({_said(first)})") from first


def _said(error: ValueError) -> str:
    return str(error).removeprefix("Invalid base64-encoded string: ").lower()


def image_struct(value: object) -> bytes:
    """Return the encoded image in a value of a Parquet image column.

    Parameters
    ----------
    value
        A struct of `bytes` and `path`, the bytes alone, or base64 text.

    Raises
    ------
    BenchmarkError
        If there is no image in it.
    """
    if isinstance(value, dict):
        struct = cast(dict[str, Any], value)
        raw = struct.get("bytes")
        if not raw and struct.get("path"):
            raise BenchmarkError(
                f"it holds only the path {quoted(struct['path'])} and not the image's bytes"
            )
        value = raw
    if isinstance(value, str) and value.strip():
        return decode_base64(value.strip())
    if isinstance(value, bytes) and value:
        return value
    raise BenchmarkError("there is no image in it")


def list_of(text: str) -> list[str]:
    """Return the texts of a cell that holds a Python list, or the cell's text as the only one.

    Examples
    --------
    >>> list_of("['a', 'b']"), list_of("[draft] plan"), list_of("[]")
    (['a', 'b'], ['[draft] plan'], [])
    """
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        try:
            value: object = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return [text]
        items = cast(list[object], value) if isinstance(value, list) else [None]
        if all(isinstance(item, SCALARS) for item in items):
            return [str(item) for item in items]
    return [text]


def with_images(rows: Iterable[Row], store: ImageStore) -> Iterator[Row]:
    """Yield rows with the images of their `image` cell, and without the cell itself.

    A cell holds base64, a list of it, the `index` of another row whose image is meant (a rotated
    copy names its base row, as in VLMEvalKit's tables), a struct or bytes (Parquet), or nothing.
    All is done in one pass; a row that names a later one waits for it and is yielded at the end.

    Parameters
    ----------
    rows
        With the columns `index` and `image`.
    store
        Takes the images, each once.
    """
    known: dict[str, tuple[ImageFile, ...]] = {}
    waiting: list[Row] = []
    for row in rows:
        if row.problem is not None:
            yield row
            continue
        cells = _cells(row.get("image"))
        if _is_reference(cells) and _name(cells[0]) not in known:
            waiting.append(row)
            continue
        yield _resolved(row, cells, known, store)
    progress = True
    while waiting and progress:
        still: list[Row] = []
        for row in waiting:  # a row may wait for one that waits itself
            cells = _cells(row.get("image"))
            if _name(cells[0]) in known:
                yield _resolved(row, cells, known, store)
            else:
                still.append(row)
        progress = len(still) < len(waiting)
        waiting = still
    for row in waiting:
        yield _resolved(row, _cells(row.get("image")), known, store)


def _cells(value: object) -> list[object]:
    """Return what an image cell holds, one by one."""
    if value is None or value != value:
        return []
    if isinstance(value, str):
        text = value.strip()
        return list(list_of(text)) if text not in {"", "nan"} else []
    return cast(list[object], value) if isinstance(value, list) else [value]


def _is_reference(cells: list[object]) -> bool:
    return len(cells) == 1 and (
        isinstance(cells[0], int | float)
        or (isinstance(cells[0], str) and len(cells[0]) <= LONGEST_REFERENCE)
    )


def _name(value: object) -> str:
    """Return the index of a row as text; tables with gaps write 12 as 12.0."""
    return str(value).strip().removesuffix(".0")


def _resolved(
    row: Row, cells: list[object], known: dict[str, tuple[ImageFile, ...]], store: ImageStore
) -> Row:
    values = {name: value for name, value in row.values.items() if name != "image"}
    if _is_reference(cells):
        images = known.get(_name(cells[0]))
        if images is None:
            reason = (
                f"it is neither base64 nor the index of a row with an image: {quoted(cells[0])}"
            )
            return replace(row, problem=_problem(row, reason))
    else:
        kept: list[ImageFile] = []
        for number, cell in enumerate(cells, start=1):
            try:
                kept.append(store.keep(image_struct(cell), "it"))
            except BenchmarkError as error:
                which = f"image {number} of {len(cells)}: " if len(cells) > 1 else ""
                return replace(row, values=values, problem=_problem(row, which + str(error)))
        images = tuple(kept)
    if images:
        known[_name(row.get("index"))] = images
    return replace(row, values=values, images=images)


def _problem(row: Row, reason: str) -> RowProblem:
    return RowProblem(file=str(row.file), row=row.number, column="image", reason=reason)
