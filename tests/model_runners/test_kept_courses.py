"""Courses over layers are computed once: phases of a trajectory, and what patching did."""

import shutil
from pathlib import Path

import pytest

from data_cache import estimates
from data_cache.derived import listed
from data_cache.layer_rows import layer_rows
from data_cache.patch_scores import patch_scores, pointwise_atoms
from data_cache.records import ATOMS, SpectrumRecord
from model_runners.kept_courses import kept_course, kept_patch_course, versions
from model_runners.layer_statistics import course_of
from model_runners.patch_statistics import patch_course, sample_effects
from tests.data_cache.answers import estimated
from tests.data_cache.patches import write_block
from tests.data_cache.spools import small_benchmark
from tests.pid_core.test_phases import course

BENCHMARK = small_benchmark(12)
IDS = [sample.id for sample in BENCHMARK.samples]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of seven layers, and its own output."""
    folder = tmp_path_factory.mktemp("layers")
    atoms = course()[::4]
    for layer, values in enumerate([*atoms, atoms[-1]]):
        numbers = {
            name: [float(value) + 0.01 * ((7 * i + layer) % 5) for i in range(len(IDS))]
            for name, value in zip(ATOMS, values, strict=True)
        }
        own = layer == len(atoms)
        estimated(folder, BENCHMARK, numbers=numbers, influences=True, layer=-1 if own else layer)
    return folder


@pytest.fixture
def cache(built: Path, tmp_path: Path) -> Path:
    return shutil.copytree(built, tmp_path / "cache")


def layers(cache: Path) -> list[SpectrumRecord]:
    return [one for one in estimates.load(cache, layer=None) if one.layer >= 0]


def test_phases_that_are_kept_are_those_that_were_fitted(cache: Path) -> None:
    found = layers(cache)
    rows = layer_rows(cache, [one.estimate_key for one in found])
    assert rows is not None
    fitted = course_of(found, rows)
    assert fitted.samples == len(IDS)
    for _ in range(2):
        assert repr(kept_course(cache, found)) == repr(fitted)
    assert len(listed(cache)) == 1
    assert repr(kept_course(cache, found, resamples=0)) == repr(course_of(found, None))
    assert {one.name: one.version for one in listed(cache)} == {"phases": versions()["phases"]}


def test_another_estimate_of_a_layer_is_another_course(cache: Path) -> None:
    before = kept_course(cache, layers(cache))
    flat = {name: [0.0] * len(IDS) for name in ATOMS}
    estimated(cache, BENCHMARK, layer=6, numbers=flat, influences=True)
    assert repr(kept_course(cache, layers(cache))) != repr(before)


def test_effects_of_patches_that_are_kept_are_those_that_were_measured(cache: Path) -> None:
    own = next(one for one in estimates.load(cache))

    def kept() -> object:
        return kept_patch_course(
            cache, run_key=own.run_key, estimate_key=own.estimate_key, tau=0.3, draws=None
        )

    assert kept() is None
    write_block(cache, own.run_key, IDS[:6])
    first = kept()
    scores = patch_scores(cache, own.run_key)
    assert scores is not None
    measured = patch_course(
        sample_effects(scores, tau=0.3), atoms=pointwise_atoms(cache, own.estimate_key)
    )
    assert repr(first) == repr(kept()) == repr(measured)
    write_block(cache, own.run_key, IDS[6:], index=1)
    more = kept()
    assert repr(more) != repr(first)
    assert [one.is_current for one in listed(cache)] == [True]  # in place of the older one
