from __future__ import annotations

import numpy as np
import pytest

from pid_core import ChannelError, Channels

GOOD = {"full": [[0.6, 0.4]] * 3, "only_1": [[0.5, 0.5]] * 3, "only_2": [[0.1, 0.9]] * 3}


def test_lists_arrays_and_tensors_become_the_same_read_only_float64():
    torch = pytest.importorskip("torch")
    for convert in (list, lambda x: np.array(x, dtype=np.float32), torch.tensor):
        channels = Channels(**{name: convert(rows) for name, rows in GOOD.items()})
        assert channels.full.dtype == np.float64
        assert channels.full.sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-15)
        with pytest.raises(ValueError, match="read-only"):
            channels.full[0, 0] = 1.0


def test_the_callers_array_stays_writable_and_unchanged():
    full = np.array([[0.5, 0.5], [0.25, 0.75]])
    Channels(full=full, only_1=full, only_2=full)
    full[0, 0] = 0.3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"full": [[0.6, 0.5]] * 3}, "row 0 sums to 1.1"),
        ({"only_1": [[0.5, 0.5]] * 2}, r"only_1 must have the shape of full \(3, 2\)"),
        ({"only_2": [[0.1, 0.9], [1.2, -0.2], [0.5, 0.5]]}, "not be negative, row 1 has -0.2"),
        ({"only_2": [[0.1, 0.9], [np.nan, 0.2], [0.5, 0.5]]}, "finite, row 1 has nan"),
        ({"full": [0.5, 0.5]}, "2 axes"),
        ({"full": [[1.0], [1.0], [1.0]]}, "shape of full|at least 2"),
        ({"full": [[0.5, 0.5], [1.0]]}, "rectangular"),
        ({"valid": [[True, True]]}, r"valid must have shape \(3, 2\)"),
        ({"valid": [[1, 2]] * 3}, "true and false only"),
        ({"valid": [[True, False]] * 3}, "0 outside the valid candidates, row 0"),
        ({"features_1": [[1.0, 2.0]]}, "one row per sample"),
        ({"features_2": [[np.inf]] * 3}, "features_2 must be finite"),
        ({"group_id": ["a", "b"]}, "one entry per sample"),
    ],
)
def test_bad_input_is_refused_with_rule_value_and_row(change: dict[str, object], message: str):
    with pytest.raises(ChannelError, match=message):
        Channels(**{**GOOD, **change})


def test_no_sample_one_candidate_and_one_valid_candidate_are_refused():
    empty = np.zeros((0, 2))
    with pytest.raises(ChannelError, match="no sample"):
        Channels(full=empty, only_1=empty, only_2=empty)
    one = np.ones((3, 1))
    with pytest.raises(ChannelError, match="at least 2"):
        Channels(full=one, only_1=one, only_2=one)
    sure = [[1.0, 0.0]] * 2
    with pytest.raises(ChannelError, match="row 1 has 1"):
        Channels(full=sure, only_1=sure, only_2=sure, valid=[[True, True], [True, False]])
