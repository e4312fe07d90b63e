"""How one check of a self-test is put into words, from the JSON that a run keeps of it."""

from collections.abc import Mapping
from typing import Any

CHECKS = {
    "replay": "the replay is the plain forward pass",
    "image_masked": "with the image masked, other pixels change nothing",
    "text_masked": "with the text masked, other words change nothing",
    "image_matters": "unmasked, the image moves the output",
    "text_matters": "unmasked, the text moves the output",
    "lens": "the last layer's lens is the model's output",
    "padding": "padding of a batch changes nothing",
    "spread": "the embeddings vary, so that noise can be matched to them",
}
"""What holds where a check is passed; a check that is not listed goes by its own name."""


def claim_of(check: Mapping[str, Any]) -> str:
    """Say what a check shows.

    >>> claim_of({"name": "lens"}), claim_of({"name": "of_next_year"})
    ("the last layer's lens is the model's output", 'of next year')
    """
    name = str(check.get("name", ""))
    return CHECKS.get(name, name.replace("_", " "))


def measured_of(check: Mapping[str, Any]) -> str:
    """Say how far a check is from its limit.

    >>> measured_of({"value": 3.1e-7, "limit": 1e-4})
    '3.1e-07, at most 0.0001'
    >>> measured_of({"value": 2.5, "limit": 0.0})
    '2.5, more than 0'
    """
    value, limit = float(check.get("value", "nan")), float(check.get("limit", "nan"))
    return f"{value:.2g}, {'more than 0' if limit == 0 else f'at most {limit:g}'}"


def check_in_words(check: Mapping[str, Any]) -> str:
    """Say in one line what a check shows and how far it is from its limit.

    >>> check_in_words({"name": "lens", "value": 0.0, "limit": 1e-4, "passed": True})
    "holds: the last layer's lens is the model's output (0, at most 0.0001)"
    """
    word = "holds" if check.get("passed") else "FAILS"
    return f"{word}: {claim_of(check)} ({measured_of(check)})"
