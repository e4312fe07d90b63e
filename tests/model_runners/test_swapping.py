"""Swapped pairs: the model sees the partner's question beside the image, and each image once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from data_cache.conditions import Condition
from data_cache.queries import runs
from data_cache.samples import Benchmark
from data_cache.swapped_pairs import swapped_pairs
from model_runners.candidates import Candidates
from model_runners.encoding import encode
from model_runners.errors import BadOption
from model_runners.loading import LoadedModel, load
from model_runners.profile import ProfileOptions, profile
from model_runners.shards import Shard
from model_runners.swap_runner import SharedPrefixes, SwapRunner
from model_runners.swapping import swaps_of
from model_runners.vision import VisionCache
from tests.model_runners.zoo import TINY

PARTNERS = 3

SHARES = {"internvl", "llava", "qwen2_5_vl"}
"""Of the families below, those whose text stack reads from left to right and nothing beside."""


def runner_of(loaded: LoadedModel, digits: Benchmark, *, shares: bool) -> SwapRunner:
    asked = digits.select(subset="synergy", split="test", limit=24)
    return SwapRunner(
        loaded=loaded,
        candidates=Candidates.of_model(loaded),
        images=VisionCache(),
        swaps=swaps_of(asked, partners=PARTNERS, within="subset", seed=1),
        draws=PARTNERS,
        prefixes=SharedPrefixes(wanted=shares),
        rows_per_pass=16,
    )


def test_a_swap_scores_the_partners_question_beside_the_image(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    asked = digits.select(subset="synergy", split="test", limit=24)
    runner = runner_of(oracle, digits, shares=True)
    result = runner.run(asked)
    assert runner.prefixes.works
    assert runner.images.encoded == 24  # each image once, for four questions
    assert runner.prefixes.used > 3 * runner.prefixes.begun
    by_id = {sample.id: sample for sample in asked}
    found = {(row.sample.id, row.draw): row for row in result.rows if row.partner}
    assert len(found) == 24 * PARTNERS == result.passes - 24
    for (name, draw), row in list(found.items())[::17]:
        question = by_id[str(row.partner)]
        assert row.condition is Condition.SWAP
        assert question.images != by_id[name].images
        pair = replace(question, images=by_id[name].images)
        batch = encode(oracle.processor, [pair], image_token_id=oracle.image_token_id)
        with torch.no_grad():
            log_p = oracle.model(**batch.inputs).logits[0, -1].log_softmax(-1)
        tokens = [
            oracle.processor.tokenizer.encode(x, add_special_tokens=False)[0] for x in pair.letters
        ]
        np.testing.assert_allclose(row.scores, log_p[tokens].numpy(), atol=1e-3)
        assert draw == [q.id for q in runner.swaps.questions[name]].index(question.id)


@pytest.mark.parametrize(
    "model_type",
    [
        "llava",
        pytest.param("qwen2_5_vl", marks=pytest.mark.slow),
        "paligemma",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in TINY
            if name not in {"llava", "qwen2_5_vl", "paligemma", "qwen2_5_omni"}
        ),
    ],
)
def test_a_shared_beginning_changes_no_score(
    model_type: str, built: Callable[[str], Path], digits: Benchmark
) -> None:
    loaded = load(str(built(model_type)), device="cpu")
    asked = digits.select(subset="synergy", split="test", limit=24)[:6]
    shared = runner_of(loaded, digits, shares=True)
    whole = runner_of(loaded, digits, shares=False)
    for one, other in zip(shared.run(asked).rows, whole.run(asked).rows, strict=True):
        assert (one.sample.id, one.draw, one.partner) == (
            other.sample.id,
            other.draw,
            other.partner,
        )
        np.testing.assert_allclose(one.scores, other.scores, atol=2e-3)
    if model_type in SHARES:
        assert shared.prefixes.works
        assert shared.prefixes.used > shared.prefixes.begun > 0
    if model_type == "paligemma":  # its prompt is read both ways
        assert shared.prefixes.works is False


def options(model: Path, **changes: object) -> ProfileOptions:
    given: dict[str, object] = {
        "model": str(model), "benchmark": "digits_vqa", "split": "test", "limit": 70,
        "device": "cpu", "probe": "swap", "partners": 2,
    } | changes  # fmt: skip
    return ProfileOptions(**given)  # pyright: ignore[reportArgumentType]


def test_a_run_of_swaps_resumes_grows_and_is_cut_into_shards(
    untrained: Path, tmp_path: Path
) -> None:
    first = profile(options(untrained), tmp_path)
    assert (first.computed, first.passes) == (70, 70 * 3)
    assert profile(options(untrained), tmp_path).computed == 0
    two = swapped_pairs(tmp_path, first.run_key)
    assert two.partners.shape == (2, 70)
    assert (np.sort(two.partners, axis=1) == np.arange(70)).all()  # every image as often
    assert (two.subsets[two.partners] == two.subsets).all()
    more = profile(options(untrained, partners=3), tmp_path)
    assert more.run_key == first.run_key
    three = swapped_pairs(tmp_path, first.run_key)
    assert (three.partners[:2] == two.partners).all()
    np.testing.assert_allclose(three.swapped[:2], two.swapped, atol=1e-4)
    assert profile(options(untrained), tmp_path).computed == 0  # fewer are there already

    cut = tmp_path / "cut"
    for number in (1, 2):
        profile(options(untrained, partners=3), cut, shard=Shard(number=number, of=2))
    profile(options(untrained, partners=3), cut)
    again = swapped_pairs(cut, first.run_key)
    assert (again.partners == three.partners).all()
    np.testing.assert_allclose(again.swapped, three.swapped, atol=1e-4)
    assert runs(tmp_path) == []
    (run,) = runs(tmp_path, probe="swap")
    assert run.config["partners_within"] == "subset"
    assert "noise" not in run.config


def test_who_may_be_a_partner_is_a_choice(digits: Benchmark) -> None:
    asked = digits.select(split="test", limit=120)
    by_id = {sample.id: sample for sample in asked}

    def partners(within):
        found = swaps_of(asked, partners=4, within=within, seed=0).questions
        return [(by_id[name], one) for name, ones in found.items() for one in ones]

    assert all(one.subset == other.subset for one, other in partners("subset"))
    assert all(one.options == other.options for one, other in partners("candidates"))
    assert {one.subset for one, other in partners("candidates") if one.subset != other.subset}
    assert {one.options for one, other in partners("benchmark") if one.options != other.options}
    assert all(one.images != other.images for one, other in partners("benchmark"))


def test_samples_without_enough_partners_are_left_out_and_none_is_refused(
    digits: Benchmark,
) -> None:
    few = (
        *digits.select(subset="vision", split="test", limit=3),
        *digits.select(subset="synergy", split="test", limit=12),
    )
    found = swaps_of(few, partners=8, within="subset", seed=0)
    assert {sample.subset for sample in found.alone} == {"vision"}
    with pytest.raises(BadOption, match=r"no sample has 40 partners among the same subset.*12|3"):
        swaps_of(few, partners=40, within="subset", seed=0)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"layers": True}, "leave out --layers"),
        ({"partners": 0}, "partners must be 1 to 64"),
        ({"probe": "other"}, "the probe must be one of gaussian, swap"),
        ({"partners_within": "all"}, "--partners-within must be one of"),
    ],
)
def test_what_makes_no_sense_is_refused_before_a_model_is_loaded(changes, what) -> None:
    with pytest.raises(BadOption, match=what):
        options(Path("nowhere"), **changes)
