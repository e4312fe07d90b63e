"""What the table of phases says of a trajectory."""

from data_cache.records import ATOMS
from model_runners.layer_statistics import course_of
from pages.widgets.layer_phases import table
from tests.pages.spectra import record
from tests.pid_core.test_phases import course


def test_phases_and_emergence_stand_in_per_cent_of_the_layers() -> None:
    layers = [
        record("all", layer=number, atoms=tuple(atoms.tolist()))
        for number, atoms in enumerate(course())
    ]
    (row,) = table({"demo/a": course_of(layers, None)}).to_dict("records")
    assert row["Model"] == "demo/a"
    assert row["Phases"] == "silent, accumulation, late fusion"
    assert row["Second begins (%)"] == "21"  # layer 6 of 28
    assert row["Third begins (%)"] == "79"  # layer 22 of 28
    assert row["Synergy from (%)"] == "86"
    assert row["Remark"] == ""


def test_what_cannot_be_said_is_said_to_be_so() -> None:
    layers = [record("all", layer=number, atoms=(0.0, 0.0, 0.0, 0.1)) for number in range(3)]
    (row,) = table({"demo/a": course_of(layers, None)}).to_dict("records")
    assert row["Phases"] == "too few layers"
    assert row["Redundancy from (%)"] == "never"
    assert row["Second begins (%)"] == ""
    assert "two segments need 6" in row["Remark"]
    assert len(ATOMS) == sum(name.endswith("from (%)") for name in row)
