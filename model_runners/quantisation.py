"""Weights in 8 or 4 bits, by choice: a smaller model that answers a little differently.

A quantised model is another model: the choice is part of a run's key, and of the noise's. All
linear layers but the head are quantised (bitsandbytes): `8bit` is LLM.int8 (Dettmers et al. 2022),
`4bit` is NF4 (Dettmers et al. 2023).
"""

import importlib.util
import logging
from typing import Any, Literal, get_args

from model_runners.errors import BadOption

Quantisation = Literal["8bit", "4bit"]
QUANTISATIONS: tuple[Quantisation, ...] = get_args(Quantisation)
BYTES_PER_WEIGHT = {"8bit": 1.0, "4bit": 0.5}
"""Of the quantised layers; scales take some hundredths more."""
PACKAGE = "bitsandbytes"
ROUNDING = {"8bit": 0.25, "4bit": 0.25}
"""Largest difference of a logit between two ways to compute it, as in `selftest`. A batch of other
shape is rounded otherwise, and LLM.int8 keeps a column whole where any row of a batch has a large
value in it, so the rows of a batch touch each other's last digits."""
LEAK = {"8bit": 0.05, "4bit": 1e-2}
"""Largest difference of a logit that masked content may make in rows beside it, as in `selftest`:
for the reason above. A leak that is smaller than that is not seen in a quantised model; the same
model unquantised, or a small sibling, shows it."""


def check_quantisation(quantise: str | None) -> None:
    """Refuse what cannot be quantised.

    Raises
    ------
    BadOption
        If there is no such precision, or the package is missing.
    """
    if quantise is None:
        return
    if quantise not in QUANTISATIONS:
        raise BadOption(f"quantise must be one of {', '.join(QUANTISATIONS)}, not {quantise!r}")
    if importlib.util.find_spec(PACKAGE) is None:
        raise BadOption(
            f"weights in {quantise} need {PACKAGE}, which is not installed; get it with: "
            f"pip install {PACKAGE}"
        )


def settings_of(quantise: str) -> Any:
    """Return transformers' configuration of a precision."""
    from transformers import BitsAndBytesConfig

    # On a CPU every one of its products says that it rounds float32 to float16 first.
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
    if quantise == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")
