import numpy as np
import pytest

from data_cache.conditions import Condition
from pages.widgets.carrier import voice, who_carried

OPEN = (0.25, 0.25, 0.25, 0.25)
A = (0.94, 0.02, 0.02, 0.02)
B = (0.02, 0.94, 0.02, 0.02)
C = (0.02, 0.02, 0.94, 0.02)


def sentence(full, only_1, only_2, neither=OPEN, answer=0):
    return who_carried(
        {
            Condition.FULL: np.array(full),
            Condition.ONLY_1: np.array(only_1),
            Condition.ONLY_2: np.array(only_2),
            Condition.NEITHER: np.array(neither),
        },
        answer,
    )


@pytest.mark.parametrize(
    ("full", "only_1", "only_2", "expected"),
    [
        (
            A,
            OPEN,
            OPEN,
            "Only image and text together give the right answer: alone, each leaves it open "
            "(entropy 2.00 and 2.00 of 2.00 bits).",
        ),
        (A, A, A, "Image and text each give the right answer on their own (94% and 94%)."),
        (
            A,
            A,
            OPEN,
            "The image alone gives the right answer (94%); the text alone leaves it open "
            "(entropy 2.00 of 2.00 bits).",
        ),
        (
            A,
            OPEN,
            A,
            "The text alone gives the right answer (94%); the image alone leaves it open "
            "(entropy 2.00 of 2.00 bits).",
        ),
        (
            A,
            A,
            B,
            "The image alone gives the right answer (94%); the text alone points to B (94%).",
        ),
        (
            A,
            B,
            A,
            "The text alone gives the right answer (94%); the image alone points to B (94%).",
        ),
        (
            A,
            B,
            C,
            "Only image and text together give the right answer: the image alone points to B "
            "(94%), the text alone points to C (94%).",
        ),
        (
            A,
            OPEN,
            C,
            "Only image and text together give the right answer: the image alone leaves it open "
            "(entropy 2.00 of 2.00 bits), the text alone points to C (94%).",
        ),
        (
            OPEN,
            OPEN,
            OPEN,
            "Image and text together leave the answer open (entropy 2.00 of 2.00 bits), and so "
            "does each alone.",
        ),
        (
            OPEN,
            A,
            OPEN,
            "Image and text together leave the answer open (entropy 2.00 of 2.00 bits), though "
            "the image alone points to A (94%).",
        ),
        (
            OPEN,
            A,
            B,
            "Image and text together leave the answer open (entropy 2.00 of 2.00 bits), though "
            "the image alone points to A (94%) and the text alone points to B (94%).",
        ),
    ],
)
def test_each_way_to_an_answer_has_its_sentence(full, only_1, only_2, expected):
    assert sentence(full, only_1, only_2) == expected


def test_a_wrong_answer_is_called_wrong():
    assert "this wrong answer" in sentence(B, OPEN, B, answer=0)


def test_an_answer_that_needs_nothing_is_not_credited_to_a_modality():
    assert sentence(A, A, A, neither=A) == (
        "Neither is needed: with image and text masked the model still gives the right answer "
        "(94%)."
    )


def test_without_the_doubly_masked_condition_there_is_still_a_sentence():
    three = {
        Condition.FULL: np.array(A),
        Condition.ONLY_1: np.array(A),
        Condition.ONLY_2: np.array(OPEN),
    }
    assert who_carried(three, 0).startswith("The image alone gives the right answer")


def test_an_option_is_named_half_the_way_from_chance_to_certainty():
    assert voice(np.array([0.76, 0.24])).option == 0
    assert voice(np.array([0.74, 0.26])).option is None
    assert voice(np.array([0.63, 0.37, 0.0, 0.0])).option == 0
    assert voice(np.array([0.62, 0.38, 0.0, 0.0])).option is None


def test_certainty_has_no_entropy():
    assert voice(np.array([1.0, 0.0])).entropy == 0
