"""Answers of several tokens: the score of plain teacher forcing, whatever is masked before them."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data_cache.conditions import NOISY, PROBED, Condition
from data_cache.samples import Benchmark, Sample
from model_runners import scoring
from model_runners.answer_test import PREFIX_TYPES, with_answers_tested
from model_runners.asking import Asking
from model_runners.candidates import Candidates, Tokens
from model_runners.encoding import EncodedBatch, encode
from model_runners.errors import SelfTestFailed, UnsupportedModel
from model_runners.inference import BatchResult, BatchRunner
from model_runners.loading import LoadedModel, load
from model_runners.masking import MaskedRow, Masker
from model_runners.scoring import Prompted, go_on, next_positions, score, spell
from model_runners.selftest import SelfTestReport
from model_runners.stack import Captured, before, follow, replay, take
from model_runners.statistics import observe
from model_runners.vision import VisionCache, merge
from tests.model_runners.zoo import TINY, build

FILLING = {"input_ids": None, "attention_mask": 1, "token_type_ids": 0, "mm_token_type_ids": 0}
"""Model inputs of (1, L), and what stands there for a token of an answer; None is the token."""


@pytest.fixture(scope="module", params=sorted(TINY))
def loaded(request: pytest.FixtureRequest, built: Callable[[str], Path]) -> LoadedModel:
    return load(str(built(request.param)), device="cpu")


@pytest.fixture(scope="module")
def samples(digits: Benchmark) -> tuple[Sample, ...]:
    """Two prompts of different length and options; one offers fewer, of one token and of many."""
    first = digits.select(subset="vision")[0]
    second = digits.select(subset="synergy")[0]
    few = dataclasses.replace(second, id="few", options=("2", "the digit 0 or 1", "4 or 5"))
    return first, few


def runner_of(loaded: LoadedModel, samples: Sequence[Sample], **more: Any) -> BatchRunner:
    statistics = observe(loaded, samples, scope="all", images=VisionCache(), batch_size=8)
    return BatchRunner(
        loaded=loaded,
        masker=Masker(statistics=statistics, seed=0),
        candidates=Candidates.of_model(loaded, Asking(answers="options")),
        images=VisionCache(),
        **{"draws": 1, **more},
    )


def scores(result: BatchResult) -> dict[tuple[str, Condition, int, int], np.ndarray]:
    return {(r.sample.id, r.condition, r.draw, r.layer): r.scores for r in result.rows}


def teacher_forced(
    loaded: LoadedModel, batch: EncodedBatch, answer: Tokens, masked: Captured | None
) -> float:
    """Return the mean log-likelihood of an answer in one plain pass over prompt and answer.

    What a condition replaced is put in its place inside that pass, before the first layer.
    """
    length = batch.inputs["input_ids"].shape[1]
    decoder = loaded.stack.decoder
    if decoder is None:
        inputs, first = _with_answer(batch.inputs, torch.tensor([answer])), length - 1
        if loaded.family.model_type in PREFIX_TYPES:
            inputs["token_type_ids"][:, length:] = 1
    else:
        said = torch.tensor([[decoder.start, *answer[:-1]]])
        inputs, first = {**batch.inputs, "decoder_input_ids": said}, 0
    model: Any = loaded.model
    if "pixel_values" not in inputs and loaded.family.without_image is not None:
        model = follow(model, loaded.family.without_image)

    def edit(keywords: dict[str, Any]) -> dict[str, Any] | None:
        if masked is None:
            return None
        changed = dict(keywords)
        if changed.get("inputs_embeds") is None:
            module: Any = loaded.stack.module
            changed["inputs_embeds"] = module.get_input_embeddings()(changed.pop("input_ids"))
        given = {"inputs_embeds": masked.embeddings, **masked.arguments()}
        for name in ("inputs_embeds", "per_layer_inputs"):
            if name in given:
                changed[name] = torch.cat([given[name], changed[name][:, length:]], 1)
        for name in ("deepstack_visual_embeds", "cross_attention_states"):
            if name in given:
                changed[name] = given[name]
        return changed

    with torch.no_grad(), before(loaded.stack.module, edit):
        log_p = model(**inputs, use_cache=False).logits[0].float().log_softmax(-1)
    return float(log_p[torch.arange(first, first + len(answer)), torch.tensor(answer)].mean())


def _with_answer(inputs: dict[str, Any], answer: torch.Tensor) -> dict[str, Any]:
    """Return the model inputs of a prompt with (1, n) tokens behind it."""
    longer = dict(inputs)
    for name, filling in FILLING.items():
        if name in inputs:
            more = answer if filling is None else torch.full_like(answer, filling)
            longer[name] = torch.cat([inputs[name], more], 1)
    if "cross_attention_mask" in inputs:
        seen = inputs["cross_attention_mask"]
        as_before = seen[:, -1:].expand(-1, answer.shape[1], -1, -1)
        longer["cross_attention_mask"] = torch.cat([seen, as_before], 1)
    return longer


def expected(runner: BatchRunner, sample: Sample, condition: Condition, draw: int) -> list[float]:
    loaded = runner.loaded
    batch = encode(
        loaded.processor,
        [sample],
        image_token_id=loaded.image_token_id,
        with_image=condition is not Condition.NO_IMAGE,
        asking=Asking(answers="options"),
    )
    masked = None
    if condition in NOISY:
        row = MaskedRow(
            index=0,
            vision=condition in (Condition.ONLY_2, Condition.NEITHER),
            text=condition in (Condition.ONLY_1, Condition.NEITHER),
            draw=draw,
        )
        captured = merge(loaded, batch, [sample])
        masked = runner.masker.masked(captured, batch, [sample], [row])
    return [
        teacher_forced(loaded, batch, answer, masked) for answer in runner.candidates.of(sample)
    ]


def test_each_condition_scores_what_one_plain_pass_over_prompt_and_answer_does(
    loaded: LoadedModel, samples: tuple[Sample, ...]
) -> None:
    runner = runner_of(loaded, samples)
    assert max(len(t) for t in runner.candidates.of(samples[1])) > 2
    found = scores(runner.run(samples))
    assert len(found) == 2 * len(PROBED)
    for (sample_id, condition, draw, _), values in found.items():
        (sample,) = (s for s in samples if s.id == sample_id)
        wanted = expected(runner, sample, condition, draw)
        assert np.allclose(values, wanted, atol=1e-4), (sample_id, condition, values, wanted)


def test_a_run_whose_answers_need_it_shows_so_of_one_of_them(
    loaded: LoadedModel, samples: tuple[Sample, ...]
) -> None:
    words = Candidates.of_model(loaded, Asking(answers="options"))
    letters = Candidates.of_model(loaded)
    report = SelfTestReport(model="", family="", dtype="", device="", checks=())
    (check,) = with_answers_tested(report, loaded, samples[1], words).checks
    assert check.passed
    assert check.value < check.limit == 1e-4
    if all(len(tokens) == 1 for tokens in letters.of(samples[1])):
        assert with_answers_tested(report, loaded, samples[1], letters) == report


@pytest.mark.parametrize(
    ("model_type", "part", "broken"),
    [
        ("qwen2_5_vl", "next_positions", lambda found, rows, count: found[..., -1:] + count),
        ("mllama", "REPEATED", ()),
    ],
)
def test_a_run_whose_answers_go_on_wrongly_is_refused(
    model_type: str,
    part: str,
    broken: Any,
    samples: tuple[Sample, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Positions that go on from the last one alike, or no view of the image behind the prompt."""
    loaded = load(str(build(model_type, tmp_path / model_type)), device="cpu")
    words = Candidates.of_model(loaded, Asking(answers="options"))
    report = SelfTestReport(model="", family="", dtype="", device="", checks=())
    monkeypatch.setattr(scoring, part, broken)
    with pytest.raises(SelfTestFailed, match=r"than in one plain forward pass \(answers = "):
        with_answers_tested(report, loaded, samples[1], words)


