from model_runners.audit import AuditRow
from pages.widgets.lab_trust import advice


def row(estimator: str, **changes: object) -> AuditRow:
    fields = {"label": estimator, "atoms": {}, "converged": True} | changes
    return AuditRow(estimator=estimator, **fields)  # type: ignore[arg-type]  # values of many types


def one(found: AuditRow, **more: bool) -> str:
    return advice([found], **more)[0]


def test_a_certificate_is_what_a_number_is_taken_for() -> None:
    assert one(row("certified", gap_bits=2e-4)).endswith(
        "within 0.0002 bits, proven. Take this one."
    )
    unsolved = row("certified", gap_bits=0.05, converged=False)
    assert one(unsolved).endswith("Not close enough yet.")


def test_margins_that_were_moved_too_far_leave_nothing_to_take() -> None:
    moved = one(row("certified", gap_bits=0.0, kept_share=0.4, prior_shift_bits=0.6))
    assert "left only 40% of what one probe carries" in moved
    assert moved.endswith("Take none.")
    shifted = one(row("certified", gap_bits=0.0, prior_shift_bits=0.6))
    assert "after a look at the other policies" in shifted


def test_a_method_without_a_certificate_is_for_reproducing_only() -> None:
    assert "Nothing bounds its error" in one(row("batch_reference"))
    assert "by 0.047 bits at most" in one(row("batch", gap_bits=0.047))


def test_estimators_on_embeddings_answer_another_question() -> None:
    assert "solves another problem" in one(row("ipfp", gap_bits=1e-6))


def test_an_error_is_said_and_that_of_a_sample_explained() -> None:
    wrong = row("certified", gap_bits=1e-4, error_bits=0.25, samples=64)
    assert one(wrong).endswith("Here it is off by 0.25 bits.")
    explained = one(wrong, is_population=True)
    assert explained.endswith("from the population: that is what 64 draws of it leave open.")
    assert "off by" not in one(row("certified", gap_bits=1e-4, error_bits=1e-5))


def test_the_published_policy_is_not_recommended() -> None:
    text = one(row("certified", gap_bits=1e-4, setting="reference"))
    assert "counts a difference of habits as information" in text
    assert "Take this one" not in text


def test_who_refuses_is_not_judged() -> None:
    assert advice([row("ipfp", atoms=None, refusal="no")]) == []
