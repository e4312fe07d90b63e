"""C over k, seeds and noise: what the codes can carry, and what is only few samples per cell."""

import numpy as np
import pytest

from pid_core import ChannelError, Channels, PidError, estimate
from pid_core.contributions import (
    ContributionRow,
    contribution_table,
    modality_contributions,
    noise_stability,
)

COINS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def clouds(answer: np.ndarray, *, repeats: int = 40, soft: float = 0.0) -> Channels:
    """Two coins, each seen as a small cloud in 3 dimensions."""
    rng = np.random.default_rng(0)
    sides = np.tile(COINS, (repeats, 1))
    points = 10 * rng.normal(size=(2, 2, 3))
    seen = [points[m][sides[:, m]] + 0.01 * rng.normal(size=(len(sides), 3)) for m in (0, 1)]
    rows = (1 - soft) * np.eye(2)[np.tile(answer, repeats)] + soft / 2
    return Channels(full=rows, only_1=rows, only_2=rows, features_1=seen[0], features_2=seen[1])


FIRST = clouds(COINS[:, 0])
XOR = clouds(COINS[:, 0] ^ COINS[:, 1])


def nothing(n: int = 120, classes: int = 2) -> Channels:
    """Embeddings that have nothing to do with the answers."""
    rng = np.random.default_rng(1)
    rows = np.eye(classes)[rng.integers(classes, size=n)]
    x1, x2 = rng.normal(size=(2, n, 5))
    return Channels(full=rows, only_1=rows, only_2=rows, features_1=x1, features_2=x2)


def test_where_one_source_decides_it_has_the_whole_contribution_for_every_k() -> None:
    for row in contribution_table(FIRST, (2, 4, 8)):
        assert (row.contribution_1, row.contribution_2) == pytest.approx((1, 0), abs=1e-3)
        assert row.found.unique_1 == pytest.approx(1.0, abs=0.03)
        assert row.spread == pytest.approx(0.0, abs=1e-2)
        assert row.cautions == ()


def test_synergy_has_no_contribution_and_is_not_given_one() -> None:
    (row,) = contribution_table(XOR, (2,))
    assert np.isnan([row.contribution_1, row.contribution_2, row.spread]).all()
    assert row.found.synergy == pytest.approx(1.0, abs=1e-3)
    assert row.cautions == ()


def test_a_row_is_the_mean_of_the_estimator_over_its_seeds() -> None:
    channels = nothing()
    (row,) = contribution_table(channels, (8,), seeds=(4, 9))
    found = [estimate(channels, "ipfp", clusters=8, seed=seed) for seed in (4, 9)]
    for name in ("redundancy", "unique_1", "unique_2", "synergy", "total"):
        expected = np.mean([getattr(spectrum, name) for spectrum in found])
        assert getattr(row.found, name) == pytest.approx(expected, abs=1e-9), name
    first = [modality_contributions(spectrum)[0] for spectrum in found]
    assert row.spread == pytest.approx(max(first) - min(first))
    assert row.spread > 0
    assert row.spread_bits > 0
    assert row.seeds == 2


def test_with_a_code_for_every_sample_the_total_is_the_ceiling_whatever_the_features() -> None:
    for channels in (nothing(), clouds(COINS[:, 0], soft=0.3)):
        n = channels.n_samples
        (row,) = contribution_table(channels, (n,), seeds=(0,), permutations=1)
        assert row.alone == 1.0
        assert row.found.total == pytest.approx(row.ceiling_bits, abs=1e-9)
        assert row.chance is not None
        assert row.chance.total == pytest.approx(row.ceiling_bits, abs=1e-9)
        assert any("are alone in their cell" in sentence for sentence in row.cautions)
    hard = clouds(COINS[:, 0], soft=0.3)
    (row,) = contribution_table(hard, (2,), seeds=(0,), hard_answers=True)
    assert row.ceiling_bits == pytest.approx(1.0), "H(Y) of a fair coin"


def test_the_reference_by_chance_tells_features_that_say_nothing() -> None:
    """Independent features: C is a number, and random answers give the same information."""
    (row,) = contribution_table(nothing(), (16,))
    assert row.chance is not None
    assert row.found.total > 0.3
    assert row.chance.total == pytest.approx(row.found.total, rel=0.25)
    assert row.is_by_chance
    (sentence,) = [text for text in row.cautions if "do not read C here" in text]
    assert "random answers give" in sentence


