"""The causal check on the Layers page: its table, and what it says where nothing is patched."""

from pathlib import Path

import pytest

from data_cache.queries import runs
from pages.widgets.causal_check import numbers, table
from tests.data_cache.patches import FULL, MASKED, write_block
from tests.pages.caches import SAMPLES, build_cache
from tests.pages.figures.test_patch_effects import checked
from tests.pages.layers import layer_records
from tests.pages.test_layers import open_layers
from tests.pages.test_spectra import charts, words

BOTH = ("demo/a", "demo/b")


def test_the_table_has_units_and_no_number_where_there_is_none() -> None:
    first, last = table([checked()]).to_dict("records")
    assert first["Effect (points)"] == "30.0 (20.0 to 50.0)"
    assert first["Of the whole (%)"] == "50"
    assert first["Rho with synergy"] == ""
    assert last["Layer"] == "7"
    exported = numbers([checked()])
    assert exported["effect"].tolist() == pytest.approx([0.3, 0.4])
    assert exported["synergy_bits"].tolist() == [1.75, 2.0]


def test_a_patched_model_is_drawn_beside_its_synergy_and_one_with_a_damaged_file_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(cache))
    build_cache(cache, [one for model in BOTH for one in layer_records(model)])
    keys = {run.model: run.run_key for run in runs(cache)}
    write_block(cache, keys["demo/a"], SAMPLES, layers=(2, 3), draws=2)
    damaged = write_block(cache, keys["demo/b"], SAMPLES)
    damaged.write_bytes(damaged.read_bytes()[:8] + bytes(200) + damaged.read_bytes()[208:])
    page = open_layers()
    assert "-m model_runners patch" not in words(page), "what is folded away is not drawn"
    assert f"cannot be shown: patches/{damaged.name} is no readable" in words(page)
    below = [
        one
        for one in charts(page)[2]["data"]
        if one["mode"] == "lines+markers" and one["xaxis"] == "x2"
    ]
    (line,) = below
    whole = 100 * (FULL[0] - MASKED[0]) * 0.75  # one sample in two brings half
    assert line["y"][1] == pytest.approx(whole, abs=1e-3)
    shown = next(one.value for one in page.dataframe if "Effect (points)" in one.value)
    assert shown["Model"].tolist() == ["demo/a", "demo/a"]
    page.session_state["causal_open"] = True
    page.run()
    assert not page.exception
    said = words(page)
    assert f"patch --model demo/b --benchmark digits_vqa --run {keys['demo/b']}" in said
    assert "--weights FOLDER" in said
