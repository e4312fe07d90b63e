"""Mistral Small 3.1 and 3.2 (Mistral AI 2025): Pixtral's tower, 2 x 2 patches merged, Mistral.

Rows of patches end in tokens of their own, which are text and keep their places under a mask.
Pixtral-12B in transformers' format is of type `llava`, with the same processor.
"""

from model_runners.families import Family

FAMILY = Family(
    name="Mistral Small 3",
    model_type="mistral3",
    takes_encoder_outputs=True,
    image_rows=("image_sizes",),
)
