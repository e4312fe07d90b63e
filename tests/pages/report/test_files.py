"""The files of figures and tables hold all their numbers."""

import io

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.figures import accuracy_dots, spectrum_bars
from pages.report.files import as_csv, as_parquet, drawn_numbers, plain, records_behind
from pages.report.parts import Figure, Table
from tests.pages.spectra import ideal_records


def test_a_figure_without_records_gives_what_it_draws_with_intervals() -> None:
    records = ideal_records()
    frame = drawn_numbers(spectrum_bars.spectrum_bars(records, layout="separate"))
    bars = frame[frame["type"] == "bar"]
    found = bars.groupby("trace")["x"].apply(list).to_dict()
    assert found["Synergy"] == [2.0, 0.0, 0.0, 0.0]
    assert np.allclose(bars["x_low"], bars["x"] - 0.05)
    assert np.allclose(bars["x_high"], bars["x"] + 0.04)
    assert bars["words"].str.contains("<b>").sum() == 0
    assert bars["words"].str.startswith("Redundancy 0.000 bits").any()


def test_the_records_behind_a_figure_come_before_what_it_draws() -> None:
    figure = accuracy_dots.accuracy_dots(ideal_records())
    given = pd.DataFrame({"n": [352]})
    assert records_behind(Figure(name="f", figure=figure, alt="", data=lambda: given)) is given
    drawn = records_behind(Figure(name="f", figure=figure, alt=""))
    assert 100 * 0.99 in drawn["x"].round(6).tolist()


def test_cells_of_a_matrix_are_rows() -> None:
    matrix = go.Heatmap(x=["a", "b"], y=["c"], z=[[1.0, None]], hovertext=[["one<br>1", "none"]])
    rows = drawn_numbers(go.Figure(matrix)).to_dict("records")
    assert [(row["x"], row["y"], row["words"]) for row in rows] == [
        ("a", "c", "one; 1"),
        ("b", "c", "none"),
    ]
    assert rows[0]["z"] == 1.0


def test_an_empty_figure_is_an_empty_table() -> None:
    assert drawn_numbers(go.Figure()).empty
    assert as_parquet(drawn_numbers(go.Figure()))


def test_csv_and_parquet_hold_the_same_every_digit_kept() -> None:
    frame = pd.DataFrame({"x": [1 / 3, np.nan], "name": ["ä, <b>", None], "mixed": [1, "two"]})
    of_csv = pd.read_csv(io.BytesIO(as_csv(frame)))
    of_parquet = pd.read_parquet(io.BytesIO(as_parquet(frame)))
    assert of_csv["x"][0] == of_parquet["x"][0] == 1 / 3
    assert of_csv["name"][0] == of_parquet["name"][0] == "ä, <b>"
    assert of_parquet["mixed"].tolist() == ["1", "two"]


def test_the_names_of_rows_come_along_where_the_page_shows_them() -> None:
    frame = pd.DataFrame({"B right": [1]}, index=["A right"])
    shown = records_behind(Table(name="t", frame=frame, alt="", index=True))
    assert shown.to_dict("records") == [{"index": "A right", "B right": 1}]


def test_words_beside_the_mouse_lose_their_markup_and_nothing_else() -> None:
    assert plain("<b>1.5 bits</b><br>a &lt;b&gt; c") == "1.5 bits; a <b> c"
