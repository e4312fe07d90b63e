"""The samples that are listed leave as a file, and a tag leads to a training that lifts it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache import tags
from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.queries import runs
from pages.widgets import slice_files, state
from tests.data_cache.spools import small_benchmark
from tests.pages.sample_caches import COUNT, build_samples
from tests.pages.test_spectra import open_page, words

HOSTILE = "![x](http://example.org/x.png)"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    return folder


def open_samples(**query: str) -> AppTest:
    app = open_page()
    app.switch_page("pages/samples.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.session_state[state.SLICE_FILES] = True
    app.run()
    assert not app.exception, app.exception
    return app


def test_the_list_is_written_as_it_is_shown_and_can_be_downloaded(cache: Path) -> None:
    """Filtered by a tag whose name would be an image if it were Markdown."""
    benchmark = small_benchmark(COUNT)
    build_samples(cache, benchmark)
    ids = [one.id for one in benchmark.samples[:4]]
    (run,) = runs(cache)
    tags.add(cache, HOSTILE, benchmark="small", benchmark_key=run.benchmark_key,
             sample_ids=[*ids, "elsewhere"])  # fmt: skip
    app = open_samples(where=f"tag:{HOSTILE}")
    assert f"The tag “{HOSTILE}” is on 5 samples, of which this list has 4" in words(app)
    assert not (cache / "exports").exists()
    app.button(key="write_slice").click().run()
    assert not app.exception, app.exception
    (path,) = (cache / "exports").iterdir()
    assert path.name.startswith("x-http-example-org-x-png-")
    assert f"4 samples, {slice_files.size_in_words(path.stat().st_size)}, in {path}" in words(app)
    assert HOSTILE not in "".join(one.value for one in [*app.markdown, *app.caption])
    assert [one.proto.label for one in app.get("download_button")].count("Download") == 1
    back = load_benchmark(BenchmarkChoice(name=str(path), split_policy="own"), cache=cache)
    assert {one.id: one.digest for one in back.samples} == {
        one.id: one.digest for one in benchmark.samples[:4]
    }
    # Numbers are another file; what was written is said for what is chosen alone.
    app.button_group(key=state.SLICE_FORMAT).set_value("Numbers (CSV)").run()
    assert str(path) not in words(app)
    app.button(key="write_slice").click().run()
    assert (cache / "exports" / f"{path.stem}.csv").read_text("utf-8").count("demo/oracle") == 4


def test_a_large_file_stays_where_it_is(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slice_files, "MOST_SENT", 1000)
    build_samples(cache)
    app = open_samples()
    app.button(key="write_slice").click().run()
    assert "stays in that folder of the machine that runs PIDscope" in words(app)
    assert "Download" not in [one.proto.label for one in app.get("download_button")]


def test_a_tag_leads_to_a_training_that_lifts_its_train_samples(cache: Path) -> None:
    benchmark = load_benchmark("digits_vqa")
    part = [*benchmark.select(split="train", limit=3), *benchmark.select(split="test", limit=2)]
    tags.add(
        cache, HOSTILE, benchmark="digits_vqa", benchmark_key=benchmark.key,
        sample_ids=[one.id for one in part],
    )  # fmt: skip
    app = open_page()
    app.switch_page("pages/lora.py")
    app.session_state[state.LORA_BENCHMARK] = "digits_vqa"
    app.session_state[state.LORA_STRATEGY] = "tag"
    app.run()
    assert not app.exception, app.exception
    page = words(app)
    assert f"samples of the tag “{HOSTILE}” weigh 3.0, any other 1.0" in page
    assert f"2 of the 5 samples of the tag {HOSTILE!r} are of the test split and never" in page
    assert HOSTILE not in "".join(one.value for one in [*app.markdown, *app.caption])
    assert [path.name for path in cache.iterdir()] == ["tags.sqlite"], "looking keeps nothing"
    tags.take_off(cache, HOSTILE, benchmark.key)
    app.run()
    assert "no sample of digits_vqa is tagged yet" in words(app)
