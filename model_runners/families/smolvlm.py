"""SmolVLM and SmolVLM2 (Marafioti et al. 2025): Idefics3 made small, with SmolLM2.

Its own processor needs a package that spells numbers, for videos; still images are written as for
Idefics3, whose class serves (`processors.py`).
"""

from model_runners.families import Family

FAMILY = Family(
    name="SmolVLM",
    model_type="smolvlm",
    stack="model.text_model",
)
