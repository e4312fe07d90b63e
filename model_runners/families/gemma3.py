"""Gemma 3 (Gemma Team 2025): SigLIP tower, 256 tokens an image, which see each other both ways.

The processor's `token_type_ids` say where images are. They become masks before the text stack, so a
replay keeps them; the family says nothing when they are missing and computes something else.
"""

from model_runners.families import Family

FAMILY = Family(
    name="Gemma 3",
    model_type="gemma3",
    takes_encoder_outputs=True,
    stacks_features=True,
)
