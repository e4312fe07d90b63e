"""How near the numbers of a record are to the exact ones, in words."""

from math import isfinite


def within(gap_bits: float) -> str:
    """Name a certified gap; some estimators have none, which is infinite in a record.

    >>> within(0.0004), within(float("inf"))
    ('exact within 0.0004 bits', 'no bound on the error')
    """
    return f"exact within {gap_bits:.2g} bits" if isfinite(gap_bits) else "no bound on the error"
