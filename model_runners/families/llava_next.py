"""LLaVA-NeXT, also LLaVA-1.6 (Liu et al. 2024): LLaVA-1.5 that sees an image whole and in tiles.

Each row of tiles ends in a learnt newline embedding at an image position; it is masked with the
image, although no pixel reaches it.
"""

from model_runners.families import Family

FAMILY = Family(
    name="LLaVA-NeXT",
    model_type="llava_next",
    takes_encoder_outputs=True,
    image_rows=("image_sizes",),
)
