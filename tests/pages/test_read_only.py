"""A dashboard that only shows: every page opens, and no button acts, however it is clicked."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache import jobs, permission
from model_runners.profile import ProfileOptions
from model_runners.requests import request_of
from pages.widgets import visitors
from tests.data_cache.answers import estimated, right
from tests.data_cache.spools import small_benchmark
from tests.data_cache.test_permission import tree
from tests.pages.test_spectra import APP, ROOT, words

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
READS = re.compile(
    r"newest_.*|show_.*|sample_.*|open_.*|close_.*|swap|next.*|prev.*|adapter_(compare|spectra)|"
    r"models_with_layers|across.*|lora_pid|read_through_.*|disagree.*|clear.*|every.*|try_again"
)
"""Keys of buttons that lead somewhere or choose what is shown."""
FIELDS_OF_PATHS = ("import_", "run_", "lora_", "benchmark_place", "keep_")
"""Beginnings of the keys of fields whose text names a file or model of the server's machine."""


REQUEST = request_of(ProfileOptions(model="demo/oracle", benchmark="digits_vqa", limit=64))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with spectra, and a job that has stopped."""
    folder = tmp_path_factory.mktemp("read_only") / "cache"
    benchmark = small_benchmark(12)
    for subset in (*benchmark.subsets, "all"):
        ids = [one.id for one in benchmark.samples if subset in ("all", one.subset)]
        estimated(folder, benchmark, model="m/a", answers=right, ids=ids, subset=subset, layer=-1)
    key = jobs.open_or_create(folder, "profile", REQUEST, "a job").job_key
    jobs.claim(folder, key)
    jobs.finish(folder, key, "failed", "it was stopped")
    return folder


def test_every_page_shows_and_none_acts(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIDSCOPE_CACHE", str(cache))
    monkeypatch.setenv(permission.ENVIRONMENT_VARIABLE, "1")
    before = tree(cache)
    app = AppTest.from_file(APP, default_timeout=60).run()
    for page in PAGES:
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, page
        assert not app.error, page
        acting = [b.key for b in app.button if not b.disabled and not READS.fullmatch(b.key or "")]
        assert not acting, page
        fields = [
            field.key
            for field in (*app.text_input, *app.text_area)
            if (field.key or "").startswith(FIELDS_OF_PATHS)
        ]
        assert not fields, page
    assert tree(cache) == before


def test_a_button_that_was_drawn_before_does_nothing_any_more(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIDSCOPE_CACHE", str(cache))
    (job,) = jobs.jobs(cache)
    app = AppTest.from_file(APP, default_timeout=60).switch_page("pages/run.py").run()
    before = tree(cache)
    button = app.button(key=f"resume_{job.job_key}")
    assert not button.disabled
    monkeypatch.setenv(permission.ENVIRONMENT_VARIABLE, "1")
    button.click().run()
    assert not app.exception
    assert app.button(key=f"resume_{job.job_key}").disabled
    assert "Runs cannot be started here." in words(app)
    assert jobs.jobs(cache) == [job]
    assert tree(cache) == before


def test_the_option_behind_the_script_is_read_only(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIDSCOPE_CACHE", str(cache))
    monkeypatch.setenv(permission.ENVIRONMENT_VARIABLE, "")  # put back afterwards
    monkeypatch.setattr("sys.argv", ["app.py", visitors.READ_ONLY_OPTION])
    app = AppTest.from_file(APP, default_timeout=60).run()
    assert permission.is_read_only()
    assert not app.exception


def test_a_server_that_must_not_be_open_shows_nothing(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streamlit import config

    monkeypatch.setenv("PIDSCOPE_CACHE", str(cache))
    before = config.get_option("server.address")
    config.set_option("server.address", "0.0.0.0")
    try:
        app = AppTest.from_file(APP, default_timeout=60).run()
    finally:
        config.set_option("server.address", before)
    assert [one.value for one in app.error] == ["This dashboard must not be open here."]
    assert not app.title
    assert "m/a" not in words(app)
