from __future__ import annotations

import numpy as np
import pytest

from pid_core import ChannelError, Channels, estimate, fusion_scores
from tests.pid_core.problems import peaked, random_channels, uniform


def test_a_synergistic_sample_has_no_gap_and_a_shortcut_sample_is_one():
    answers = np.arange(80) % 4
    sure, blind = peaked(answers, 0.98), uniform(80)
    fused = Channels(full=sure, only_1=blind, only_2=blind)
    scores = fusion_scores(estimate(fused), fused)
    assert scores.synergy_ratio == pytest.approx(np.ones(80), abs=1e-6)
    assert scores.gap_score == pytest.approx(np.zeros(80), abs=1e-6)
    assert scores.fusion_potential == pytest.approx(np.full(80, 1.827), abs=1e-3)
    short = Channels(full=sure, only_1=blind, only_2=sure)
    scores = fusion_scores(estimate(short), short)
    assert scores.shortcut == pytest.approx(np.ones(80), abs=1e-6)
    assert scores.fusion_potential == pytest.approx(np.zeros(80), abs=1e-9)


def test_scores_follow_their_formula_on_every_sample():
    channels = random_channels(0, 50, 4)
    spectrum = estimate(channels)
    scores = fusion_scores(spectrum, channels)
    i = 17
    positive = np.maximum(spectrum.pointwise[i], 0.0)
    assert scores.synergy_ratio[i] == pytest.approx(positive[3] / positive.sum())
    assert scores.shortcut[i] == pytest.approx(positive[2] / positive.sum())
    entropies = [-np.sum(p[i] * np.log2(p[i])) for p in (channels.only_1, channels.only_2)]
    joint = -np.sum(channels.full[i] * np.log2(channels.full[i]))
    assert scores.fusion_potential[i] == pytest.approx(max(0.0, min(entropies) - joint))
    assert scores.gap_score[i] == pytest.approx(
        (1 - scores.synergy_ratio[i]) * (1 - scores.shortcut[i]) * scores.fusion_potential[i]
    )
    for values in (scores.synergy_ratio, scores.shortcut):
        assert values.min() >= 0.0
        assert values.max() <= 1.0


def test_a_sample_without_any_information_scores_zero():
    channels = Channels(full=uniform(5), only_1=uniform(5), only_2=uniform(5))
    scores = fusion_scores(estimate(channels), channels)
    assert scores.gap_score == pytest.approx(np.zeros(5), abs=1e-12)
    assert np.isfinite(scores.synergy_ratio).all()


def test_channels_of_another_run_are_refused():
    with pytest.raises(ChannelError, match="estimated from"):
        fusion_scores(estimate(random_channels(0, 10, 3)), random_channels(0, 11, 3))
