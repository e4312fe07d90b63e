"""What the export says reproduces a page does: its lines are run, on a part of the demo."""

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from data_cache import estimates, queries
from data_cache.shipped import DEMO_DIRECTORY, load_demo
from model_runners import again
from model_runners.__main__ import main
from pages.report import __main__ as report_command
from pages.report.parts import records_of
from pages.report.view import NoSuchPart, View, view
from pages.report.whole import reproduce

RUN = "c29ec0cf06b1cb4d"
"""The oracle's."""
ADDRESS = "spectra?benchmark=digits_vqa&models=demo%2Foracle&group=model"
ESTIMATE = "Command line: estimate the same again"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's oracle alone."""
    folder = tmp_path_factory.mktemp("oracle")
    for name in (RUN, "samples"):
        shutil.copytree(DEMO_DIRECTORY / "spool" / name, folder / "source" / "spool" / name)
    load_demo(folder / "cache", source=folder / "source")
    return folder / "cache"


@pytest.fixture(scope="module")
def shown(cache: Path) -> Iterator[View]:
    yield view(ADDRESS, cache=cache)
    st.cache_data.clear()


@pytest.fixture(scope="module")
def told(shown: View, cache: Path) -> dict[str, str]:
    return reproduce(shown.parts, ADDRESS, cache, queries.runs(cache))


def run_python(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(code, names)
    return names


def test_a_view_has_the_figures_and_tables_of_the_page(shown: View) -> None:
    assert shown.title == "Spectra"
    bars = shown.figure("spectrum_bars")
    synergy = next(trace for trace in bars.data if trace.name == "Synergy")
    assert max(synergy.x) > 1.9
    assert set(shown.table("spectrum_table")["Model"]) == {"demo/oracle"}
    with pytest.raises(NoSuchPart, match=r"no figure 'bars'; it has spectrum_bars"):
        shown.figure("bars")


def test_the_lines_of_python_give_the_same_figures_and_tables(
    told: dict[str, str], shown: View
) -> None:
    names = run_python(told["Python: the figures and tables of this page"])
    assert names["spectrum_bars"].to_json() == shown.figure("spectrum_bars").to_json()
    assert names["accuracy_dots"].to_json() == shown.figure("accuracy_dots").to_json()
    assert names["spectrum_table"].equals(shown.table("spectrum_table"))


def test_the_lines_of_python_give_the_same_numbers(told: dict[str, str], shown: View) -> None:
    found = run_python(told["Python: the numbers"])["records"]
    assert tuple(found) == records_of(shown.parts)
    assert len(found) == 5


def test_the_command_line_estimates_the_same_numbers_under_the_same_key(
    shown: View, told: dict[str, str], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = next(one for one in records_of(shown.parts) if one.subset == "synergy")
    (line,) = again.estimate_commands([before], cache=str(cache))
    assert line.replace("--subset synergy", "--by subset") in told[ESTIMATE].splitlines()
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "model_runners"]
    keys = {one.estimate_key for one in estimates.load(cache)}
    assert main(words[3:]) == 0
    capsys.readouterr()
    assert {one.estimate_key for one in estimates.load(cache)} == keys
    after = estimates.find(cache, before.estimate_key)
    assert after is not None
    assert after.created > before.created, "it was not estimated again"
    for atom in estimates.ATOMS:
        assert getattr(after, atom) == pytest.approx(getattr(before, atom), abs=1e-6)


@pytest.mark.slow
def test_the_command_line_measures_the_same_run(
    told: dict[str, str], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = told["Command line: measure the same again"].splitlines()
    assert main([*shlex.split(line)[3:], "--limit", "8", "--device", "cpu"]) == 0
    capsys.readouterr()
    assert [run.run_key for run in queries.runs(cache)] == [RUN]


def test_the_command_line_writes_the_report(
    told: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(told["Command line: this page as a report"])
    assert words[:3] == ["python", "-m", "pages.report"]
    assert report_command.main(words[3:]) == 0
    assert capsys.readouterr().out.strip() == "spectra.html"
    html = (tmp_path / "spectra.html").read_text()
    assert "<h1>Spectra</h1>" in html
    assert html.count('class="plot"') == 2


def test_a_page_that_is_not_there_is_a_sentence(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = ["--cache", str(cache), "--to", str(tmp_path / "x.html")]
    assert report_command.main(["--address", "../etc/passwd", *to]) == 2
    assert "there is no page '../etc/passwd'; the pages are" in capsys.readouterr().err
    assert not (tmp_path / "x.html").exists()
