"""The tokens of an answer: those that follow the prompt where the model's template writes it."""

import dataclasses
import pickle

import pytest

from data_cache.samples import LETTERS, Benchmark, Sample
from model_runners.asking import Asking
from model_runners.candidates import Candidates
from model_runners.demo.recipes import tokenizer_corpus
from model_runners.demo.tiny_llava import TinyLlava
from model_runners.demo.tiny_qwen2_5_vl import TinyQwen2_5_VL
from model_runners.errors import BadSample, UnsupportedModel
from model_runners.loading import LoadedModel, load


@pytest.fixture(scope="module")
def spaced():
    """A processor whose template writes a blank before an answer: ASSISTANT: A."""
    return TinyLlava().build_processor(tokenizer_corpus()[:64])


@pytest.fixture(scope="module")
def lined():
    """One whose template begins a line with the answer."""
    return TinyQwen2_5_VL().build_processor(tokenizer_corpus()[:64])


def spelled(processor, tokens) -> list[str]:
    return processor.tokenizer.convert_ids_to_tokens(list(tokens))


def test_a_letter_has_the_blank_that_the_template_writes_before_it(spaced, lined) -> None:
    assert spelled(spaced, Candidates(spaced).tokens("A")) == ["ĠA"]
    assert spelled(lined, Candidates(lined).tokens("A")) == ["A"]


def test_where_the_template_writes_no_answer_a_letter_is_encoded_alone(lined) -> None:
    alone = lined.tokenizer.encode("A", add_special_tokens=False)
    thinking = TinyQwen2_5_VL().build_processor(tokenizer_corpus()[:64])
    thinking.chat_template = lined.chat_template.replace(
        "{% if add_generation_prompt %}", "{% if add_generation_prompt %}<think>"
    )
    failing = TinyQwen2_5_VL().build_processor(tokenizer_corpus()[:64])
    failing.chat_template = "{{ raise_exception('only one turn') if messages|length > 1 }}"
    for processor in (thinking, failing):
        assert list(Candidates(processor).tokens("A")) == alone
    assert list(Candidates(lined, bare=True).tokens("A")) == alone
    assert list(Candidates(lined).tokens("A")) != alone


def test_where_an_answer_melts_into_the_prompt_it_is_encoded_alone(spaced) -> None:
    """A prompt that ends in a blank of its own: the blank and the letter are one token."""
    ending = TinyLlava().build_processor(tokenizer_corpus()[:64])
    ending.chat_template = spaced.chat_template.replace("ASSISTANT:", "ASSISTANT: ")
    alone = ending.tokenizer.encode("A", add_special_tokens=False)
    assert list(Candidates(ending).tokens("A")) == alone


def test_the_shipped_models_keep_the_letters_that_they_were_taught() -> None:
    for name in ("demo/oracle", "demo/language-small"):
        loaded = load(name, device="cpu")
        found = Candidates.of_model(loaded)
        for letter in "ABCD":
            alone = loaded.processor.tokenizer.encode(letter, add_special_tokens=False)
            assert list(found.tokens(letter)) == alone
        assert found.description == "letters"


def test_a_run_says_where_its_letters_are_not_those_encoded_alone(spaced, lined) -> None:
    assert Candidates(spaced).description == "letters"
    assert Candidates(lined).description == "letters of the turn"
    assert Candidates(lined, asking=Asking(answers="options")).description == "options"


def test_options_are_scored_by_their_words(spaced, digits: Benchmark) -> None:
    sample = digits.select(subset="vision")[0]
    found = Candidates(spaced, asking=Asking(answers="options")).of(sample)
    for option, tokens in zip(sample.options, found, strict=True):
        assert spaced.tokenizer.decode(tokens).strip() == option
        assert len(tokens) > 1


@pytest.mark.parametrize("options", [("no", "yes"), ("Yes.", "No.")])
def test_yes_and_no_are_scored_in_the_order_of_the_options(
    spaced, digits: Benchmark, options: tuple[str, str]
) -> None:
    sample = dataclasses.replace(digits.samples[0], options=options, answer=0)
    candidates = Candidates(spaced, asking=Asking(answers="yes-no"))
    said = [spaced.tokenizer.decode(tokens).strip() for tokens in candidates.of(sample)]
    assert said == [option.strip(".").capitalize() for option in options]


def _with_options(digits: Benchmark, *options: str) -> Sample:
    return dataclasses.replace(digits.samples[0], id="odd", options=options, answer=0)


def test_a_question_that_is_none_of_yes_and_no_is_a_bad_sample(spaced, digits: Benchmark) -> None:
    with pytest.raises(BadSample, match="'odd': its options are 'yes', 'perhaps'") as found:
        Candidates(spaced, asking=Asking(answers="yes-no")).of(
            _with_options(digits, "yes", "perhaps")
        )
    other = pickle.loads(pickle.dumps(found.value))  # as it comes from another process
    assert (other.sample_id, str(other)) == ("odd", str(found.value))


def test_more_options_than_letters_are_a_bad_sample_and_can_be_scored_by_their_words(
    spaced, digits: Benchmark
) -> None:
    many = _with_options(digits, *map(str, range(len(LETTERS) + 1)))
    with pytest.raises(BadSample, match=r"27 options.*26 letters.*--answers options"):
        Candidates(spaced).of(many)
    assert len(Candidates(spaced, asking=Asking(answers="options")).of(many)) == 27


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_option_without_words_is_a_bad_sample(spaced, digits: Benchmark, empty: str) -> None:
    with pytest.raises(BadSample, match=r"option 2 has no words"):
        Candidates(spaced, asking=Asking(answers="options")).of(_with_options(digits, "a", empty))


def test_an_option_that_the_tokenizer_drops_or_does_not_know_is_a_bad_sample(
    digits: Benchmark,
) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"<unk>": 0, "red": 1, "blue": 2}, unk_token="<unk>"))
    words.normalizer = normalizers.Replace("\u200b", "")
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>")
    candidates = Candidates(tokenizer, asking=Asking(answers="options"))
    assert candidates.of(_with_options(digits, "red", "blue")) == ((1,), (2,))
    with pytest.raises(BadSample, match="has no token for option 2"):
        candidates.of(_with_options(digits, "red", "\u200b"))
    with pytest.raises(
        BadSample, match="its token for what it does not know for option 2, 'mauve'"
    ):
        candidates.of(_with_options(digits, "red", "mauve"))


def test_only_letters_of_one_token_each_add_up_to_one(spaced, digits: Benchmark) -> None:
    samples = digits.samples[:3]
    assert Candidates(spaced).single_token(samples)
    assert not Candidates(spaced, asking=Asking(answers="options")).single_token(samples)
    many = _with_options(digits, *map(str, range(20)))
    assert len(Candidates(spaced).tokens("Q")) > 1
    assert not Candidates(spaced).single_token([*samples, many])


def test_a_letter_of_several_tokens_cannot_be_trained_on(oracle: LoadedModel) -> None:
    with pytest.raises(UnsupportedModel, match="trained on"):
        Candidates.of_model(oracle).token("Q")


def test_tokens_are_alike_when_they_differ_in_case_and_blanks_only(spaced) -> None:
    tokenizer = spaced.tokenizer
    candidates = Candidates(spaced)
    a, small, b, line = (tokenizer.convert_tokens_to_ids(t) for t in ("ĠA", "a", "B", "Ċ"))
    assert candidates.alike(a, small)
    assert not candidates.alike(a, b)
    assert candidates.alike(line, line)
    assert not candidates.alike(line, tokenizer.convert_tokens_to_ids("Ġ"))
