"""What is proven before a run begins: that masking hides, and that answers are scored rightly."""

from collections.abc import Sequence

from data_cache.plan import BLOCK_SIZE
from data_cache.samples import Benchmark, Sample
from model_runners.answer_test import with_answers_tested
from model_runners.bad_samples import BadSamples
from model_runners.candidates import Candidates
from model_runners.errors import UnsupportedModel
from model_runners.loading import LoadedModel
from model_runners.profile_options import ProfileOptions
from model_runners.selftest import SelfTestReport, self_test


def masking_tested(
    loaded: LoadedModel, benchmark: Benchmark, options: ProfileOptions, bad: BadSamples
) -> SelfTestReport:
    """Run the self-test on the first samples that can be read.

    Raises
    ------
    SelfTestFailed
        If masking leaks or the replay is not the plain forward pass.
    UnsupportedModel
        If fewer than two of a block's samples can be run.
    """
    samples = benchmark.samples[:BLOCK_SIZE]

    def test(readable: list[Sample]) -> SelfTestReport:
        if bad.reasons and len(readable) < 2:
            sample, reason = next(iter(bad.reasons.items()))
            raise UnsupportedModel(
                f"the self-test needs two samples, and {len(bad.reasons)} of the first "
                f"{len(samples)} cannot be run; the first, {sample!r}: {reason}"
            )
        return self_test(loaded, readable, scope=options.mask_scope, asking=options.asking)

    tested = bad.spare(samples, test)
    bad.require_one_good(samples)
    assert tested is not None
    return tested


def answers_tested(
    tested: SelfTestReport,
    loaded: LoadedModel,
    wanted: Sequence[Sample],
    candidates: Candidates,
    bad: BadSamples,
) -> SelfTestReport:
    """Add a check of the first sample whose answers need one, where there is such a sample."""

    def test(one: list[Sample]) -> SelfTestReport:
        return with_answers_tested(tested, loaded, one[0], candidates)

    for sample in wanted:
        if candidates.several_tokens(sample):
            report = bad.spare([sample], test)
            if report is not None:
                return report
    return tested
