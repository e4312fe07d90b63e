"""A Q-Former that reads the prompt: masked text is noise for it, too, and X1 holds no words."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from data_cache.conditions import Condition
from data_cache.samples import Benchmark, Sample
from model_runners.candidates import Candidates
from model_runners.encoding import EncodedBatch, encode
from model_runners.inference import BatchResult, BatchRunner
from model_runners.loading import DType, LoadedModel, load
from model_runners.masking import MaskedRow, Masker
from model_runners.prompt import MaskScope
from model_runners.readers import READ_TEXT
from model_runners.selftest import self_test
from model_runners.stack import Captured
from model_runners.statistics import observe
from model_runners.vision import VisionCache, merge
from tests.model_runners.zoo import build

TEXT_MASKED = [MaskedRow(index=0, text=True)]


@pytest.fixture(scope="module", params=["instructblip", "instructblip_t5"])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    folder = tmp_path_factory.mktemp("readers") / request.param
    return load(str(build(request.param, folder)), device="cpu")


@pytest.fixture(scope="module")
def samples(digits: Benchmark) -> tuple[Sample, ...]:
    """Three prompts of three lengths."""
    return tuple(digits.select(subset=subset)[0] for subset in digits.subsets[:3])


@pytest.fixture(scope="module")
def masker(loaded: LoadedModel, samples: Sequence[Sample]) -> Masker:
    statistics = observe(loaded, samples, scope="all", images=VisionCache(), batch_size=8)
    return Masker(statistics=statistics, seed=0)


def run(loaded: LoadedModel, masker: Masker, samples: Sequence[Sample], **more: Any) -> BatchResult:
    runner = BatchRunner(
        loaded=loaded,
        masker=masker,
        candidates=Candidates.of_model(loaded),
        images=VisionCache(),
        **{"draws": 2, **more},
    )
    return runner.run(samples)


def merged(
    loaded: LoadedModel, sample: Sample, scope: MaskScope = "all"
) -> tuple[EncodedBatch, Captured]:
    batch = encode(loaded.processor, [sample], image_token_id=loaded.image_token_id, scope=scope)
    return batch, merge(loaded, batch, [sample])


def reworded(sample: Sample) -> Sample:
    """Exchange two words, so that every tokenizer makes as many tokens of it."""
    exchange = {"digit": "image", "image": "digit", "the": "the"}
    words = sample.question.replace("?", " ?").split(" ")
    question = " ".join(exchange.get(word, word) for word in words).replace(" ?", "?")
    assert question != sample.question
    return dataclasses.replace(sample, question=question)


@pytest.fixture(scope="module")
def asked(digits: Benchmark) -> Sample:
    return next(s for s in digits.samples if "digit" in s.question and "image" in s.question)


def test_the_question_changes_the_image_vectors_and_a_mask_of_the_text_undoes_it(
    loaded: LoadedModel, masker: Masker, asked: Sample
) -> None:
    batch, captured = merged(loaded, asked)
    other_batch, other = merged(loaded, reworded(asked))
    where = batch.vision[0]
    assert torch.equal(where, other_batch.vision[0])
    assert not torch.allclose(captured.embeddings[0, where], other.embeddings[0, where], atol=1e-3)
    masked, other_masked = (
        masker.masked(each, batch, [asked], TEXT_MASKED) for each in (captured, other)
    )
    assert torch.equal(masked.embeddings, other_masked.embeddings)


def test_x1_holds_nothing_of_the_question(
    loaded: LoadedModel, masker: Masker, asked: Sample
) -> None:
    first, second = (
        run(loaded, masker, [each]).features[asked.id] for each in (asked, reworded(asked))
    )
    assert (first.vision == second.vision).all()
    batch, captured = merged(loaded, asked)
    read = captured.embeddings[0, batch.vision[0]].mean(0)
    assert abs(first.vision - read.numpy()).max() > 1e-4
    text = captured.embeddings[0, batch.text[0]].mean(0)
    assert abs(first.text - text.numpy()).max() < 1e-5


def test_each_draw_reads_noise_of_its_own(
    loaded: LoadedModel, masker: Masker, asked: Sample
) -> None:
    batch, captured = merged(loaded, asked)
    rows = [MaskedRow(index=0, text=True, draw=draw) for draw in (0, 1, 0)]
    first, second, again = masker.masked(captured, batch, [asked], rows).embeddings
    where = batch.vision[0]
    assert torch.equal(first, again)
    assert not torch.allclose(first[where], second[where], atol=1e-3)


def test_only_the_words_of_the_mask_scope_become_noise(
    loaded: LoadedModel, masker: Masker, asked: Sample
) -> None:
    batch, captured = merged(loaded, asked, scope="question")
    masked = masker.masked(captured, batch, [asked], TEXT_MASKED)
    before, after = (each.side[READ_TEXT].vectors[0] for each in (captured, masked))
    assert batch.words is not None
    words = batch.words[0]
    assert 0 < int(words.sum()) < len(words)
    assert torch.equal(before[~words], after[~words])
    assert bool((before[words] != after[words]).any(1).all())


def test_a_masked_image_is_noise_whatever_was_read(
    loaded: LoadedModel, masker: Masker, asked: Sample
) -> None:
    batch, captured = merged(loaded, asked)
    _, other = merged(loaded, reworded(asked))
    rows = [MaskedRow(index=0, vision=True), MaskedRow(index=0, vision=True, text=True)]
    where = batch.vision[0]
    first, second = (
        masker.masked(each, batch, [asked], rows).embeddings[:, where] for each in (captured, other)
    )
    assert torch.equal(first, second)


def test_pixels_go_through_the_tower_once(
    loaded: LoadedModel, masker: Masker, samples: Sequence[Sample]
) -> None:
    calls: list[int] = []
    tower = loaded.model.vision_model
    handle = tower.encoder.register_forward_hook(lambda *_: calls.append(1))
    try:
        run(loaded, masker, samples, draws=3)
    finally:
        handle.remove()
    assert len(calls) == 1
    assert "forward" not in vars(tower)


def test_a_tower_that_something_else_wrapped_stays_wrapped(
    loaded: LoadedModel, masker: Masker, asked: Sample
) -> None:
    batch, captured = merged(loaded, asked)
    tower = loaded.model.vision_model
    tower.forward = own = tower.forward
    try:
        masker.masked(captured, batch, [asked], TEXT_MASKED)
        assert vars(tower)["forward"] is own
    finally:
        del tower.forward


@pytest.mark.parametrize("more", [{}, {"with_layers": True, "rows_per_pass": 4}])
def test_a_batch_scores_what_each_sample_scores_alone(
    loaded: LoadedModel, masker: Masker, samples: Sequence[Sample], more: dict[str, Any]
) -> None:
    together = run(loaded, masker, samples, **more)
    alone = [run(loaded, masker, [sample], **more) for sample in samples]
    expected = {
        (row.sample.id, row.condition, row.draw, row.layer): row.scores
        for result in alone
        for row in result.rows
    }
    assert len(together.rows) == len(expected)
    for row in together.rows:
        own = expected[row.sample.id, row.condition, row.draw, row.layer]
        assert abs(row.scores - own).max() < 1e-4, (row.sample.id, row.condition)
    for result in alone:
        for name, features in result.features.items():
            assert abs(together.features[name].vision - features.vision).max() < 1e-5


def test_without_an_image_the_language_model_answers_alone(
    loaded: LoadedModel, masker: Masker, samples: Sequence[Sample]
) -> None:
    (sample,) = samples[:1]
    found = next(r for r in run(loaded, masker, [sample]).rows if r.condition is Condition.NO_IMAGE)
    bare = encode(
        loaded.processor, [sample], image_token_id=loaded.image_token_id, with_image=False
    )
    inputs = {
        name: value
        for name, value in bare.inputs.items()
        if name in {"input_ids", "attention_mask", "decoder_input_ids"}
    }
    with torch.no_grad():
        log_p = loaded.model.language_model(**inputs).logits[0, -1].log_softmax(-1)
    tokens = [of[0] for of in Candidates.of_model(loaded).of(sample)]
    assert abs(found.scores - log_p[tokens].numpy()).max() < 1e-5


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_a_model_in_half_precision_is_one_though_it_keeps_some_weights_in_full(
    loaded: LoadedModel, precision: DType, digits: Benchmark
) -> None:
    half = load(loaded.source.location, device="cpu", dtype=precision)
    assert half.dtype == precision
    assert self_test(half, digits.samples[:8]).passed


def test_the_words_have_statistics_of_their_own(masker: Masker, loaded: LoadedModel) -> None:
    words = masker.statistics.side[READ_TEXT]
    width = loaded.model.config.qformer_config.hidden_size
    assert words.mean.shape == (width,)
    assert words.count > masker.statistics.text.count  # letter by letter
