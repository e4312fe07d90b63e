"""A small decoder in plain torch, of the shape that repositories grown out of LLaVA have.

It is a real model: a causal decoder whose layers return tuples, with a head, read by a loader from
a folder. Nothing of PIDscope is imported; it must run under old stacks.
"""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import nn

IMAGE_TOKEN_INDEX = -200
AUDIO_TOKEN_INDEX = -500
IGNORE_INDEX = -100
SIDE = 32


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, states):
        return self.weight * states / (states.pow(2).mean(-1, keepdim=True) + 1e-6).sqrt()


class Layer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.input_norm, self.output_norm = Norm(width), Norm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, states, attended):
        rows, length, width = states.shape
        parts = self.qkv(self.input_norm(states)).view(rows, length, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        causal = torch.ones(length, length, dtype=torch.bool, device=states.device).tril()
        seen = causal & attended.bool()[:, None, None, :]
        weights = query @ key.transpose(-1, -2) / math.sqrt(width / self.heads)
        mixed = weights.masked_fill(~seen, -1e4).softmax(-1) @ value
        states = states + self.out(mixed.transpose(1, 2).reshape(rows, length, width))
        states = states + self.down(self.up(self.output_norm(states)).relu())
        return (states,)


class Stack(nn.Module):
    """What `get_model()` gives: embeddings, layers, norm."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            [Layer(config.hidden_size, config.heads) for _ in range(config.layers)]
        )
        self.norm = Norm(config.hidden_size)

    def places(self, position_ids):
        width = self.config.hidden_size
        rates = torch.exp(-torch.arange(0, width, 2) * (math.log(1e4) / width))
        angles = position_ids[..., None] * rates.to(position_ids.device)
        return torch.cat([angles.sin(), angles.cos()], -1)

    def begun(self, input_ids, inputs_embeds, attention_mask, position_ids):
        states = self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds
        if position_ids is None:
            position_ids = torch.arange(states.shape[1], device=states.device)[None]
        if attention_mask is None:
            attention_mask = torch.ones(states.shape[:2], device=states.device)
        return states + self.places(position_ids).to(states.dtype), attention_mask

    def forward(
        self, input_ids=None, attention_mask=None, position_ids=None, inputs_embeds=None,
        use_cache=None, return_dict=None,
    ):  # fmt: skip
        states, attended = self.begun(input_ids, inputs_embeds, attention_mask, position_ids)
        for layer in self.layers:
            states = layer(states, attended)[0]
        return SimpleNamespace(last_hidden_state=self.norm(states), past_key_values=None)


class Answering(nn.Module):
    """What every model of this shape has around its stack."""

    stack_class = Stack

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.model = self.stack_class(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    def get_model(self):
        return self.model

    @property
    def dtype(self):
        return self.lm_head.weight.dtype

    @property
    def device(self):
        return self.lm_head.weight.device

    def resize_token_embeddings(self, size):
        assert size <= self.config.vocab_size


def pad_right(embeddings, labels):
    """Return (B, L, d), (B, L) labels and (B, L) attention of rows of different lengths."""
    width = max(len(row) for row in embeddings)
    attended = torch.zeros(len(embeddings), width, dtype=torch.bool)
    padded = torch.zeros(len(embeddings), width, embeddings[0].shape[1], dtype=embeddings[0].dtype)
    named = torch.full((len(labels), width), IGNORE_INDEX)
    for row, (vectors, names) in enumerate(zip(embeddings, labels)):
        padded[row, : len(vectors)] = vectors
        named[row, : len(names)] = names
        attended[row, : len(vectors)] = True
    return padded, named, attended


def put_in(stack, ids, labels, attended, sentinel, features):
    """Put features in the places of sentinels, image by image; returns what `pad_right` does."""
    rows, names, image = [], [], 0
    for tokens, said, mask in zip(ids, labels, attended.bool()):
        tokens, said = tokens[mask], said[mask]
        parts, marks, start = [], [], 0
        for place in (tokens == sentinel).nonzero().flatten().tolist():
            parts += [stack.embed_tokens(tokens[start:place]), features[image]]
            marks += [said[start:place], torch.full((len(features[image]),), IGNORE_INDEX)]
            start, image = place + 1, image + 1
        parts.append(stack.embed_tokens(tokens[start:]))
        marks.append(said[start:])
        rows.append(torch.cat(parts))
        names.append(torch.cat(marks))
    return pad_right(rows, names)


class Conversation:
    """A template with the methods that such repositories give theirs."""

    roles = ("USER", "ASSISTANT")

    def __init__(self, system="", messages=()):
        self.system, self.messages = system, list(messages)

    def copy(self):
        return Conversation(self.system, self.messages)

    def append_message(self, role, text):
        self.messages.append((role, text))

    def get_prompt(self, modality=None):
        del modality
        text = self.system
        for role, said in self.messages:
            text += role + ":" + (" " + said + "\n" if said is not None else "")
        return text


def tokenizer_image_token(prompt, tokenizer, image_token_index=IMAGE_TOKEN_INDEX):
    ids = [tokenizer.bos_token_id]
    for number, piece in enumerate(prompt.split("<image>")):
        ids += [image_token_index] if number else []
        ids += tokenizer.encode(piece, add_special_tokens=False)
    return ids


def pixels(image):
    import numpy

    values = numpy.asarray(image.resize((SIDE, SIDE)).convert("L"), dtype="float32")
    return torch.from_numpy(values / 127.5 - 1)


def patches(images, number):
    """(B, SIDE, SIDE) pixels -> (B, number * number, pixels of a patch)."""
    size = SIDE // number
    cut = images.reshape(len(images), number, size, number, size).permute(0, 1, 3, 2, 4)
    return cut.reshape(len(images), number * number, size * size)


def config_of(folder):
    return SimpleNamespace(
        **json.loads((Path(folder) / "config.json").read_text()), _attn_implementation="eager"
    )


class Tokens:
    """What such a repository asks of its slow tokenizer: no offsets among it."""

    def __init__(self, folder):
        from tokenizers import Tokenizer

        self.own = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
        self.bos_token_id = self.own.token_to_id("<s>")
        self.pad_token_id = self.own.token_to_id("<pad>")

    def __len__(self):
        return self.own.get_vocab_size()

    def encode(self, text, add_special_tokens=True):
        return self.own.encode(text, add_special_tokens=add_special_tokens).ids

    def decode(self, tokens):
        return self.own.decode(tokens)


def read(folder, made):
    """Return tokenizer and model of a folder that `save` of the tests wrote."""
    from safetensors.torch import load_file

    tokenizer = Tokens(folder)
    model = made(config_of(folder))
    model.load_state_dict(load_file(str(Path(folder) / "model.safetensors")))
    return tokenizer, model.eval()
