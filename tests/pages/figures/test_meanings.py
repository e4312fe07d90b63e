import dataclasses

import pytest

from data_cache.estimates import SCORES, SpectrumRecord
from pages.figures.meanings import ALL, LINE, MEANINGS, help_of, hover_lines, meaning_below
from pages.figures.palette import ATOMS
from pages.figures.quantities import QUANTITIES
from pages.figures.scores import SORTABLE
from pages.figures.spectrum_bars import spectrum_bars
from pages.widgets.spectrum_table import column_labels, table
from tests.pages.spectra import ATOMS as FIELDS
from tests.pages.spectra import record


def test_every_number_that_can_be_chosen_is_explained() -> None:
    shown = {one.key for one in QUANTITIES} | {one.field for one in SORTABLE} | {*SCORES, *FIELDS}
    assert shown <= set(MEANINGS)
    numbers = {
        field.name
        for field in dataclasses.fields(SpectrumRecord)
        if field.type in {float, "float", "float | None"}
    }
    assert numbers <= set(MEANINGS)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.key)
def test_a_meaning_is_one_sentence_and_so_is_the_doubt(one) -> None:
    for sentence in (one.says, one.doubt):
        assert sentence.endswith(".")
        assert sentence[0].isupper()
        assert ". " not in sentence


def test_names_are_those_of_the_colours() -> None:
    for atom in ATOMS:
        assert MEANINGS[atom.field].label == atom.label
        assert atom.meaning == MEANINGS[atom.field].says


@pytest.mark.parametrize("unit", ["bits", "shares"])
def test_help_stands_at_columns_that_the_table_has(unit) -> None:
    columns = set(
        table([record(circular_accuracy=0.5)], unit=unit, parameters={"0123456789abcdef": 1})
    )
    assert set(column_labels(unit).values()) <= columns


def test_a_bar_says_below_its_numbers_what_it_means_and_when_to_doubt_it() -> None:
    synergy = next(trace for trace in spectrum_bars([record()]).data if trace.name == "Synergy")
    assert "%{hovertext}<br>%{meta[0]}" in synergy.hovertemplate
    words = synergy.meta[0].replace("<i>", "").replace("</i>", "").replace("<br>", " ")
    assert words == help_of("synergy")
    assert all(len(line) <= LINE for line in hover_lines(["synergy", "total"]))
    assert meaning_below("synergy")["meta"] == list(synergy.meta)
