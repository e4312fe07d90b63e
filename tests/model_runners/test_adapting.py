"""Adapters as models: loaded unmerged, told apart from their base, refused where they differ."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from data_cache.adapters import AdapterRecord, write_record
from data_cache.benchmarks import load_benchmark
from data_cache.location import adapter_directory
from data_cache.runs import run_key
from data_cache.samples import Benchmark
from data_cache.shipped import DEMO_DIRECTORY
from model_runners.adapting import adapter_fingerprint
from model_runners.candidates import Candidates
from model_runners.errors import AdapterMismatch, ModelNotFound, UnsupportedModel
from model_runners.finetuning.lora import attach
from model_runners.finetuning.objective import answer_losses
from model_runners.finetuning.plan import TrainingPlan
from model_runners.finetuning.training import Lesson, train
from model_runners.loading import LoadedModel, load
from model_runners.models import lasting_name, resolve_model
from model_runners.profile import ProfileOptions
from model_runners.requests import request_of, title_of
from model_runners.run_record import configuration
from model_runners.statistics import recipe
from model_runners.vision import VisionCache

KEY = "0123456789abcdef"


@pytest.fixture(scope="module")
def trained(
    untrained: Path, digits: Benchmark, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, np.ndarray]:
    """A cache with one adapter, and what the model in memory said when it was trained."""
    cache = tmp_path_factory.mktemp("adapter")
    loaded = load(str(untrained), device="cpu")
    samples = digits.select(split="train", limit=16)
    plan = TrainingPlan(
        samples=samples, weights=np.ones(16), epochs=1, batch_size=8, micro_batch=8, rate=1e-2,
        seed=0,
    )  # fmt: skip
    trainer = Lesson(
        loaded=loaded,
        lora=attach(loaded, rank=4, seed=0, base=str(untrained)),
        plan=plan,
        images=VisionCache(),
        candidates=Candidates.of_model(loaded),
    )
    train(trainer, cache, KEY)
    write_record(
        cache,
        AdapterRecord(
            key=KEY, name="untrained+pid-012345", base="untrained", base_weights=loaded.weights,
            benchmark="digits_vqa", strategy="pid", options={"model": str(untrained)}, n_train=16,
            n_gap=4, n_shortcut=4, mean_weight=1.0, steps=2, total_steps=2, state="trained",
        ),
    )  # fmt: skip
    return cache, losses(loaded, samples)


def losses(loaded: LoadedModel, samples: tuple) -> np.ndarray:
    with torch.no_grad():
        found = answer_losses(
            loaded, samples, candidates=Candidates.of_model(loaded), images=VisionCache()
        )
    return found.numpy()


@pytest.fixture
def folder(trained: tuple[Path, np.ndarray], tmp_path: Path) -> Path:
    """A copy of the adapter, to be changed."""
    return shutil.copytree(adapter_directory(trained[0], KEY), tmp_path / "moved")


def test_the_folder_is_the_adapted_model(
    trained: tuple[Path, np.ndarray], untrained: Path, digits: Benchmark
) -> None:
    cache, said = trained
    place = str(adapter_directory(cache, KEY))
    base, adapted = load(str(untrained), device="cpu"), load(place, device="cpu")
    samples = digits.select(split="train", limit=16)
    np.testing.assert_array_equal(losses(adapted, samples), said)
    assert not np.allclose(losses(base, samples), said, atol=1e-3)
    assert (base.adapter, base.name) == (None, "untrained")
    assert adapted.adapter == adapter_fingerprint(Path(place))
    assert adapted.name == "untrained+pid-012345"
    assert adapted.weights == base.weights
    assert type(adapted.model) is type(base.model)
    assert not any(p.requires_grad for p in adapted.model.parameters())


def test_noise_is_that_of_the_base_and_the_run_is_not(
    trained: tuple[Path, np.ndarray], untrained: Path, digits: Benchmark
) -> None:
    place = str(adapter_directory(trained[0], KEY))
    base, adapted = load(str(untrained), device="cpu"), load(place, device="cpu")
    assert recipe(base, digits, "all") == recipe(adapted, digits, "all")
    configs = [
        configuration(ProfileOptions(model=name, benchmark="digits_vqa"), loaded, digits)
        for name, loaded in ((str(untrained), base), (place, adapted))
    ]
    assert configs[0]["adapter"] is None
    assert {k for k in configs[0] if configs[0][k] != configs[1][k]} == {"model", "adapter"}


@pytest.mark.parametrize("name", ["demo/oracle", "demo/fusion-small"])
def test_runs_of_plain_models_keep_their_keys(name: str) -> None:
    benchmark = load_benchmark("digits_vqa")
    config = configuration(
        ProfileOptions(model=name, benchmark="digits_vqa", device="cpu"),
        load(name, device="cpu"),
        benchmark,
    )
    assert (DEMO_DIRECTORY / "spool" / run_key(config) / "run.json").is_file()


def test_a_job_names_the_folder_and_its_title_the_model(folder: Path) -> None:
    options = ProfileOptions(model=str(folder), benchmark="digits_vqa")
    assert request_of(options)["model"] == str(folder) == lasting_name(str(folder))
    assert title_of(options).startswith("untrained+pid-012345 on digits_vqa")


def test_the_fingerprint_is_of_what_computes(folder: Path, tmp_path: Path) -> None:
    before = adapter_fingerprint(folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    config |= {"base_model_name_or_path": "elsewhere", "peft_version": "9"}
    config["target_modules"] = config["target_modules"][::-1]
    (folder / "adapter_config.json").write_text(json.dumps(config))
    assert adapter_fingerprint(folder) == before
    (folder / "adapter_config.json").write_text(json.dumps(config | {"lora_alpha": 99}))
    assert adapter_fingerprint(folder) != before


def test_an_adapter_of_other_weights_is_refused_with_both_names(
    folder: Path, untrained: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(untrained, tmp_path / "other")
    content = bytearray((other / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (other / "model.safetensors").write_bytes(bytes(content))
    record = json.loads((folder / "record.json").read_text())
    record["options"]["model"] = str(other)
    (folder / "record.json").write_text(json.dumps(record))
    with pytest.raises(AdapterMismatch, match=r"untrained\+pid-012345.*other") as caught:
        load(str(folder), device="cpu")
    assert "\n" not in str(caught.value)


def somebody_elses(folder: Path, base: str) -> None:
    """Make it a folder as peft writes it, with another base."""
    (folder / "record.json").unlink()
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(
        json.dumps(config | {"base_model_name_or_path": base})
    )


def test_somebody_elses_adapter_is_named_by_its_folder(
    folder: Path, untrained: Path, trained: tuple[Path, np.ndarray], digits: Benchmark
) -> None:
    somebody_elses(folder, str(untrained))
    loaded = load(str(folder), device="cpu")
    assert loaded.name == "moved"
    said = losses(loaded, digits.select(split="train", limit=16))
    np.testing.assert_array_equal(said, trained[1])


@pytest.mark.parametrize("base", ["demo/fusion-small", "demo/oracle"])
def test_shapes_that_do_not_fit_are_one_sentence_with_both_names(folder: Path, base: str) -> None:
    somebody_elses(folder, base)
    with pytest.raises(AdapterMismatch, match=f"'moved' does not fit the base .*{base[5:]}") as e:
        load(str(folder), device="cpu")
    assert "\n" not in str(e.value)


def test_a_missing_base_is_named(folder: Path) -> None:
    somebody_elses(folder, "demo/none")
    with pytest.raises(ModelNotFound, match=r"base of the adapter in .* is missing"):
        resolve_model(str(folder))
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(UnsupportedModel, match="does not say what it was trained on"):
        resolve_model(str(folder))


def test_an_adapter_of_the_vision_tower_is_refused(untrained: Path, tmp_path: Path) -> None:
    import peft

    from model_runners.adapting import wrap

    wrapped = wrap(
        load(str(untrained), device="cpu").model, peft.LoraConfig(r=2, target_modules=["q_proj"])
    )
    wrapped.peft_config["default"].base_model_name_or_path = str(untrained)
    wrapped.save_pretrained(tmp_path / "tower", save_embedding_layers=False)
    with pytest.raises(UnsupportedModel, match="outside the language model's layers; merge it"):
        load(str(tmp_path / "tower"), device="cpu")


def test_weights_that_are_missing_are_named(folder: Path) -> None:
    (folder / "adapter_model.safetensors").unlink()
    with pytest.raises(UnsupportedModel, match="only safetensors"):
        load(str(folder), device="cpu")
