"""Who is right, and by which route, is one sentence for two models and for four."""

import pytest

from data_cache.across import View
from data_cache.conditions import Condition
from pages.widgets.across_words import in_a_sentence
from tests.pages.details import distribution
from tests.pages.spectra import record

ATOMS = ("redundancy", "unique_1", "unique_2", "synergy")


def view(choice: int, largest: str, bits: float = 1.0) -> View:
    """A model that names this option, by this atom."""
    shares = tuple(float(place == choice) for place in range(4))
    return View(
        record=record(),
        numbers={atom: bits if atom == largest else 0.0 for atom in ATOMS},
        distributions={Condition.FULL: distribution(shares)},
    )


@pytest.mark.parametrize(
    ("views", "expected"),
    [
        (
            [view(0, "synergy"), view(0, "synergy")],
            "Both models are right. For all the largest atom is synergy.",
        ),
        (
            [view(0, "synergy"), view(0, "synergy"), view(0, "unique_2"), view(0, "unique_1")],
            "All 4 models are right. By different routes: the largest atom is synergy for A and B, "
            "unique language for C and unique vision for D.",
        ),
        (
            [view(0, "synergy"), view(2, "unique_2"), view(2, "unique_2")],
            "A is right, B and C are wrong, with C. By different routes: the largest atom is "
            "synergy for A and unique language for B and C.",
        ),
        (
            [view(1, "synergy"), view(2, "synergy")],
            "Both models are wrong, and differently. For all the largest atom is synergy.",
        ),
        (
            [view(1, "synergy", 0.001), view(1, "redundancy", 0.0)],
            "Both models are wrong, with B. No atom of this sample reaches 0.01 bits.",
        ),
        (
            [view(0, "synergy", 0.001), view(0, "redundancy")],
            "Both models are right. By different routes: the largest atom is too small to tell for "
            "A and redundancy for B.",
        ),
    ],
)
def test_each_meeting_of_models_has_its_sentence(views: list[View], expected: str) -> None:
    assert in_a_sentence(list(zip("ABCD", views, strict=False)), 0) == expected
