"""The samples that all layers have, and what each adds to the atoms of each layer."""

from pathlib import Path

import numpy as np
import pytest

from data_cache.layer_rows import layer_rows
from data_cache.records import ATOMS
from tests.data_cache.answers import estimated
from tests.data_cache.spools import small_benchmark

COUNT = 12


def layer(cache: Path, number: int, *, samples: int = COUNT, influences: bool = True) -> str:
    """Estimate a layer where sample i adds 100 times the layer, plus i, plus the atom's place."""
    benchmark = small_benchmark(COUNT)
    ids = [sample.id for sample in benchmark.samples][:samples]
    numbers = {
        atom: [100.0 * number + i + place / 10 for i in range(samples)]
        for place, atom in enumerate(ATOMS)
    }
    return estimated(
        cache, benchmark, ids=ids, numbers=numbers, influences=influences, layer=number
    ).estimate_key


def test_rows_are_of_the_samples_that_all_layers_have_in_the_order_asked_for(
    tmp_path: Path,
) -> None:
    keys = [layer(tmp_path, 0), layer(tmp_path, 1, samples=8), layer(tmp_path, 2)]
    found = layer_rows(tmp_path, [keys[2], keys[0], keys[1]])
    assert found is not None
    assert found.influences.shape == (8, 3, 4)
    assert found.influences[5, :, 3] == pytest.approx(np.array([205.3, 5.3, 105.3]), rel=1e-6)
    assert list(found.group_ids) == [
        sample.group_id for sample in small_benchmark(COUNT).samples[:8]
    ]


def test_layers_without_influences_or_without_a_common_sample_have_no_rows(tmp_path: Path) -> None:
    older = [layer(tmp_path, 0), layer(tmp_path, 1, influences=False)]
    assert layer_rows(tmp_path, older) is None
    assert layer_rows(tmp_path, ["nothing"]) is None
