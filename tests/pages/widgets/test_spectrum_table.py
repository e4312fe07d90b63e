import io

import pandas as pd
import pytest

from pages.widgets.spectrum_table import as_csv, table
from tests.pages.spectra import ideal_records, record


def test_every_number_of_the_table_has_a_unit_or_is_a_count() -> None:
    for unit in ("bits", "shares"):
        for name in table(ideal_records(), unit=unit).columns:
            assert "(" in name or name in {"Model", "Subset", "Samples", "Options"}


def test_the_table_is_in_the_unit_of_the_bars() -> None:
    one = record("mixed", atoms=(0.1, 0.2, 0.3, 0.4))
    assert table([one])["Synergy (bits)"][0] == pytest.approx(0.4)
    assert table([one], unit="shares")["Synergy (%)"][0] == pytest.approx(40)


def test_what_was_not_run_is_missing_and_not_zero() -> None:
    frame = table([record(d_vision=None, noise_floor_bits=None)])
    assert frame["D_vision (points)"].isna().all()
    assert frame["Noise floor (bits)"].isna().all()


def test_the_csv_holds_all_that_a_number_depends_on() -> None:
    one = record("synergy", warnings=("first, with a comma", "second"))
    frame = pd.read_csv(io.BytesIO(as_csv([one])))
    assert frame["synergy_bits"][0] == one.synergy
    assert (frame["synergy_low_bits"][0], frame["synergy_high_bits"][0]) == one.interval["synergy"]
    assert frame["setting_tau"][0] == 0.3
    assert frame["accuracy_no_image"][0] == 0.25
    assert frame["warnings"][0] == "first, with a comma | second"
    assert frame["run_key"][0] is not None
