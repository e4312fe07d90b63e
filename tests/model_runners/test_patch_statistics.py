"""Effects of patches: exact on answers of known probabilities, with intervals over groups."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from data_cache.patch_scores import PatchScores, PointwiseAtoms, patch_scores
from model_runners.patch_statistics import SampleEffects, patch_course, sample_effects
from tests.data_cache.patches import FULL, MASKED, write_block

RUN = "0123456789abcdef"


def scores_of(full, masked, patched) -> PatchScores:
    """One draw; (N, K), (N, K) and (N, L, K) probabilities."""
    full, masked, patched = (np.array(one, dtype=np.float64) for one in (full, masked, patched))
    logs = [np.log(one).astype(np.float32) for one in (full, masked, patched)]
    return PatchScores(
        sample_ids=tuple(f"s{row}" for row in range(len(full))),
        layers=tuple(range(patched.shape[1])),
        full=logs[0],
        masked=logs[1][:, None],
        patched=logs[2][:, :, None],
        valid=np.ones(full.shape, dtype=np.bool_),
    )


def drawn(n: int = 200, *, seed: int = 0) -> tuple[SampleEffects, PointwiseAtoms]:
    """Effects that are the samples' synergy and a little noise; unique vision is another story."""
    generator = np.random.default_rng(seed)
    synergy, unique_1, noise = generator.normal(size=(3, n))
    effect = np.stack([0.1 * noise, 0.1 * synergy + 0.02 * noise + 0.3], axis=1)
    ids = tuple(f"s{row:03d}" for row in range(n))
    effects = SampleEffects(
        sample_ids=ids, layers=(2, 3), effect=effect, moved=np.abs(effect),
        whole=effect[:, 1], draws=1,
    )  # fmt: skip
    atoms = PointwiseAtoms(
        sample_ids=ids[::-1],
        group_ids=np.array([f"g{row // 4}" for row in range(n)])[::-1],
        synergy=synergy[::-1],
        unique_1=unique_1[::-1],
    )
    return effects, atoms


def test_an_effect_is_the_change_of_the_full_runs_answer_and_what_moved_bounds_it() -> None:
    found = sample_effects(
        scores_of(
            [[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]],
            [[0.2, 0.3, 0.5], [0.4, 0.4, 0.2]],
            [[[0.5, 0.2, 0.3], [0.7, 0.2, 0.1]], [[0.2, 0.7, 0.1], [0.1, 0.1, 0.8]]],
        )
    )
    assert found.effect == pytest.approx(np.array([[0.3, 0.5], [-0.1, 0.6]]), abs=1e-6)
    assert found.moved == pytest.approx(np.array([[0.3, 0.5], [0.3, 0.6]]), abs=1e-6)
    assert found.whole == pytest.approx(np.array([0.5, 0.6]), abs=1e-6)
    assert (found.moved >= np.abs(found.effect) - 1e-9).all()


def test_too_little_mass_counts_as_uniform_as_in_the_estimate() -> None:
    faint = scores_of([[0.9, 0.1]], [[0.01, 0.04]], [[[0.9, 0.1]]])
    assert sample_effects(faint).effect[0, 0] == pytest.approx(0.9 - 0.5, abs=1e-6)
    assert sample_effects(faint, tau=0.0).effect[0, 0] == pytest.approx(0.9 - 0.2, abs=1e-6)


def test_draws_are_averaged_and_can_be_fewer() -> None:
    one = scores_of([[0.9, 0.1]], [[0.5, 0.5]], [[[0.9, 0.1]]])
    two = np.log(np.array([[[0.5, 0.5], [0.1, 0.9]]], dtype=np.float32))
    both = dataclasses.replace(one, masked=two, patched=np.repeat(one.patched, 2, axis=2))
    assert sample_effects(both).effect[0, 0] == pytest.approx(0.9 - 0.3, abs=1e-6)
    assert sample_effects(both, draws=1).effect[0, 0] == pytest.approx(0.9 - 0.5, abs=1e-6)


def test_effects_of_stored_patches_grow_to_the_whole(tmp_path: Path) -> None:
    write_block(tmp_path, RUN, ["s0", "s1", "s2", "s3"], layers=(1, 2, 3))
    write_block(tmp_path, RUN, ["s4"], index=1, layers=(3,))
    stored = patch_scores(tmp_path, RUN)
    assert stored is not None
    course = patch_course(sample_effects(stored))
    whole = FULL[0] - MASKED[0]
    assert [one.n for one in course.layers] == [4, 4, 5]
    assert course.layers[0].effect == pytest.approx(0.75 * whole / 2, abs=1e-6)
    assert course.layers[-1].effect == pytest.approx(course.whole, abs=1e-6)
    assert course.layers[-1].share == pytest.approx(1.0)
    assert course.layers[-1].synergy is None


def test_the_effect_that_is_synergy_goes_with_it_and_more_than_with_unique_vision() -> None:
    effects, atoms = drawn()
    course = patch_course(effects, atoms=atoms)
    noise, real = course.layers
    assert real.synergy is not None
    assert noise.synergy is not None
    assert real.closer is not None
    assert real.synergy.rho > 0.9
    assert noise.synergy.interval[0] < 0 < noise.synergy.interval[1]
    assert real.closer.interval[0] > 0.5
    assert real.interval[0] < 0.3 < real.interval[1]
    assert course.groups == 50


def test_whole_groups_are_drawn() -> None:
    effects, _ = drawn()
    copied = np.repeat(effects.effect[:50], 4, axis=0)
    repeated = dataclasses.replace(effects, effect=copied, moved=np.abs(copied))
    grouped, alone = (
        patch_course(repeated, groups=groups, resamples=500).layers[1].interval
        for groups in ([f"g{row // 4}" for row in range(200)], None)
    )
    assert grouped[1] - grouped[0] > 1.6 * (alone[1] - alone[0])


def test_a_model_that_ignores_the_image_has_no_effect_and_no_share_of_one() -> None:
    same = [[0.6, 0.4]] * 6
    course = patch_course(sample_effects(scores_of(same, same, [[one] for one in same])))
    assert course.whole == course.layers[0].effect == course.layers[0].moved == 0.0
    assert np.isnan(course.layers[0].share)


def test_where_hardly_anything_moved_nothing_is_correlated() -> None:
    """Differences of rounding have ranks, too."""
    effects, atoms = drawn()
    still = dataclasses.replace(
        effects, effect=1e-6 * effects.effect, moved=1e-6 * np.abs(effects.effect)
    )
    for one in patch_course(still, atoms=atoms).layers:
        assert one.synergy is one.unique_1 is one.closer is None


def test_few_samples_have_no_interval_and_unknown_numbers_are_none_in_json() -> None:
    few = patch_course(sample_effects(scores_of([[0.9, 0.1]], [[0.5, 0.5]], [[[0.6, 0.4]]])))
    text = json.dumps(few.to_dict(), allow_nan=False)
    (layer,) = json.loads(text)["layers"]
    assert layer["effect"] == pytest.approx(0.1, abs=1e-6)
    assert layer["interval"] == [None, None]
