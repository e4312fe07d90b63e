"""Idefics3 (Laurençon et al. 2024): SigLIP tower, pixel shuffle, Llama 3; an image in tiles.

Markers of rows, columns and the whole image stand between the tiles; they are text and keep their
places under a mask. Tiles of all images lie in one tensor, padded to the most, so none is kept for
the next prompt.
"""

from model_runners.families import Family

FAMILY = Family(
    name="Idefics3",
    model_type="idefics3",
    stack="model.text_model",
)
