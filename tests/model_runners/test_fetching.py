"""A benchmark from the hub: the first data set that has it, sizes before bytes, one sentence."""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from data_cache.benchmarks import mmbench as loader
from data_cache.benchmarks.source import HubFiles, Source
from data_cache.errors import BenchmarkError
from model_runners import fetching
from model_runners.__main__ import main
from tests.benchmark_files import mmbench
from tests.model_runners.dataset_server import datasets_of
from tests.model_runners.hub_server import Hub

PARQUET = "en/dev-00000-of-00001.parquet"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub whose second owner has MMBench, and files that nobody asked for."""
    folder = tmp_path_factory.mktemp("mmbench")
    written = mmbench.write_lmms_lab(tmp_path_factory.mktemp("written"))
    source = next(written.rglob("*.parquet"))
    (folder / "en").mkdir()
    (folder / PARQUET).write_bytes(source.read_bytes())
    (folder / "en" / "test-00000-of-00001.parquet").write_bytes(b"never read")
    (folder / "README.md").write_text("never read")
    empty = tmp_path_factory.mktemp("empty")
    (empty / "README.md").write_text("nothing else")
    with datasets_of({"lmms-lab-encoder/MMBench": folder, "lab/empty": empty}) as running:
        yield running


@pytest.fixture
def online(served: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The hub of this test, with an empty cache; what the environment variables would set."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", served.endpoint)
    files = served.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", files)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("LMUData", str(tmp_path / "none"))
    served.asked.clear()
    return served


def source_with(*repos: str, how_to_get: str = "") -> Source:
    """MMBench, as if it lay in other data sets."""
    files = HubFiles(repos=repos, patterns=("en/dev-*.parquet",)) if repos else None
    variant = dataclasses.replace(
        loader.SOURCE.variants["en_dev"], hub=() if files is None else (files,)
    )
    return dataclasses.replace(loader.SOURCE, variants={"en_dev": variant}, how_to_get=how_to_get)


def refusal(*repos: str, how_to_get: str = "") -> str:
    with pytest.raises(BenchmarkError) as caught:
        fetching.look(source_with(*repos, how_to_get=how_to_get), "en_dev")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_benchmark_is_downloaded_read_and_then_here(
    online: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--cache", str(tmp_path / "cache")]
    assert main(["fetch", "mmbench", *where]) == 0
    said = capsys.readouterr()
    assert "1 file, " in said.err
    assert "KiB to download" in said.err
    assert "free in" in said.err
    assert "lmms-lab-encoder/MMBench" in said.out
    assert "9 rows, 9 samples of 3 questions, 0 bad rows" in said.out
    assert not any("test-" in path or "README" in path for path in online.asked)

    online.asked.clear()
    assert main(["fetch", "mmbench", *where]) == 0
    assert online.asked == [], "what is here is not asked for"


def test_a_built_in_benchmark_and_an_unknown_one_are_not_fetched(
    online: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", "digits_vqa"]) == 2
    assert "there is nothing to fetch" in capsys.readouterr().err
    assert main(["fetch", "mmbanch"]) == 2
    assert "did you mean 'mmbench'?" in capsys.readouterr().err
    assert main(["fetch", "mmbench:en_dve"]) == 2
    assert "did you mean 'en_dev'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("repo", "says"),
    [
        ("lab/gated", "lab/gated is gated (403): accept its terms at"),
        ("lab/forbidden", "the hub refuses your token for lab/forbidden (403)"),
        ("lab/nothing", "the hub has no data set lab/nothing, or it is private (404)"),
        ("lab/empty", "lab/empty has no en/dev-*.parquet"),
        ("lab/ill", "the hub did not give lab/ill (HTTPStatusError"),
    ],
)
def test_what_the_hub_refuses_is_a_sentence(online: Hub, repo: str, says: str) -> None:
    assert says in refusal(repo)


def test_one_owner_may_have_what_the_other_has_not(online: Hub) -> None:
    found = fetching.look(source_with("lab/nothing", "lmms-lab-encoder/MMBench"), "en_dev")
    assert (found.repo, found.files) == ("lmms-lab-encoder/MMBench", (PARQUET,))
    assert found.missing == found.size > 0
    both = refusal("lab/nothing", "lab/empty", how_to_get="`wget x` downloads it")
    assert "lab/nothing" in both
    assert "lab/empty" in both
    assert both.endswith("`wget x` downloads it")


def test_without_a_network_it_is_a_sentence(
    online: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "ConnectError" in refusal("lmms-lab/MMBench")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set" in refusal("lmms-lab/MMBench")


def test_what_the_hub_has_not_comes_with_the_way_to_get_it(
    online: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", "mmbench:en_dev_v11"]) == 2
    said = capsys.readouterr().err
    assert "is not on the hub" in said
    assert "wget" in said
    assert online.asked == []


def test_a_download_without_room_is_refused_before_it_begins(
    online: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching.hub, "free_bytes", lambda _: 10)
    with pytest.raises(BenchmarkError, match="there is no room"):
        fetching.fetch_benchmark("mmbench")
    assert not any(path.startswith("datasets/") for path in online.asked)
    assert not os.path.exists(os.environ["HF_HUB_CACHE"])
