"""Records as plain JSON and back: nothing is lost, and nothing that does not fit is taken."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Literal

import numpy as np
import pytest

from data_cache.plain import plain, rebuilt


@dataclass(frozen=True, kw_only=True)
class Inner:
    at: int | None
    ends: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    kind: Literal["one", "two"]
    inner: tuple[Inner, ...]
    by_name: Mapping[str, float]
    last: Inner | None = None


WHOLE = Outer(
    name="x",
    kind="two",
    inner=(Inner(at=None, ends=(0.1 + 0.2, 1e-300)), Inner(at=3, ends=(-0.0, float("inf")))),
    by_name={"a": 1.0},
)


def test_a_record_comes_back_from_json_as_it_was() -> None:
    back = rebuilt(Outer, json.loads(json.dumps(plain(WHOLE))))
    assert repr(back) == repr(WHOLE)


def test_numpy_numbers_and_nan_come_back_as_plain_numbers() -> None:
    value = Inner(at=np.int64(4), ends=(np.float64("nan"), np.float64(0.25)))  # pyright: ignore[reportArgumentType] -- what numpy hands over
    back = rebuilt(Inner, json.loads(json.dumps(plain(value))))
    assert type(back.at) is int
    assert isnan(back.ends[0])
    assert (back.at, back.ends[1]) == (4, 0.25)


@pytest.mark.parametrize(
    "change",
    [
        {"name": 3},
        {"kind": "three"},
        {"inner": [{"at": 1.5, "ends": [0.0, 1.0]}]},
        {"inner": [{"at": 1, "ends": [0.0]}]},
        {"by_name": {"a": True}},
        {"last": []},
        {"more": 1},
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        rebuilt(Outer, plain(WHOLE) | change)


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(TypeError):
        plain({1: "a"})
    with pytest.raises(TypeError):
        plain({"a": object()})
