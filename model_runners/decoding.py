"""Encoder-decoders: the encoder reads image and text, and the answer is read in the decoder.

What is masked is what the encoder reads. The decoder begins with one token that says nothing; its
state there predicts an answer's first token, and the tokens of an answer follow it.
"""

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a decoder has behind it: keys and values, and the prompts that it looks at."""

    cache: Any
    """transformers' `EncoderDecoderCache`."""
    states: "torch.Tensor"
    """(R, L, d): the encoder's last hidden states."""
    attended: "torch.Tensor | None"
    """(R, L): 1 where a prompt has a token."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "Read":
        """Return a copy that can grow; what belongs to the prompt is shared."""
        from transformers import EncoderDecoderCache

        own = copy.deepcopy(self.cache.self_attention_cache, memo)
        cache = EncoderDecoderCache(own, self.cache.cross_attention_cache)
        return Read(cache=cache, states=self.states, attended=self.attended)


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """The half of an encoder-decoder that answers."""

    module: "nn.Module"
    """Owns the layers of the lens."""
    start: int
    """The token that every answer follows."""

    def run(
        self,
        encoder: "nn.Module",
        embeddings: "torch.Tensor",
        keywords: dict[str, Any],
        *,
        keep_cache: bool,
        past: Read | None,
    ) -> "tuple[torch.Tensor, Read | None]":
        """Read prompts and return the decoder's states, and what an answer can go on from.

        Parameters
        ----------
        encoder
            Reads the prompts.
        embeddings
            (R, L, d): merged prompts; with `past`, an answer's tokens.
        keywords
            Of the encoder; with `past` they count for nothing.
        keep_cache
            Whether to return keys and values.
        past
            Prompts that were read before.

        Returns
        -------
        tuple
            (R, 1, d) at the token that begins an answer, or (R, L, d) at an answer's tokens, after
            the final norm; and None without `keep_cache`.
        """
        import torch

        if past is not None:
            said: dict[str, Any] = {"inputs_embeds": embeddings, "past_key_values": past.cache}
            states, attended = past.states, past.attended
        else:
            states = encoder(inputs_embeds=embeddings, **keywords).last_hidden_state
            attended = keywords.get("attention_mask")
            said = {"input_ids": torch.full((len(states), 1), self.start, device=states.device)}
        output = self.module(
            **said,
            encoder_hidden_states=states,
            encoder_attention_mask=attended,
            use_cache=keep_cache or past is not None,
        )
        read = Read(cache=output.past_key_values, states=states, attended=attended)
        return output.last_hidden_state, read if keep_cache else None
