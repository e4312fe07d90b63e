"""Ovis2 (Lu et al. 2024): the tower says how much of each visual word a patch is.

An image's vectors are sums over a table of visual words, and its beginning, rows, columns and end
are words of that table too, the same for every image; these are text and keep their places under a
mask. Tiles of all images lie in one row, so none is kept for the next prompt.
"""

from model_runners.families import Family

FAMILY = Family(
    name="Ovis2",
    model_type="ovis2",
)
