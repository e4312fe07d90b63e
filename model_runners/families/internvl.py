"""InternVL2.5 and InternVL3 (Chen et al. 2024, Zhu et al. 2025): the native "-hf" checkpoints.

An image is one to twelve tiles and a thumbnail. The inputs hold the tiles of all images in one row
and do not say which belong to which image, so none is kept for the next prompt. Checkpoints of type
`internvl_chat` bring code of their own and are not loaded.
"""

from model_runners.families import Family

FAMILY = Family(
    name="InternVL",
    model_type="internvl",
)
