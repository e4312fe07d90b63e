"""Strategies: which samples weigh how much, and what is said where there are too few of a kind."""

import numpy as np
import pytest

from model_runners.errors import BadOption, NoGapSamples
from model_runners.finetuning.options import SELECT
from model_runners.strategies import STRATEGIES, SampleScores, check_strategy, weigh

GAP = [0.0, 0.9, 0.5, 0.9, 0.0, 0.2]
SHORTCUT = [0.8, 0.7, 0.0, 0.1, 0.3, 0.0]
POTENTIAL = [2.0, 0.0, 0.0, 1.0, 0.0, 0.0]
SOUND = [0.0, 0.1, 0.0, -0.4, 1.1, 0.2]

ANSWER = [0.9, 0.2, 0.9, 0.5, 0.1, 0.9]
WITHOUT_IMAGE = [0.9, 0.4, 0.3, 0.1, 0.1, 0.2]


def scores(
    gap: list[float] = GAP,
    potential: list[float] = POTENTIAL,
    without: list[float] = WITHOUT_IMAGE,
) -> SampleScores:
    return SampleScores(
        sample_ids=tuple("abcdef"),
        gap_score=np.array(gap),
        shortcut=np.array(SHORTCUT),
        fusion_potential=np.array(potential),
        synergy_ratio=np.zeros(6),
        answer=np.array(ANSWER),
        answer_without_image=np.array(without),
        audio_unique=np.array(SOUND),
        tagged=frozenset("bd"),
    )


def drawn(top: int) -> list[float]:
    """What the strategy `random` has to give for the seed 0."""
    order = np.random.default_rng(0).permutation(6)
    return [
        3.0 if row in order[:top] else 0.5 if row in order[top : 2 * top] else 1.0
        for row in range(6)
    ]


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("pid", [0.5, 3.0, 1.0, 3.0, 0.5, 1.0]),
        ("uniform", [1.0] * 6),
        ("fp", [3.0, 1.0, 1.0, 3.0, 1.0, 1.0]),
        ("accuracy", [0.5, 3.0, 0.5, 1.0, 3.0, 1.0]),
        ("ablation", [0.5, 0.5, 3.0, 1.0, 1.0, 3.0]),
        ("audio", [1.0, 1.0, 1.0, 1.0, 3.0, 3.0]),
        ("random", drawn(2)),
        ("tag", [1.0, 3.0, 1.0, 3.0, 1.0, 1.0]),
    ],
)
def test_each_strategy_weighs_by_its_own_rule(name: str, weights: list[float]) -> None:
    found = weigh(name, scores(), top=2)
    assert found.weights.tolist() == weights
    expected = {3.0: "gap", 0.5: "shortcut", 1.0: "rest"}
    assert found.roles == tuple(expected[weight] for weight in weights)
    assert found.warnings == ()


def test_every_strategy_of_the_table_has_its_case() -> None:
    cases = {"pid", "uniform", "fp", "random", "accuracy", "ablation", "audio", "tag"}
    assert set(STRATEGIES) == cases


def test_a_sample_that_is_both_is_a_gap_sample() -> None:
    found = weigh("pid", scores(), top=2)
    assert SHORTCUT[1] > 0.5
    assert found.roles[1] == "gap"
    assert found.roles.count("shortcut") == 2, "the next one takes its place"


@pytest.mark.parametrize("name", ["pid", "fp", "accuracy", "ablation", "audio"])
def test_equal_scores_are_taken_by_sample_id_in_whatever_order_they_are_read(name: str) -> None:
    flat = np.full(6, 0.5)
    equal = SampleScores(
        sample_ids=tuple("cafebd"),
        gap_score=flat,
        shortcut=flat,
        fusion_potential=flat,
        synergy_ratio=flat,
        answer=flat,
        answer_without_image=flat,
        audio_unique=flat,
    )
    roles = dict(zip(equal.sample_ids, weigh(name, equal, top=2).roles, strict=True))
    assert [one for one in sorted(roles) if roles[one] == "gap"] == ["a", "b"]


def test_topk_leaves_out_what_is_neither_lifted_nor_lowered() -> None:
    everything, few = (weigh("pid", scores(), top=2, select=select) for select in SELECT)
    assert everything.weights.tolist() == [0.5, 3.0, 1.0, 3.0, 0.5, 1.0]
    assert few.weights.tolist() == [0.5, 3.0, 0.0, 3.0, 0.5, 0.0]


def test_topk_of_uniform_keeps_the_samples_that_random_draws() -> None:
    uniform = weigh("uniform", scores(), top=2, seed=3, select="topk").weights
    random = weigh("random", scores(), top=2, seed=3, select="topk").weights
    assert uniform.tolist() == (random > 0).astype(float).tolist()
    assert uniform.sum() == 4


def test_audio_is_refused_where_no_source_is_heard() -> None:
    unheard = SampleScores.unknown(("a", "b"))
    with pytest.raises(BadOption, match="audio is no source of the runs of this model"):
        weigh("audio", unheard, top=1)


@pytest.mark.parametrize("name", ["random", "accuracy", "ablation"])
@pytest.mark.parametrize(("top", "lowered"), [(1, 1), (3, 3), (4, 2), (9, 0)])
def test_every_control_lifts_and_lowers_as_many_as_are_asked_for(
    name: str, top: int, lowered: int
) -> None:
    roles = weigh(name, scores(), top=top).roles
    assert (roles.count("gap"), roles.count("shortcut")) == (min(top, 6), lowered)


def test_a_draw_depends_on_its_seed_and_on_nothing_else() -> None:
    first = [weigh("random", scores(), top=2, seed=seed).roles for seed in range(8)]
    again = [weigh("random", scores(gap=SHORTCUT), top=2, seed=seed).roles for seed in range(8)]
    assert first == again
    assert len(set(first)) > 1


def test_ablation_is_refused_where_the_image_was_never_removed() -> None:
    with pytest.raises(BadOption, match=r"6 of the 6 .* without their image"):
        weigh("ablation", scores(without=[float("nan")] * 6), top=2)


def test_uniform_asks_for_no_scores() -> None:
    assert not check_strategy("uniform").needs_scores
    unknown = SampleScores.unknown(("a", "b"))
    assert np.isnan(unknown.gap_score).all()
    assert weigh("uniform", unknown, top=1).weights.tolist() == [1.0, 1.0]


def test_fewer_gap_samples_than_asked_for_are_taken_and_told() -> None:
    found = weigh("pid", scores(gap=[0, 0.3, 0, 0, 0, 0]), top=3)
    assert found.roles.count("gap") == 1
    assert found.warnings == ("1 of 3 gap samples were found: the others have a score of 0",)
    (warning,) = weigh("fp", scores(), top=3).warnings
    assert "2 of 3" in warning


@pytest.mark.parametrize("name", ["pid", "fp"])
def test_no_sample_to_lift_is_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(NoGapSamples, match=r"nothing for the strategy .*--strategy uniform"):
        weigh(name, scores(gap=[0.0] * 6, potential=[0.0] * 6), top=2)


def test_an_unknown_strategy_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(BadOption, match="did you mean 'uniform'"):
        check_strategy("unifrom")
