import pytest

from model_runners.audit import AuditRow
from pages.figures.palette import ATOMS
from pages.figures.sensitivity_lines import describe, sensitivity_lines


def row(name: str, setting: str, redundancy: float) -> AuditRow:
    return AuditRow(
        estimator=name,
        label=f"{name}, {setting}",
        setting=setting,
        atoms=dict.fromkeys((atom.field for atom in ATOMS), 0.0) | {"redundancy": redundancy},
        interval={"redundancy": (redundancy - 0.1, redundancy + 0.2)},
        samples=64,
    )


ROWS = [row("certified", "0.2", 0.5), row("certified", "0.3", 0.75)]


def test_each_atom_is_a_line_over_the_settings_in_their_order() -> None:
    figure = sensitivity_lines(ROWS, setting="tau")
    assert len(figure.data) == len(ATOMS)
    assert list(figure.data[0].x) == ["0.2", "0.3"]
    assert list(figure.data[0].y) == [0.5, 0.75]
    assert list(figure.data[0].error_y.array) == pytest.approx([0.2, 0.2])
    assert figure.layout.xaxis.title.text == "tau"
    assert len({line.line.dash for line in figure.data}) == len(ATOMS)


def test_each_estimator_has_a_plot_and_the_atoms_one_legend() -> None:
    figure = sensitivity_lines([*ROWS, row("ipfp", "0.2", 0.1)], setting="pooling")
    assert len(figure.data) == 2 * len(ATOMS)
    assert [bool(line.showlegend) for line in figure.data].count(True) == len(ATOMS)
    assert [note.text for note in figure.layout.annotations] == ["<b>certified</b>", "<b>ipfp</b>"]


def test_nothing_computed_is_an_empty_figure() -> None:
    refused = AuditRow(estimator="ipfp", label="ipfp", atoms=None, refusal="no features")
    assert all(not list(line.x) for line in sensitivity_lines([refused], setting="tau").data)
    assert describe([refused]) == "Nothing is computed yet."


def test_it_is_described_in_words() -> None:
    assert describe(ROWS[:1]).startswith("certified, 0.2: redundancy 0.50")
