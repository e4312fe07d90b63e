"""Searches for garbage stay short, and garbage is found all the same."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from pages.widgets.garbage import WHOLE_EVERY, Watch, keep_searches_short


class Knot:
    """Refers to itself, so that only a search finds it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def without_others() -> Iterator[None]:
    """Leave the process as it was."""
    before = list(gc.callbacks)
    gc.callbacks[:] = [one for one in before if not isinstance(one, Watch)]
    yield
    gc.callbacks[:] = before
    gc.unfreeze()


def test_what_survived_a_long_search_is_left_out_of_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pages.widgets.garbage.LONG_SECONDS", -1.0)
    gc.unfreeze()
    keep_searches_short()
    keep_searches_short()
    assert sum(isinstance(one, Watch) for one in gc.callbacks) == 1
    gc.collect()
    assert gc.get_freeze_count() > 10_000


def test_what_became_garbage_after_that_is_found_within_some_searches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pages.widgets.garbage.LONG_SECONDS", -1.0)
    keep_searches_short()
    knot = Knot()
    seen = weakref.ref(knot)
    gc.collect()
    del knot
    gc.collect()
    assert seen() is not None  # it was left out
    for _ in range(WHOLE_EVERY):
        gc.collect()
    assert seen() is None
