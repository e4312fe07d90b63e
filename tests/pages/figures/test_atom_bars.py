from pages.figures.atom_bars import atom_bars, describe
from pages.figures.palette import ATOMS
from tests.pages.spectra import record

NUMBERS = {"redundancy": -0.02, "unique_1": 0.0, "unique_2": None, "synergy": 1.95}


def test_the_atoms_stand_in_their_order_and_colours_and_in_bits() -> None:
    bars = atom_bars(NUMBERS, record()).data[0]
    assert list(bars.y) == [atom.label for atom in ATOMS]
    assert list(bars.marker.color) == [atom.colour for atom in ATOMS]
    assert list(bars.x) == [-0.02, 0.0, None, 1.95]
    assert "bits" in atom_bars(NUMBERS, record()).layout.xaxis.title.text


def test_the_estimate_stands_beside_the_sample() -> None:
    one = record("vision")
    marks = atom_bars(NUMBERS, one).data[-1]
    assert list(marks.x) == [getattr(one, atom.field) for atom in ATOMS]
    assert marks.name == f"mean of {one.n} samples"


def test_the_bars_are_told_in_words_without_what_is_undefined() -> None:
    assert describe(NUMBERS) == (
        "Redundancy -0.02 bits, Unique vision 0.00 bits, Synergy 1.95 bits"
    )


def test_two_samples_side_by_side_have_one_axis_with_room_for_the_numbers() -> None:
    axes = [atom_bars(NUMBERS, one, reach=(-0.5, 2.0)).layout.xaxis for one in (record(), record())]
    assert axes[0].range == axes[1].range
    low, high = axes[0].range
    assert low < -0.5
    assert high > 2.0
