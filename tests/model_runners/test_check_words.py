"""The words for a self-test: every check of a real report has a claim of its own."""

from data_cache.samples import Benchmark
from model_runners.answer_test import with_answers_tested
from model_runners.asking import Asking
from model_runners.candidates import Candidates
from model_runners.check_words import CHECKS, check_in_words, measured_of
from model_runners.loading import LoadedModel
from model_runners.selftest import self_test


def test_every_check_is_put_into_words(qwen: LoadedModel, digits: Benchmark) -> None:
    tested = self_test(qwen, digits.samples[:8], asking=Asking(answers="options"))
    words = Candidates.of_model(qwen, Asking(answers="options"))
    report = with_answers_tested(tested, qwen, digits.samples[0], words).to_dict()
    assert {check["name"] for check in report["checks"]} == CHECKS.keys()
    for check in report["checks"]:
        assert check_in_words(check).startswith(f"holds: {CHECKS[check['name']]} (")


def test_a_check_that_fails_says_so_and_on_which_side_of_zero_it_should_be() -> None:
    leak = {"name": "image_masked", "value": 0.5, "limit": 0.0, "passed": False}
    dead = {"name": "image_matters", "value": 0.0, "limit": 0.0, "passed": False}
    assert check_in_words(leak).startswith("FAILS: with the image masked")
    assert measured_of(leak) == "0.5, at most 0"
    assert measured_of(dead) == "0, must be more than 0"