def test_every_layer_scores_every_condition_and_the_last_one_is_the_output(
    loaded: LoadedModel, samples: tuple[Sample, ...]
) -> None:
    found = scores(runner_of(loaded, samples, with_layers=True).run(samples))
    last = len(loaded.stack.layers) - 1
    assert {key[-1] for key in found} == {-1, *range(last + 1)}
    for sample_id, condition, draw, layer in found:
        if layer == -1:
            own, lens, below = (
                found[sample_id, condition, draw, one] for one in (-1, last, last - 1)
            )
            assert np.allclose(own, lens, atol=1e-4)
            if condition is not Condition.NO_IMAGE:  # then the last layer may be left out
                assert not np.allclose(own, below, atol=1e-3)


@pytest.fixture(scope="module")
def runner(oracle: LoadedModel, digits: Benchmark) -> BatchRunner:
    return runner_of(oracle, digits.samples[:8])


def test_neither_the_order_of_options_nor_the_batch_changes_a_score(
    runner: BatchRunner, digits: Benchmark
) -> None:
    """An option does not see those that were scored before it."""
    samples = digits.samples[:4]
    answers = [runner.candidates.of(s) for s in samples]
    batch = encode(runner.loaded.processor, samples, image_token_id=runner.loaded.image_token_id)
    captured = merge(runner.loaded, batch, samples)

    def scored(rows: list[int], *, backwards: bool) -> list[np.ndarray]:
        order = slice(None, None, -1 if backwards else 1)
        of_rows = [answers[row][order] for row in rows]
        part = take(captured, rows)
        stack = runner.loaded.stack
        last = replay(stack, part.embeddings, part.arguments(), keep_cache=True)
        prompted = Prompted(
            cache=last.cache,
            attended=batch.inputs["attention_mask"][rows],
            keywords=part.keywords,
        )
        later = go_on(stack, prompted, spell(runner.loaded, of_rows), of_rows)
        states = [None if one is None else one.hidden for one in later]
        return score(stack, runner.candidates, of_rows, last.hidden, states).scores

    together = scored([0, 1, 2, 3], backwards=False)
    for row, turned_scores in enumerate(scored([0, 1, 2, 3], backwards=True)):
        assert np.allclose(together[row], turned_scores[::-1], atol=1e-5)
        assert np.allclose(together[row], scored([row], backwards=False)[0], atol=1e-4)


