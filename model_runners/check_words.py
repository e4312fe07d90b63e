"""How one check of a self-test is put into words, from the JSON that a run keeps of it."""

from collections.abc import Mapping
from typing import Any

CHECKS = {
    "replay": "the replay is the plain forward pass",
    "image_masked": "with the image masked, other pixels change nothing",
    "text_masked": "with the text masked, other words change nothing",
    "image_matters": "unmasked, the image moves the output",
    "text_matters": "unmasked, the text moves the output",
    "image_mask_acts": "masking the image moves the output",
    "text_mask_acts": "masking the text moves the output",
    "batched": "masked conditions in one batch are ordinary passes with the same noise in place",
    "lens": "the last layer's lens is the model's output",
    "padding": "padding of a batch changes nothing",
    "placeholder": "pixels reach no position that is not masked with the image",
    "positions": "image positions have rows and columns (M-RoPE)",
    "answers": "an answer of several tokens scores behind its prompt as in one plain pass",
    "spread": "the vectors of each modality vary, so that noise can be matched to them",
}
"""What holds where a check is passed; a check that is not listed goes by its own name."""


WHERE = {
    "replay": "a keyword of the call is not replayed, or twice (stack.py)",
    "image_masked": "pixels go around the embeddings: a side channel, or a wrong placeholder",
    "text_masked": "words go around the embeddings: per-layer inputs, or a Q-Former",
    "image_matters": "the model ignores the image, or `pixel_inputs` names no input",
    "text_matters": "the model ignores the text",
    "image_mask_acts": "the mask covers no position that the answer can see",
    "text_mask_acts": "the mask covers no position that the answer can see",
    "batched": "a keyword is repeated along the wrong axis (stack.py, channels.py)",
    "lens": "the norm is not the last step before the head: `norm`, or logits.py",
    "padding": "positions are counted from the padding: the processor, or its attention mask",
    "placeholder": "`image_token` names another token, or the encoder writes elsewhere, too",
    "positions": "the processor gives no mm_token_type_ids",
    "spread": "the vectors of a stream are all equal: a projector of zeros",
}
"""Where to look if a check fails."""


def where_of(check: Mapping[str, Any]) -> str:
    """Say where to look for what makes a check fail; empty where it holds, or nobody knows.

    >>> where_of({"name": "text_matters", "passed": False}), where_of({"name": "lens", "passed": 1})
    ('the model ignores the text', '')
    """
    return "" if check.get("passed") else WHERE.get(str(check.get("name", "")), "")


def claim_of(check: Mapping[str, Any]) -> str:
    """Say what a check shows.

    >>> claim_of({"name": "lens"}), claim_of({"name": "of_next_year"})
    ("the last layer's lens is the model's output", 'of next year')
    """
    name = str(check.get("name", ""))
    return CHECKS.get(name, name.replace("_", " "))


def measured_of(check: Mapping[str, Any]) -> str:
    """Say how far a check is from its limit.

    A limit of zero is either not to be left or to be passed; the outcome tells which.

    >>> measured_of({"value": 3.1e-7, "limit": 1e-4})
    '3.1e-07, at most 0.0001'
    >>> measured_of({"value": 2.5, "limit": 0.0, "passed": True})
    '2.5, must be more than 0'
    >>> measured_of({"value": 0.0, "limit": 0.0, "passed": True})
    '0, at most 0'
    """
    value, limit = float(check.get("value", "nan")), float(check.get("limit", "nan"))
    is_lower = limit == 0 and bool(check.get("passed")) == (value > 0)
    return f"{value:.2g}, {'must be more than 0' if is_lower else f'at most {limit:g}'}"


def check_in_words(check: Mapping[str, Any]) -> str:
    """Say in one line what a check shows and how far it is from its limit.

    >>> check_in_words({"name": "lens", "value": 0.0, "limit": 1e-4, "passed": True})
    "holds: the last layer's lens is the model's output (0, at most 0.0001)"
    """
    word = "holds" if check.get("passed") else "FAILS"
    return f"{word}: {claim_of(check)} ({measured_of(check)})"
