"""The hub: refusals in one sentence, sizes before bytes, and what the cache has when it is away."""

import dataclasses
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from model_runners import hub
from model_runners.errors import Cancelled, RunnerError, UnsupportedModel
from model_runners.hub import Watch
from model_runners.loading import load, weights_fingerprint
from model_runners.models import resolve_model
from model_runners.profile import ProfileOptions, Progress, profile
from tests.model_runners.hub_server import REFUSALS, Hub, hub_of

ROOT = Path(__file__).resolve().parents[2]
LOGIN = "`hf auth login`"


@pytest.fixture(scope="module")
def served(untrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with a model, one that reads text only, one without safetensors, and a large one."""
    text_only = tmp_path_factory.mktemp("text-only")
    (text_only / "config.json").write_text('{"model_type": "llama"}')
    (text_only / "model.safetensors").write_bytes(b"never read")
    old = tmp_path_factory.mktemp("old")
    (old / "config.json").write_text('{"model_type": "llava"}')
    (old / "pytorch_model.bin").write_bytes(b"never read")
    models = {"lab/llava": untrained, "lab/llama": text_only, "lab/old": old}
    with hub_of(models) as running:
        yield running


def go_to(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    files = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", files)


@pytest.fixture
def online(served: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The hub of this test, with an empty cache; what the environment variables would set."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    go_to(served.endpoint, monkeypatch)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    served.asked.clear()
    return served


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(RunnerError) as caught:
        act()
    said = str(caught.value)
    assert "\n" not in said
    return said


@pytest.mark.parametrize("name", ["lab/gated", "lab/waiting", "lab/forbidden", "lab/stale"])
def test_401_and_403_are_a_sentence_with_the_licence_page_and_the_login(
    online: Hub, name: str
) -> None:
    said = refusal(lambda: load(name))
    assert re.search(rf"accept (its|the) licence at {online.endpoint}/{name}\b", said)
    assert LOGIN in said
    assert str(REFUSALS[name][0]) in said


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("lab/private", "has no model lab/private, or it is private (401)"),
        ("lab/nothing", "has no model lab/nothing, or it is private (404)"),
        ("lab/closed", "the hub has closed lab/closed"),
        ("lab/ill", "the hub did not give it (HTTPStatusError: Server error '500"),
        ("lab/old", "no weights in safetensors"),
        ("lab/llama", "'llama', which reads text only"),
    ],
)
def test_what_else_the_hub_refuses_is_a_sentence(online: Hub, name: str, says: str) -> None:
    assert says in refusal(lambda: load(name))
    assert "lab/llama/resolve/main/model.safetensors" not in online.asked, "refused before weights"


def test_a_hub_that_is_away_is_a_sentence(online: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    go_to("http://127.0.0.1:9", monkeypatch)
    assert "the hub did not give it (ConnectError" in refusal(lambda: load("lab/llava"))


def test_a_download_says_its_size_and_the_room_before_and_how_far_it_is(
    online: Hub, untrained: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    before: list[int] = []
    seen: list[tuple[int, int]] = []

    def tell(sentence: str) -> None:
        told.append(sentence)
        before.append(sum("model.safetensors" in path for path in online.asked))

    watch = Watch(tell=tell, at=lambda done, total: seen.append((done, total)))
    remote = hub.look("lab/llava")
    size = sum(path.stat().st_size for path in untrained.iterdir())
    assert (remote.size, remote.missing) == (size, size)
    loaded = load("lab/llava", device="cpu", watch=watch)
    assert told == [remote.described]
    assert "KiB to download" in told[0]
    assert "GiB free in" in told[0]
    assert before == [0], "told before the first byte of the weights"
    assert seen[-1] == (size, size)
    assert loaded.weights == weights_fingerprint(Path(loaded.model.config._name_or_path))
    assert loaded.name == "lab/llava"
    assert hub.look("lab/llava").missing == 0
    load("lab/llava", device="cpu", watch=watch)
    assert len(told) == 1, "nothing is downloaded twice"


def test_what_is_in_the_cache_is_taken_when_the_hub_is_away(
    online: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = hub.fetch(hub.find("lab/llava"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert hub.fetch(hub.find("lab/llava")) == folder
    assert "HF_HUB_OFFLINE is set" in refusal(lambda: hub.find("lab/llama"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    go_to("http://127.0.0.1:9", monkeypatch)
    assert hub.fetch(hub.find("lab/llava")) == folder
    (folder / "model.safetensors").unlink()
    assert "the hub did not give it" in refusal(lambda: hub.find("lab/llava"))


def test_a_model_with_a_shard_missing_is_not_whole(online: Hub) -> None:
    folder = hub.fetch(hub.find("lab/llava"))
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (folder / hub.INDEX).write_text(json.dumps(index))
    assert hub.stored_model("lab/llava") is None
    (folder / "model-2.safetensors").write_bytes(b"")
    assert hub.stored_model("lab/llava") == folder


def test_no_room_is_said_before_a_byte_comes(online: Hub, untrained: Path) -> None:
    found = hub.find("lab/llava")
    assert found.remote is not None
    full = dataclasses.replace(found.remote, free=found.remote.missing - 1)
    with pytest.raises(UnsupportedModel, match="there is no room for lab/llava"):
        hub.fetch(dataclasses.replace(found, remote=full))
    assert not any("model.safetensors" in path for path in online.asked)


def test_a_download_can_be_stopped(
    online: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = tmp_path / "large"
    large.mkdir()
    (large / "config.json").write_text("{}")
    (large / "model.safetensors").write_bytes(b"x" * (1 << 21))
    monkeypatch.setattr(hub, "TICK_SECONDS", 0.05)
    with hub_of({"lab/large": large}, seconds_per_megabyte=0.5) as slow:
        go_to(slow.endpoint, monkeypatch)
        with pytest.raises(Cancelled, match="files that are whole are kept"):
            hub.fetch(hub.find("lab/large"), watch=Watch(stop=lambda: True))
    assert not any(one.name == "download" for one in threading.enumerate())
    names = [path.name for path in (tmp_path / "hub").rglob("*")]
    assert "config.json" in names
    assert not any(name.endswith(".incomplete") for name in names), "half a file is no use"
    assert "model.safetensors" not in names


def test_a_job_shows_the_download_as_a_phase(online: Hub, tmp_path: Path) -> None:
    stages: list[str] = []
    notes: list[str] = []
    told: list[str] = []
    options = ProfileOptions(
        model="lab/llava", benchmark="digits_vqa", limit=2, draws=1, device="cpu"
    )
    watching = Progress(stage=stages.append, note=notes.append, tell=told.append)
    report = profile(options, tmp_path / "cache", progress=watching)
    assert stages.index("downloading the model") < stages.index("testing the masking")
    assert stages[stages.index("downloading the model") + 1] == "loading the model"
    assert "KiB to download" in told[0]
    assert all(re.fullmatch(r".* of .* KiB, .* GiB free", note) for note in notes[:-1])
    assert len(notes) > 1
    assert notes[-1] == "", "the note goes when the download has ended"
    assert report.model == "lab/llava"


@pytest.mark.slow  # a process of its own, which imports everything: 10 s
def test_the_command_line_takes_a_hub_id_and_the_environment_of_the_hub(
    online: Hub, tmp_path: Path
) -> None:
    words = ["--model", "lab/llava", "--benchmark", "digits_vqa", "--limit", "4", "--draws", "1"]
    hub_is = {"HF_ENDPOINT": online.endpoint, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-m", "model_runners", "profile", *words, "--cache", str(tmp_path / "c")],
        env={**os.environ, **hub_is}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "lab/llava from the hub: " in ran.stderr
    assert "4 samples of digits_vqa through lab/llava" in ran.stderr


def test_a_revision_is_asked_for_by_its_name(online: Hub) -> None:
    source = resolve_model("lab/llava@step-100")
    assert (source.name, source.location) == ("lab/llava@step-100", "lab/llava@step-100")
    found = hub.find(source.location)
    assert found.remote is not None
    assert (found.remote.hub_id, found.remote.revision) == ("lab/llava", "step-100")
    assert "api/models/lab/llava/revision/step-100" in online.asked
    assert "lab/llava/resolve/step-100/config.json" in online.asked
    assert "there is no model" in refusal(lambda: resolve_model("lab/llava@"))
