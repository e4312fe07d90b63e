"""Cambrian-1: vision enters the language model a second time, inside its layers.

After some of its layers, vectors of every vision tower are read again by cross-attention and
written over the image's positions. They reach the text stack as `vision_tower_aux_feature_list` and
`global_context_feature`, past the embeddings, so noise in the embeddings alone would hide nothing.
Both become noise with moments of their own, one stream for each tower.
"""

from __future__ import annotations

from typing import Any

from .forks import Fork, Merged

AUXILIARY = "vision_tower_aux_feature_list"
CONTEXT = "global_context_feature"
REMEMBERED = (
    "vision_tower_aux_feature_list",
    "vision_tower_aux_attention_masks_list",
    "final_vision_feature_size",
    "global_context_feature",
)
"""What the repository's `generate` keeps on the model for its forward pass."""


class Adapter(Fork):
    """Any size of Cambrian-1 whose stack takes the auxiliary features."""

    package = "cambrian"
    family = "Cambrian-1"

    def conversation_of(self, folder: str) -> str:
        """Return the template that the authors use with each size."""
        name = folder.rstrip("/").rpartition("/")[2].lower()
        known = {"8b": "llama_3", "34b": "chatml_direct", "13b": "vicuna_v1", "phi3": "phi3"}
        return next((known[size] for size in known if size in name), self.default_conversation)

    def split(self, extra: tuple[Any, ...], merged: Merged) -> None:
        """Take the auxiliary features apart by prompt: each has as many rows as its image."""
        features, masks, sizes, context = extra
        merged.rest = [{"size": size} for size in sizes]
        if features is None:
            return
        counts = [height * width for height, width in sizes]
        for tower, (vectors, mask) in enumerate(zip(features, masks)):
            merged.side[f"{AUXILIARY}.{tower}"] = [
                part.reshape(-1, part.shape[-1]) for part in vectors.split(counts)
            ]
            for row, part in enumerate(mask.split(counts)):
                merged.rest[row].setdefault("masks", []).append(part)
        merged.side[CONTEXT] = [part.reshape(-1, part.shape[-1]) for part in context.split(counts)]

    def keywords(self, merged: Merged) -> dict[str, Any]:
        """Put the auxiliary features together again."""
        import torch

        if CONTEXT not in merged.side:
            return {}
        towers = len(merged.side) - 1
        masks = [[row["masks"][tower] for row in merged.rest] for tower in range(towers)]
        features = [
            torch.cat(
                [
                    vectors.reshape(len(mask), -1, vectors.shape[-1])
                    for vectors, mask in zip(merged.side[f"{AUXILIARY}.{tower}"], of_tower)
                ]
            )
            for tower, of_tower in enumerate(masks)
        ]
        return {
            AUXILIARY: features,
            "vision_tower_aux_attention_masks_list": [torch.cat(mask) for mask in masks],
            "final_vision_feature_size": [row["size"] for row in merged.rest],
            CONTEXT: torch.cat(
                [vectors.reshape(len(vectors), 1, -1) for vectors in merged.side[CONTEXT]]
            ),
        }

    def before_plain(self, extra: tuple[Any, ...]) -> None:
        """Keep the auxiliary features on the model, where its forward looks for them."""
        for name, value in zip(REMEMBERED, extra):
            setattr(self.model, name, value)
