"""LLaVA-1.5 (Liu et al. 2024): CLIP tower, 2-layer projector, Llama or Vicuna; no side channels.

Pixtral-12B (Mistral AI 2024) in transformers' format is of this type too, with a tower for images
of any size, which is told their sizes.
"""

from model_runners.families import Family

FAMILY = Family(
    name="LLaVA-1.5",
    model_type="llava",
    takes_encoder_outputs=True,
    image_rows=("image_sizes",),
)
