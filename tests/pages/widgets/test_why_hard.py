"""Each reason why a sample is hard has its sentence, with the number that says it."""

import pytest

from data_cache.conditions import Condition
from pages.widgets.why_hard import why_hard
from tests.pages.details import distribution

OPEN = (0.25, 0.25, 0.25, 0.25)
A = (0.94, 0.02, 0.02, 0.02)
B = (0.02, 0.94, 0.02, 0.02)
C = (0.02, 0.02, 0.94, 0.02)


def sentences(full, only_1, only_2, *, ratio=0.0, shortcut=0.0, potential=0.0, **more):
    """The sentences of a sample whose right answer is A."""
    given = ((Condition.FULL, full), (Condition.ONLY_1, only_1), (Condition.ONLY_2, only_2))
    return why_hard(
        {
            "gap_score": more.get("gap", 0.0),
            "synergy_ratio": ratio,
            "shortcut": shortcut,
            "fusion_potential": potential,
        },
        {
            condition: one if hasattr(one, "draws") else distribution(one)
            for condition, one in given
        },
        answer=0,
        tau=0.3,
    )


@pytest.mark.parametrize(
    ("conditions", "scores", "expected"),
    [
        (
            (A, OPEN, OPEN),
            {"potential": 1.2, "gap": 1.03, "ratio": 0.04, "shortcut": 0.1},
            "Fusion is missing: both together make the model 1.20 bits surer than the better one "
            "alone (FP), yet synergy is only 4% of what decides the answer (SR) and the text "
            "alone 10% (SC), so 1.03 bits of that room are unused (GapScore).",
        ),
        (
            (A, OPEN, OPEN),
            {"potential": 1.9, "gap": 0.1, "ratio": 0.95},
            "Fusion is there: both together make the model 1.90 bits surer than the better one "
            "alone (FP), and synergy is 95% of what decides the answer (SR), so only 0.10 bits of "
            "that room are unused (GapScore).",
        ),
        (
            (A, OPEN, OPEN),
            {"potential": 0.8, "gap": 0.12, "ratio": 0.05, "shortcut": 0.84},
            "The text is a shortcut: both together make the model 0.80 bits surer than the better "
            "one alone (FP), but what the text alone tells is 84% of what decides the answer "
            "(SC), so only 0.12 bits count as missing fusion (GapScore).",
        ),
        (
            (A, OPEN, A),
            {"potential": 0.02, "gap": 0.01},
            "There is no room for fusion: the text alone makes the model about as sure as both "
            "together (FP 0.02 bits), so its GapScore is 0.01 bits.",
        ),
    ],
)
def test_each_way_the_scores_meet_has_its_sentence(conditions, scores, expected):
    assert sentences(*conditions, **scores) == (expected,)


def test_a_model_that_stays_unsure_is_not_called_easy_for_its_low_gap_score():
    first, second = sentences(OPEN, OPEN, OPEN, potential=0.02, gap=0.02)
    assert first == (
        "The model stays unsure: both together leave 2.00 of 2.00 bits open, the image alone 2.00 "
        "(FP 0.02 bits), so its GapScore of 0.02 bits says nothing of how hard it is."
    )
    assert second == (
        "The right answer A has 25% with both, 25% with the image alone and 25% with the text "
        "alone: nothing points to it."
    )


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ((B, A, OPEN), "25% with the text alone: the text leads the model away from it."),
        ((B, OPEN, A), "94% with the text alone: the image leads the model away from it."),
        ((B, A, A), "94% with the text alone: together they lose what each alone says."),
        ((B, OPEN, B), "2% with the text alone; the wrong B is what the text alone says too."),
        (
            (B, B, B),
            "2% with the text alone; the wrong B is what the image alone and the text alone say "
            "too.",
        ),
        ((B, C, OPEN), "25% with the text alone: nothing points to it."),
    ],
)
def test_a_wrong_answer_comes_with_what_each_condition_gave_the_right_one(conditions, expected):
    found = sentences(*conditions)[1]
    assert found.startswith("The right answer A has 2% with both, ")
    assert found.endswith(expected)


def test_a_right_answer_that_overrules_a_prior_says_which():
    assert sentences(A, OPEN, B)[1] == (
        "The right answer has to overrule the text alone, which points to the wrong B (94%)."
    )
    assert sentences(A, C, B)[1].count("which points to the wrong") == 2
    assert len(sentences(A, A, OPEN)) == 1, "nothing stands against it"


def test_a_condition_that_named_no_option_is_said_to_be_a_convention():
    found = sentences(A, distribution(OPEN, OPEN, fallback=True), OPEN)
    assert found[-1] == (
        "With the image alone the options had less than 0.3 of the probability (tau) in 2 of 2 "
        "draws of noise, and a uniform distribution stands in: that it looks unsure is a "
        "convention there."
    )
    assert (
        "With both together the options" in sentences(distribution(OPEN, fallback=True), A, A)[-1]
    )


def test_noise_that_decides_is_named_with_its_range():
    assert sentences(A, OPEN, distribution(A, B))[-1] == (
        "The noise in place of the image decides much: the text alone gives A 2% to 94% over 2 "
        "draws, and the scores rest on the mean of 48%."
    )
    assert len(sentences(A, OPEN, distribution(A, A))) == 1


def test_undefined_scores_and_missing_conditions_claim_nothing():
    assert sentences(A, OPEN, OPEN, gap=None)[0] == (
        "Its scores are undefined, so they do not say whether fusion is missing."
    )
    assert why_hard({}, {Condition.FULL: distribution(A)}, answer=0, tau=0.3) == ()
