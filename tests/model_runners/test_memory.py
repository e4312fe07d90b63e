"""What a run takes is added up from headers, and is what the allocator gives out."""

import dataclasses
import json
from pathlib import Path

import pytest

from data_cache.samples import Benchmark
from model_runners.__main__ import main
from model_runners.memory import (
    Lengths,
    Shapes,
    guessed_lengths,
    memory_here,
    plan,
    row_bytes,
    sentence,
    shapes_of,
)
from model_runners.profile import ProfileOptions

SEVEN = Shapes(
    parameters=7_000_000_000,
    stored_bytes=14_000_000_000,
    linear=6_500_000_000,
    width=4096,
    vocabulary=32_000,
    layers=32,
    inner=11_008,
    attention=4 * 4096,
    keys=4096,
    image_places=577,
)
"""About LLaVA-1.5-7B."""
LENGTHS = Lengths(text=200, image=576, basis="given")
GB = 10**9


def asked(**changes: object) -> ProfileOptions:
    return ProfileOptions(model="demo/oracle", benchmark="digits_vqa", **changes)  # pyright: ignore


def test_shapes_are_those_of_the_model(oracle) -> None:
    found = shapes_of("demo/oracle")
    assert found is not None
    config = oracle.model.config.text_config
    assert found.parameters == sum(one.numel() for one in oracle.model.parameters())
    assert (found.width, found.vocabulary) == (config.hidden_size, config.vocab_size)
    assert (found.layers, found.inner) == (config.num_hidden_layers, config.intermediate_size)
    assert found.keys == config.num_key_value_heads * config.head_dim
    assert found.image_places == 17, "16 patches and the one for all of them"
    assert found.linear < found.parameters


@pytest.mark.parametrize("name", ["qwen3_vl", "mllama"])
def test_the_language_model_is_told_from_the_tower(name: str, tmp_path: Path) -> None:
    from model_runners.loading import load
    from tests.model_runners.zoo import build

    folder = build(name, tmp_path / name)
    found = shapes_of(str(folder))
    loaded = load(str(folder), device="cpu")
    assert found is not None
    assert found.layers == len(loaded.stack.layers)
    assert found.width == loaded.model.config.get_text_config().hidden_size


def test_a_plan_adds_up_and_says_what_would_fit() -> None:
    small = plan(asked(dtype="bfloat16"), SEVEN, LENGTHS, device="cuda", available=24 * GB)
    assert small.weights == 14 * GB
    assert small.total == small.weights + small.fixed + 32 * small.row
    assert small.fits
    assert sentence(small, asked(), SEVEN).startswith("The run fits: about 1")

    tight = plan(asked(dtype="bfloat16"), SEVEN, LENGTHS, device="cuda", available=16 * GB)
    rows = tight.rows_that_fit
    assert not tight.fits
    assert rows is not None
    assert 1 <= rows < 32
    assert f"(--batch-size {rows}); the run finds that itself" in sentence(tight, asked(), SEVEN)
    less = dataclasses.replace(tight, rows=rows)
    assert less.fits
    assert not dataclasses.replace(tight, rows=rows + 1).fits

    wide = asked(dtype="bfloat16")
    half = plan(wide, SEVEN, LENGTHS, device="cuda", available=10 * GB)
    assert half.rows_that_fit == 0
    assert "Weights in 8bit would (--quantize 8bit)" in sentence(half, wide, SEVEN)
    quarter = plan(wide, SEVEN, LENGTHS, device="cuda", available=7 * GB)
    assert "Weights in 4bit would" in sentence(quarter, wide, SEVEN)
    none = plan(wide, SEVEN, LENGTHS, device="cuda", available=3 * GB)
    assert "--device-map auto" in sentence(none, wide, SEVEN)


def test_more_is_asked_more_is_taken() -> None:
    usual = row_bytes(asked(), SEVEN, LENGTHS, 2)
    assert row_bytes(asked(), SEVEN, LENGTHS, 4) > usual
    assert row_bytes(asked(layers=True), SEVEN, LENGTHS, 2) > usual
    assert row_bytes(asked(answers="options"), SEVEN, LENGTHS, 2) > 5 * usual, "keys and values"
    longer = dataclasses.replace(LENGTHS, image=2880)
    assert row_bytes(asked(), SEVEN, longer, 2) > 3 * usual


def test_a_guess_says_that_it_is_one(digits: Benchmark) -> None:
    shapes = shapes_of("demo/oracle")
    assert shapes is not None
    found = guessed_lengths(asked(), shapes, digits.samples[:50])
    assert found.image == 17
    assert "guessed from" in found.basis


def test_memory_of_this_machine_is_known() -> None:
    free, devices = memory_here("cpu")
    assert free is not None
    assert free > 2**28
    assert devices == 1


def test_the_command_counts_real_prompts_and_says_it_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    what = ["plan", "--model", "demo/oracle", "--benchmark", "digits_vqa", "--limit", "40"]
    assert main([*what, "--cache", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("The run fits: about ")
    assert "counted on the 16 longest" in told
    assert main([*what, "--json", "--cache", str(tmp_path)]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["lengths"]["image"] == 16
    assert values["fits"] is True


def test_weights_that_are_not_here_are_no_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    what = ["plan", "--model", "llava-1.5-7b", "--benchmark", "digits_vqa", "--limit", "40"]
    assert main([*what, "--cache", str(tmp_path)]) == 2
    assert "are not on this machine" in capsys.readouterr().err


@pytest.mark.slow
def test_a_batch_takes_what_is_planned(digits: Benchmark, tmp_path: Path) -> None:
    """The peak of this process, as the system counts it, with and without the batch."""
    from data_cache.samples import Sample
    from model_runners.candidates import Candidates
    from model_runners.demo.build import save
    from model_runners.demo.recipes import tokenizer_corpus
    from model_runners.demo.tiny_llava import TinyLlava
    from model_runners.inference import BatchRunner
    from model_runners.loading import load
    from model_runners.masking import Masker
    from model_runners.statistics import observe
    from model_runners.vision import VisionCache

    refs = Path("/proc/self/clear_refs")
    if not refs.exists():
        pytest.skip("the system counts no peak that can be set back")
    size = TinyLlava(hidden=512, vision_layers=1, language_layers=2, heads=8)
    processor = size.build_processor(tokenizer_corpus()[:64])
    save(size.build_model(processor, seed=1).eval(), processor, tmp_path / "wide")
    loaded = load(str(tmp_path / "wide"), device="cpu")
    images = VisionCache()
    chosen: tuple[Sample, ...] = digits.samples[:24]
    statistics = observe(loaded, chosen[:4], scope="all", images=images, batch_size=4)
    runner = BatchRunner(
        loaded=loaded,
        masker=Masker(statistics=statistics, seed=0),
        candidates=Candidates.of_model(loaded),
        images=images,
        draws=1,
        rows_per_pass=len(chosen),
    )
    runner.run(chosen[:2])  # what is made once is there

    def kilobytes(name: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name))

    refs.write_text("5")
    before = kilobytes("VmHWM")
    runner.run(chosen)
    taken = (kilobytes("VmHWM") - before) * 1024
    shapes = shapes_of(str(tmp_path / "wide"))
    assert shapes is not None
    batch = runner.encode(chosen, with_image=True)
    image = int(batch.vision.sum(1).max())
    lengths = Lengths(text=int(batch.lengths.max()) - image, image=image, basis="counted")
    planned = len(chosen) * row_bytes(asked(), shapes, lengths, 4)
    assert 0.8 * taken < planned < 2.5 * taken, (planned, taken)
