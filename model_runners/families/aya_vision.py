"""Aya Vision (Dash et al. 2025): SigLIP2 tower, tiles and a thumbnail, Command R7B or Aya Expanse.

Tiles of all images lie in one row that does not say which belong to which image, so none is kept
for the next prompt. The decoder's `logit_scale` is not used by the wrapper.
"""

from model_runners.families import Family

FAMILY = Family(
    name="Aya Vision",
    model_type="aya_vision",
)
