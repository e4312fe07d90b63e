from pages.figures.exactness import within
from pages.widgets.evidence import badges
from tests.pages.spectra import record


def test_a_record_without_a_certificate_says_so() -> None:
    assert within(0.00041) == "exact within 0.00041 bits"
    assert within(float("inf")) == "no bound on the error"
    badge = badges([record(), record(gap_bits=float("inf"))], unit="bits")[0]
    assert (badge.text, badge.colour) == ("no bound on the error", "orange")
