"""Phases and emergence of a stored trajectory."""

import numpy as np
import pytest

from data_cache.layer_rows import LayerRows
from data_cache.records import SpectrumRecord
from model_runners.layer_statistics import course_of
from pid_core import PidError
from tests.pages.spectra import record
from tests.pid_core.test_phases import course


def layers() -> list[SpectrumRecord]:
    return [
        record("all", layer=number, atoms=tuple(atoms.tolist()))
        for number, atoms in enumerate(course())
    ]


def test_a_course_of_three_phases_is_found_with_intervals_from_the_samples() -> None:
    atoms = course()
    generator = np.random.default_rng(0)
    # Samples differ in how much they hold, alike in all layers.
    influences = atoms * generator.lognormal(0.0, 0.5, size=(300, 1, 1))
    influences += generator.normal(0.0, 0.1, size=influences.shape)
    rows = LayerRows(group_ids=np.arange(300).astype(str), influences=influences.astype(np.float32))
    found = course_of(layers(), rows, resamples=40)
    assert found.samples == 300
    assert found.phases.pattern == "three phases"
    for cut, at in zip(found.phases.cuts, (6, 22), strict=True):
        assert cut.layer == pytest.approx(at, abs=1)
        assert cut.interval[0] <= cut.depth <= cut.interval[1]
    assert found.emergence["synergy"].layer == 24
    assert found.emergence["unique_2"].layer == pytest.approx(15, abs=2)


def test_without_rows_there_are_no_intervals() -> None:
    found = course_of(layers(), None)
    assert found.samples is None
    assert np.isnan(found.phases.cuts[0].interval).all()


def test_a_course_with_a_hole_is_refused() -> None:
    with pytest.raises(PidError, match="every layer"):
        course_of(layers()[1:], None)