class Given(Candidates):
    """Answers that are given as tokens."""

    def __init__(self, processor: Any, answers: Sequence[Tokens]):
        super().__init__(processor, asking=Asking(answers="options"))
        self.given = tuple(answers)

    def of(self, sample: Sample) -> tuple[Tokens, ...]:
        return self.given


def test_the_strict_choice_is_what_greedy_decoding_would_spell_the_longest_of_several(
    runner: BatchRunner, digits: Benchmark
) -> None:
    loaded, sample = runner.loaded, digits.samples[0]
    batch = encode(
        loaded.processor,
        [sample],
        image_token_id=loaded.image_token_id,
        asking=Asking(answers="options"),
    )
    said = loaded.model.generate(
        **batch.inputs, do_sample=False, max_new_tokens=3, eos_token_id=None, pad_token_id=0
    )[0, batch.inputs["input_ids"].shape[1] :].tolist()
    other = (said[0] + 1) % 400
    for answers, right in (
        ([(said[0], other), tuple(said[:2]), tuple(said), (other,)], 2),
        ([(said[0], other), (other, said[1])], -1),
        ([(other,), (said[0],)], 1),
    ):
        candidates = Given(loaded.processor, answers)
        result = dataclasses.replace(runner, candidates=candidates).run([sample])
        (full,) = (row for row in result.rows if row.condition is Condition.FULL)
        assert full.strict_choice == right
        assert full.top_token == said[0]


def test_a_model_without_a_cache_cannot_score_answers_of_several_tokens(
    runner: BatchRunner,
) -> None:
    answers = [[(1, 2), (3,)]]
    prompted = Prompted(cache=None, attended=torch.ones(1, 4), keywords={})
    with pytest.raises(UnsupportedModel, match="no keys and values"):
        go_on(runner.loaded.stack, prompted, spell(runner.loaded, answers), answers)


def test_positions_go_on_behind_the_largest_of_the_prompt_on_every_axis() -> None:
    text = torch.tensor([[0, 0, 1, 2], [0, 1, 2, 3]])
    assert next_positions(text, 2, 2).tolist() == [[3, 4], [4, 5]]
    image = torch.tensor([[[0, 1, 1, 1]], [[0, 1, 5, 2]], [[0, 1, 2, 3]]])
    assert next_positions(image, 1, 2).tolist() == [[[6, 7]]] * 3
    numbered = torch.cat([torch.tensor([[[0, 1, 2, 3]]]), image])
    assert next_positions(numbered, 1, 1).tolist() == [[[4]], [[6]], [[6]], [[6]]]