def test_the_reference_by_chance_grows_with_k_and_shrinks_with_samples() -> None:
    few, many = nothing(n=120), nothing(n=960)

    def chance(channels: Channels, k: int) -> float:
        (row,) = contribution_table(channels, (k,), seeds=(0,))
        assert row.chance is not None
        return row.chance.total

    assert chance(few, 2) < chance(few, 8) < chance(few, 32)
    assert chance(many, 8) < 0.5 * chance(few, 8)


def test_answers_are_dealt_out_among_samples_with_the_same_candidates_only() -> None:
    """Samples with other candidates have other answers: a swap between them would break a rule."""
    rng = np.random.default_rng(2)
    valid = np.tile([[True, True, False], [True, True, True]], (30, 1))
    rows = rng.dirichlet(np.ones(3), 60) * valid
    rows /= rows.sum(1, keepdims=True)
    x1, x2 = rng.normal(size=(2, 60, 2))
    channels = Channels(
        full=rows, only_1=rows, only_2=rows, features_1=x1, features_2=x2, valid=valid
    )
    (row,) = contribution_table(channels, (4,), seeds=(0,))
    assert row.chance is not None
    assert 0 < row.chance.total < row.ceiling_bits


def test_the_table_is_the_same_twice_and_turns_with_the_sources() -> None:
    channels = nothing()
    turned = Channels(
        full=channels.full,
        only_1=channels.full,
        only_2=channels.full,
        features_1=channels.features_2,
        features_2=channels.features_1,
    )
    (one,), (two,) = (contribution_table(c, (8,), seeds=(3,)) for c in (channels, channels))
    assert one == two
    (mirrored,) = contribution_table(turned, (8,), seeds=(3,))
    assert mirrored.contribution_1 == pytest.approx(one.contribution_2, abs=1e-2)


def test_well_separated_clouds_stand_noise_and_lose_their_information_in_the_end() -> None:
    rows = noise_stability(FIRST, (0.0, 0.1, 3.0), clusters=2)
    assert [row.noise for row in rows] == [0.0, 0.1, 3.0]
    clean, little, drowned = rows
    assert clean == contribution_table(FIRST, (2,))[0]
    assert little.found.unique_1 == pytest.approx(1.0, abs=0.02)
    assert drowned.found.unique_1 < 0.5
    assert drowned.noise == 3.0


def test_noise_is_measured_in_each_dimensions_own_deviation() -> None:
    """A dimension of large numbers must not drown one of small numbers."""
    assert FIRST.features_1 is not None
    scaled = Channels(
        full=FIRST.full,
        only_1=FIRST.full,
        only_2=FIRST.full,
        features_1=FIRST.features_1 * [1.0, 1e4, 1e-4],
        features_2=FIRST.features_2,
    )

    def found(channels: Channels) -> ContributionRow:
        return noise_stability(channels, (0.5,), clusters=2, seeds=(0,), permutations=0)[0]

    assert found(scaled).found.total == pytest.approx(found(FIRST).found.total, abs=1e-6)


def test_noise_makes_codes_of_embeddings_that_were_equal_and_chance_shows_it() -> None:
    """Four prompts are four codes; with noise each sample has a prompt of its own."""
    rng = np.random.default_rng(3)
    prompts = np.eye(4)[rng.integers(4, size=200)]
    rows = np.eye(2)[rng.integers(2, size=200)]
    channels = Channels(
        full=rows, only_1=rows, only_2=rows, features_1=rng.normal(size=(200, 3)),
        features_2=prompts,
    )  # fmt: skip
    clean, noisy = noise_stability(channels, (0.0, 0.05), clusters=32)
    assert clean.chance is not None
    assert noisy.chance is not None
    assert (clean.codes_1, clean.codes_2, noisy.codes_2) == (32, 4, 32)
    assert noisy.alone > clean.alone
    assert noisy.chance.total > clean.chance.total + 0.1


@pytest.mark.parametrize("scale", [-0.1, float("nan"), float("inf")])
def test_noise_without_a_strength_is_refused(scale: float) -> None:
    with pytest.raises(PidError, match="a finite number of 0 or more"):
        noise_stability(FIRST, (scale,))


def test_what_it_needs_is_said() -> None:
    half = np.full((4, 2), 0.5)
    bare = Channels(full=half, only_1=half, only_2=half)
    with pytest.raises(ChannelError, match="hand in features_1 and features_2"):
        contribution_table(bare)
    with pytest.raises(PidError, match="at least one seed"):
        contribution_table(FIRST, seeds=())
    with pytest.raises(PidError, match="clusters must be at least 1"):
        contribution_table(FIRST, (0,))
