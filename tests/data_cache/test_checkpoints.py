"""Which checkpoint a run is of: what a configuration may say, and what is refused."""

from typing import Any

import pytest

from data_cache.checkpoints import Checkpoint, checkpoint_from, checkpoint_of, is_of_checkpoint
from data_cache.errors import CacheError

POINT = Checkpoint(trajectory="demo/a", stage="projector", step=100)


def test_a_checkpoint_comes_back_from_a_configuration_as_it_went_in() -> None:
    config = {"model": POINT.model, "checkpoint": POINT.to_dict()}
    assert checkpoint_of(config) == POINT
    assert is_of_checkpoint(config)


def test_a_run_of_anything_else_is_of_no_checkpoint() -> None:
    assert checkpoint_of({"model": "demo/a"}) is None
    assert not is_of_checkpoint({"model": "demo/a"})


def test_without_stages_the_name_is_the_step() -> None:
    assert Checkpoint(trajectory="a", stage="", step=7).model == "a@7"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"step": -1}, "from 0 on"),
        ({"step": 1.5}, "whole number"),
        ({"step": True}, "whole number"),
        ({"trajectory": ""}, "must have a name"),
        ({"trajectory": "a@b"}, "without an @"),
        ({"stage": 3}, "are text"),
        ({"epoch": 1}, "a trajectory, a stage and a step"),
    ],
)
def test_what_could_not_be_told_from_another_checkpoint_is_refused(
    change: dict[str, Any], says: str
) -> None:
    with pytest.raises(CacheError, match=says):
        checkpoint_from(POINT.to_dict() | change)


def test_a_configuration_with_something_else_in_that_place_is_refused() -> None:
    with pytest.raises(CacheError, match="no checkpoint that can be read"):
        checkpoint_of({"checkpoint": "demo/a@projector-100"})
