"""A callback profiles a model while a Trainer trains it, and the training does not notice."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel, Trainer, TrainingArguments

from data_cache import estimates, queries
from data_cache.checkpoints import checkpoint_of
from data_cache.errors import CacheError
from data_cache.samples import Benchmark
from data_cache.training_runs import training_runs
from data_cache.trajectories import trajectories
from model_runners.encoding import encode
from model_runners.errors import BadOption
from model_runners.in_memory import fingerprint
from model_runners.loading import LoadedModel, load
from model_runners.training_callback import ProfilingCallback

STEPS = 2


@pytest.fixture(scope="module")
def few(digits: Benchmark) -> Benchmark:
    """Some samples of one subset, of each split."""
    samples = [one for one in digits.samples if one.subset == "synergy"]
    train = [one for one in samples if one.split == "train"][:16]
    test = [one for one in samples if one.split == "test"][:16]
    return dataclasses.replace(digits, name="few", samples=(*train, *test))


class Questions(torch.utils.data.Dataset):
    """What the model is taught: four questions with their images, and the letters that answer."""

    def __init__(self, loaded: LoadedModel, benchmark: Benchmark):
        samples = benchmark.select(split="train", limit=4)
        batch = encode(loaded.processor, samples, image_token_id=loaded.image_token_id)
        labels = torch.full_like(batch.inputs["input_ids"], -100)
        tokenizer = loaded.processor.tokenizer
        for row, sample in enumerate(samples):
            letter = sample.letters[sample.answer]
            labels[row, -1] = tokenizer(letter, add_special_tokens=False).input_ids[-1]
        self.inputs = {**batch.inputs, "labels": labels}

    def __len__(self) -> int:
        return len(self.inputs["labels"])

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {name: value[index] for name, value in self.inputs.items()}


Train = Callable[..., PreTrainedModel]


@pytest.fixture(scope="module")
def train(untrained: Path, few: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Train:
    def trained(callback: ProfilingCallback | None, **more: Any) -> PreTrainedModel:
        loaded = load(str(untrained), device="cpu")

        for layer in loaded.stack.layers:
            attention: Any = layer.self_attn
            attention.attention_dropout = 0.1
        arguments: dict[str, Any] = {
            "output_dir": str(tmp_path_factory.mktemp("trained")), "max_steps": STEPS,
            "per_device_train_batch_size": 2, "learning_rate": 1e-2, "report_to": [],
            "save_strategy": "no", "logging_strategy": "no", "disable_tqdm": True,
            "use_cpu": True, "dataloader_pin_memory": False, "seed": 3,
        }  # fmt: skip
        trainer = Trainer(
            model=loaded.model,
            args=TrainingArguments(**(arguments | more)),
            train_dataset=Questions(loaded, few),
            processing_class=loaded.processor,
            callbacks=None if callback is None else [callback],
        )
        trainer.train()
        return loaded.model

    return trained


def test_every_few_steps_are_a_run_with_spectra_and_the_training_is_what_it_was(
    train: Train, few: Benchmark, tmp_path: Path
) -> None:
    callback = ProfilingCallback(
        "lab/mine", few, cache=tmp_path, every=2, stage="all", first_step=10, limit=32, draws=1,
        device="cpu",
    )  # fmt: skip
    measured = train(callback)
    assert callback.failures == []
    runs = queries.runs(tmp_path)
    found = {one.step: one for run in runs if (one := checkpoint_of(run.config)) is not None}
    assert sorted(found) == [10, 12]
    assert {run.n_samples for run in runs} == {32}
    assert len({run.config["weights"] for run in runs}) == 2
    spectra = estimates.load(tmp_path, models=[found[12].model], subsets=["all"])
    assert [record.n for record in spectra] == [16]
    (known,) = trajectories(tmp_path)
    (whole,) = training_runs(runs, [known])
    assert (known.kind, whole.stages, whole.missing) == ("callback", ("all",), ())
    assert fingerprint(measured) == fingerprint(train(None))
    assert measured.training


def test_a_checkpoint_that_cannot_be_measured_does_not_end_the_training(
    train: Train, few: Benchmark, tmp_path: Path
) -> None:
    callback = ProfilingCallback(
        "lab/mine", few, cache=tmp_path, subset="nothing of it", at_beginning=False, device="cpu"
    )
    train(callback, max_steps=1)
    assert callback.measured == []
    assert "lab/mine@1: " in callback.failures[0]


def test_what_makes_no_sense_is_refused_before_the_training(few: Benchmark, tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="1 step or more"):
        ProfilingCallback("a", few, cache=tmp_path, every=0)
    with pytest.raises(BadOption, match="draw"):
        ProfilingCallback("a", few, cache=tmp_path, draw=1)
    with pytest.raises(CacheError, match="without an @"):
        ProfilingCallback("a@b", few, cache=tmp_path)
