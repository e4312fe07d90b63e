"""InstructBLIP's inputs: a batch holds what each prompt alone would be, for both of its readers."""

from pathlib import Path

import PIL.Image
import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.encoding import encode
from model_runners.families import load_family
from model_runners.processors import load_processor
from model_runners.processors_qformer import QFormerProcessor
from tests.model_runners.zoo import TINY

LONG, SHORT = "<image>Which digit is it? 1 or 2", "<image>Yes or no?"


def saved(name: str, folder: Path):
    model, ordinary = TINY[name]()
    model.config.save_pretrained(folder)
    ordinary.save_pretrained(folder)
    return load_processor(str(folder), load_family("instructblip")), ordinary


@pytest.fixture(scope="module", params=["instructblip", "instructblip_t5"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """What is loaded here, and the class of transformers."""
    return saved(request.param, tmp_path_factory.mktemp("processors") / request.param)


def picture(shade: int) -> PIL.Image.Image:
    return PIL.Image.new("RGB", (32, 32), (shade, 90, 200))


def test_one_prompt_is_what_transformers_makes_of_it(both) -> None:
    ours, ordinary = both
    made = ours(text=[LONG], images=[[picture(10)]])
    theirs = ordinary(
        text=[LONG.removeprefix("<image>")], images=[picture(10)], return_tensors="pt"
    )
    for name, value in theirs.items():
        assert torch.equal(made[name], value), name


def test_a_batch_holds_the_same_tokens_with_padding_outside(both) -> None:
    ours, _ = both
    pictures = [[picture(10)], [picture(20)]]
    together = ours(text=[LONG, SHORT], images=pictures)
    for row, text in enumerate((LONG, SHORT)):
        alone = ours(text=[text], images=pictures[row : row + 1])
        for name, side in (("input_ids", "left"), ("qformer_input_ids", "right")):
            mask = "attention_mask" if name == "input_ids" else "qformer_attention_mask"
            count = alone[name].shape[1]
            place = slice(-count, None) if side == "left" else slice(0, count)
            assert torch.equal(together[name][row, place], alone[name][0]), name
            assert together[mask][row].sum() == count
            assert bool(together[mask][row, place].all())
        assert torch.equal(together["pixel_values"][row], alone["pixel_values"][0])


def test_both_readers_have_the_same_words_masked(both, digits: Benchmark) -> None:
    ours, _ = both
    samples = [digits.select(subset=subset)[0] for subset in digits.subsets]
    batch = encode(ours, samples, image_token_id=ours.image_token_id, scope="question")
    assert batch.words is not None
    for row, sample in enumerate(samples):
        said = ours.tokenizer.decode(batch.inputs["input_ids"][row, batch.text[row]])
        assert said.strip() == sample.question
        read = ours.qformer_tokenizer.decode(
            batch.inputs["qformer_input_ids"][row, batch.words[row]]
        )
        assert read.replace(" ", "") == sample.question.lower().replace(" ", "")


def test_the_end_of_the_prompt_is_never_masked(both, digits: Benchmark) -> None:
    ours, _ = both
    batch = encode(ours, digits.samples[:4], image_token_id=ours.image_token_id)
    assert not batch.text[:, -2:].any()
    said = ours.tokenizer.decode(batch.inputs["input_ids"][0, batch.text[0]])
    assert said.rstrip().endswith("only.")


def test_without_an_image_the_prompt_is_the_same_but_for_its_tokens(
    both, digits: Benchmark
) -> None:
    ours, _ = both
    (sample,) = digits.samples[:1]
    full = encode(ours, [sample], image_token_id=ours.image_token_id)
    bare = encode(ours, [sample], image_token_id=ours.image_token_id, with_image=False)
    assert int(full.vision.sum()) == 4
    assert torch.equal(full.inputs["input_ids"][:, 4:], bare.inputs["input_ids"])
    assert "pixel_values" not in bare.inputs


def test_a_decoder_begins_with_its_own_token_and_only_where_there_is_one(both) -> None:
    ours, ordinary = both
    made = ours(text=[LONG, SHORT])
    if ordinary.tokenizer.bos_token is None:  # T5
        assert made["decoder_input_ids"].tolist() == [[ordinary.tokenizer.pad_token_id]] * 2
        assert made["input_ids"][:, -1].tolist() == [ordinary.tokenizer.eos_token_id] * 2
    else:
        assert "decoder_input_ids" not in made


def test_a_prompt_too_long_for_the_qformer_is_cut_for_it_alone(both) -> None:
    _, ordinary = both
    short = QFormerProcessor(ordinary, words=12, start=None)
    made = short(text=["<image>" + "Which digit is it? " * 20])
    assert made["qformer_input_ids"].shape == (1, 12)
    assert made["input_ids"].shape[1] > 100


def test_a_sample_of_two_images_is_a_bad_one(both, digits: Benchmark) -> None:
    import dataclasses

    from model_runners.errors import BadSample

    ours, _ = both
    first, second = digits.samples[:2]
    two = dataclasses.replace(first, images=(*first.images, *second.images))
    with pytest.raises(BadSample, match=r"it has 2 images, and this model takes 1 in a prompt"):
        encode(ours, [second, two], image_token_id=ours.image_token_id)
