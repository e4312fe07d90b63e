"""Records as plain JSON values and back: fields by name, every number exactly as it was."""

import dataclasses
import types
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

Record = TypeVar("Record")


def plain(value: object) -> Any:
    """Return a value as JSON can say it; dataclasses become objects, sequences become lists.

    Numbers keep every digit, nan and infinity included (Python's JSON writes and reads them).

    Raises
    ------
    TypeError
        If a value is of no kind that `rebuilt` knows.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value)
        return {_name(key): plain(item) for key, item in pairs.items()}
    if isinstance(value, np.generic):
        return plain(cast("Any", value).item())
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Sequence):
        return [plain(item) for item in cast("Sequence[object]", value)]
    raise TypeError(f"{value!r} is no plain value")


def rebuilt(kind: type[Record], value: object) -> Record:
    """Return what `plain` made JSON of.

    Parameters
    ----------
    kind
        What it was: a dataclass, or `tuple[A, ...]`, `list[A]`, `Mapping[str, A]`, a union, a
        literal, text or a number.
    value
        What `plain` returned.

    Raises
    ------
    TypeError
        If the value does not fit: a field is missing or unknown, or of another kind.
    """
    return cast("Record", _reader(kind)(value))


Reader = Callable[[Any], Any]


@cache
def _reader(kind: Any) -> Reader:
    """Return what reads one kind: thousands of records of a few kinds are read at a time."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return _as_it_is
    if kind is float:
        return _number
    if kind in {str, int, bool, type(None)}:
        return partial(_of_type, kind)
    if dataclasses.is_dataclass(kind):
        return partial(_dataclass, kind)
    if origin in {Union, types.UnionType}:
        return partial(_one_of, kind, [_reader(one) for one in inner])
    if origin is Literal:
        return partial(_one_value, kind, inner)
    if origin is tuple and len(inner) == 2 and inner[1] is Ellipsis:
        return partial(_sequence, kind, tuple, _reader(inner[0]))
    if origin is tuple:
        return partial(_fixed, kind, [_reader(one) for one in inner])
    if origin in {list, Sequence}:
        return partial(_sequence, kind, list, _reader(inner[0]))
    if origin in {dict, Mapping}:
        return partial(_mapping, kind, _reader(inner[1]))
    raise TypeError(f"{kind!r} is no kind of plain value")


def _as_it_is(value: Any) -> Any:
    return value


def _number(value: Any) -> float:
    if type(value) is float:
        return value
    _check(type(value) is int, float, value)
    return float(value)


def _of_type(kind: type[Any], value: Any) -> Any:
    _check(type(value) is kind, kind, value)
    return value


def _dataclass(kind: Any, value: Any) -> Any:
    fields = _fields(kind)
    _check(isinstance(value, dict), kind, value)
    if value.keys() != fields.keys():
        raise TypeError(f"{kind.__name__} has the fields {sorted(fields)}, not {sorted(value)}")
    return kind(**{name: fields[name](item) for name, item in value.items()})


@cache
def _fields(kind: Any) -> dict[str, Reader]:
    told = get_type_hints(kind)
    return {item.name: _reader(told[item.name]) for item in dataclasses.fields(kind)}


def _one_of(kind: Any, readers: list[Reader], value: Any) -> Any:
    for read in readers:
        try:
            return read(value)
        except TypeError:
            continue
    raise TypeError(f"{value!r} is no {kind}")


def _one_value(kind: Any, values: tuple[Any, ...], value: Any) -> Any:
    _check(isinstance(value, str | int) and value in values, kind, value)
    return value


def _sequence(kind: Any, make: Callable[[Any], Any], read: Reader, value: Any) -> Any:
    _check(isinstance(value, list), kind, value)
    return make(read(item) for item in value)


def _fixed(kind: Any, readers: list[Reader], value: Any) -> Any:
    _check(isinstance(value, list), kind, value)
    _check(len(value) == len(readers), kind, value)
    return tuple(read(item) for read, item in zip(readers, value, strict=True))


def _mapping(kind: Any, read: Reader, value: Any) -> Any:
    _check(isinstance(value, dict), kind, value)
    return {name: read(item) for name, item in value.items()}


def _check(fits: bool, kind: object, value: Any) -> None:
    if not fits:
        raise TypeError(f"{value!r} is no {kind}")


def _name(key: object) -> str:
    # JSON would write the keys 1 and "1" alike.
    if not isinstance(key, str):
        raise TypeError(f"names must be text, and {key!r} is not")
    return key
