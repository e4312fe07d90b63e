"""Code that comes with a model: refused, and run where a person trusts that one model's."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from data_cache.runs import read_sidecar
from data_cache.samples import Benchmark
from model_runners.__main__ import main
from model_runners.encoding import encode
from model_runners.errors import UnsupportedModel
from model_runners.loading import LoadedModel, load
from model_runners.models import resolve_model
from model_runners.registry import add_own
from model_runners.remote_code import code_fingerprint, own_code
from model_runners.selftest import self_test
from model_runners.stack import replay
from model_runners.vision import merge
from tests.model_runners.tiny.internvl_chat import AUTO_MAP, write_repository


@pytest.fixture(scope="module", autouse=True)
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """transformers copies such code into a folder of its own before it runs it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = str(tmp_path_factory.mktemp("modules"))
        patch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", folder)
        yield


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_repository(tmp_path_factory.mktemp("published") / "InternVL-tiny")


@pytest.fixture(scope="module")
def trusted(repository: Path, modules: None) -> LoadedModel:
    return load(str(repository), device="cpu", trust_remote_code=True)


def test_it_is_refused_unless_it_is_trusted(repository: Path) -> None:
    with pytest.raises(UnsupportedModel, match="not run unless you trust it") as caught:
        load(str(repository), device="cpu")
    assert "--trust-remote-code" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_trusted_model_proves_its_masking_as_any_other(
    trusted: LoadedModel, digits: Benchmark
) -> None:
    assert trusted.family.name == "InternVL"
    report = self_test(trusted, digits.samples[:8])
    moved = {check.name: check.value for check in report.checks if check.limit == 0.0}
    assert min(moved["image_matters"], moved["text_matters"]) > 1e-2


def test_a_batch_gives_what_each_sample_gives_alone(
    trusted: LoadedModel, digits: Benchmark
) -> None:
    def logits(samples) -> torch.Tensor:
        batch = encode(trusted.processor, samples, image_token_id=trusted.image_token_id)
        captured = merge(trusted, batch, samples)
        last = replay(trusted.stack, captured.embeddings, captured.arguments())
        with torch.no_grad():
            return trusted.stack.logits(last.hidden)

    samples = [digits.select(subset=subset)[0] for subset in digits.subsets]
    alone = torch.cat([logits([sample]) for sample in samples])
    assert torch.allclose(logits(samples), alone, atol=1e-4 * float(alone.abs().max()))


def test_the_run_is_keyed_by_the_code_and_the_switch_is_the_model_s(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = tmp_path / "cache"
    words = ["--benchmark", "digits_vqa", "--limit", "4", "--draws", "1", "--device", "cpu"]
    asked = ["profile", "--model", str(repository), *words, "--cache", str(cache)]
    assert main(asked) == 2
    assert "brings code of its own" in capsys.readouterr().err
    assert main([*asked, "--trust-remote-code"]) == 0
    (run,) = (path for path in (cache / "spool").iterdir() if len(path.name) == 16)
    assert read_sidecar(cache, run.name).config["remote_code"] == code_fingerprint(repository)


def test_a_table_s_entry_trusts_one_name_and_no_other(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIDSCOPE_MODELS", str(tmp_path / "models.yaml"))
    (tmp_path / "models.yaml").write_text("")
    add_own("mine", str(repository), trust_remote_code="yes")
    add_own("not-read-yet", str(repository))
    assert resolve_model("mine").trusted
    assert not resolve_model("not-read-yet").trusted
    assert not resolve_model(str(repository)).trusted


def test_other_code_has_another_fingerprint(repository: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(repository, changed)
    assert code_fingerprint(changed) == code_fingerprint(repository)
    with (changed / "modeling_internvl_chat.py").open("a") as file:
        file.write("# a word\n")
    assert code_fingerprint(changed) != code_fingerprint(repository)


@pytest.mark.parametrize(
    ("auto_map", "said"),
    [
        ({**AUTO_MAP, "AutoModel": "lab/other--modeling.Model"}, "from another repository"),
        ({"AutoConfig": AUTO_MAP["AutoConfig"]}, "offers no model"),
    ],
)
def test_trust_does_not_reach_further_than_the_folder(
    auto_map: dict[str, str], said: str, tmp_path: Path
) -> None:
    config = {"model_type": "internvl_chat", "auto_map": auto_map}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UnsupportedModel, match=said):
        own_code(tmp_path, what="it", trusted=True)


def test_code_that_transformers_does_not_need_is_not_run(tmp_path: Path) -> None:
    config = {"model_type": "llava", "auto_map": AUTO_MAP}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert own_code(tmp_path, what="it", trusted=True) is None


def test_without_its_image_a_prompt_goes_to_the_language_model(
    trusted: LoadedModel, digits: Benchmark
) -> None:
    samples, token = digits.samples[:1], trusted.image_token_id
    batch = encode(trusted.processor, samples, image_token_id=token, with_image=False)
    assert not batch.vision.any()
    captured = merge(trusted, batch, samples, with_image=False)
    assert captured.embeddings.shape[1] == batch.inputs["input_ids"].shape[1]
