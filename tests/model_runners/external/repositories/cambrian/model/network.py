"""Two vision towers, whose features enter the prompt and, again, the layers of the decoder."""

from types import SimpleNamespace

import shape
import torch
from torch import nn

GRID = (4, 8)
"""Patches along a side of each tower; the prompt has 4 x 4 places."""


class Sampler(nn.Module):
    """Lets each of n places read k vectors of every tower, and what all of them are about."""

    def __init__(self, width):
        super().__init__()
        self.query = nn.Linear(2 * width, width)
        self.value = nn.Linear(width, width)

    def forward(self, latent, context, *rest):
        features, masks = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        keys, seen = torch.cat(features, 1), torch.cat(masks, 1)
        query = self.query(torch.cat([latent, context], -1))
        weights = (query @ keys.transpose(1, 2)).masked_fill(~seen[:, None], -1e4).softmax(-1)
        return latent + weights @ self.value(keys) + context


class Stack(shape.Stack):
    def __init__(self, config):
        super().__init__(config)
        width = config.hidden_size
        self.mm_projector = nn.Linear(width, width)
        self.towers = nn.ModuleList(
            [nn.Linear((shape.SIDE // number) ** 2, width) for number in GRID]
        )
        self.image_newline = nn.Parameter(torch.zeros(width))
        self.vision_sampler_layers = nn.ModuleList([Sampler(width) for _ in range(2)])

    def forward(
        self, input_ids=None, attention_mask=None, position_ids=None, past_key_values=None,
        inputs_embeds=None, use_cache=None, return_dict=None,
        vision_tower_aux_feature_list=None, vision_tower_aux_attention_masks_list=None,
        final_vision_feature_size=None, global_context_feature=None,
    ):  # fmt: skip
        states, attended = self.begun(input_ids, inputs_embeds, attention_mask, position_ids)
        samplers = dict(zip(range(0, len(self.layers), 2), self.vision_sampler_layers))
        for number, layer in enumerate(self.layers):
            states = layer(states, attended)[0]
            if vision_tower_aux_feature_list is None or number not in samplers:
                continue
            first = self.config.image_position
            latent, lines, counts = [], [], []
            for row, (height, width) in enumerate(final_vision_feature_size):
                there = states[row, first : first + height * (width + 1)].clone()
                there = there.view(height, width + 1, -1)
                latent.append(there[:, :-1].reshape(height * width, 1, -1))
                lines.append(there[:, -1:])
                counts.append(height * width)
            sampled = samplers[number](
                torch.cat(latent),
                global_context_feature,
                *vision_tower_aux_feature_list,
                *vision_tower_aux_attention_masks_list,
            ).split(counts)
            states = states.clone()
            for row, (height, width) in enumerate(final_vision_feature_size):
                new = torch.cat([sampled[row].view(height, width, -1), lines[row]], 1)
                states[row, first : first + height * (width + 1)] = new.flatten(0, 1)
        return SimpleNamespace(last_hidden_state=self.norm(states), past_key_values=None)


class Cambrian(shape.Answering):
    stack_class = Stack

    def prepare_inputs_labels_for_multimodal(
        self, input_ids, position_ids, attention_mask, past_key_values, labels, images,
        image_aux_attention_masks_list=None, image_sizes=None,
    ):  # fmt: skip
        if images is None:
            return (
                input_ids, position_ids, attention_mask, past_key_values, None, labels,
                None, None, None, None,
            )  # fmt: skip
        stack, side = self.model, GRID[0]
        towers = [
            tower(shape.patches(batch, number))
            for tower, batch, number in zip(stack.towers, images, GRID)
        ]
        context = towers[0].mean(1)
        sizes, prompt, features, masks, contexts = [], [], [[], []], [[], []], []
        for row, (width, height) in enumerate(image_sizes):
            lines = max(1, round(side * min(1.0, height / width)))
            sizes.append((lines, side))
            for place, (tower, number) in enumerate(zip(towers, GRID)):
                factor = number // side
                grid = tower[row].view(side, factor, side, factor, -1).permute(0, 2, 1, 3, 4)
                grid = grid[:lines].reshape(lines * side, factor * factor, -1)
                features[place].append(grid)
                masks[place].append(torch.ones(grid.shape[:2], dtype=torch.bool))
            contexts.append(context[row].expand(lines * side, 1, -1))
            own = stack.mm_projector(features[0][row][:, 0] + features[1][row].mean(1))
            newline = stack.image_newline.expand(lines, 1, -1)
            prompt.append(torch.cat([own.view(lines, side, -1), newline], 1).flatten(0, 1))
        embeddings, names, attended = shape.put_in(
            stack, input_ids, labels, attention_mask, shape.IMAGE_TOKEN_INDEX, prompt
        )
        return (
            None, position_ids, attended.to(attention_mask.dtype), past_key_values, embeddings,
            names, [torch.cat(one) for one in features], [torch.cat(one) for one in masks],
            sizes, torch.cat(contexts),
        )  # fmt: skip

    def forward(
        self, input_ids=None, attention_mask=None, position_ids=None, inputs_embeds=None,
        labels=None, use_cache=None, images=None, image_aux_attention_masks_list=None,
        image_sizes=None, return_dict=None,
    ):  # fmt: skip
        found = self.prepare_inputs_labels_for_multimodal(
            input_ids, position_ids, attention_mask, None,
            torch.zeros_like(input_ids), images, None, image_sizes,
        )  # fmt: skip
        # As in the repository: with embeddings at hand, what `generate` kept is taken.
        output = self.model(
            input_ids=found[0],
            attention_mask=found[2],
            inputs_embeds=found[4],
            vision_tower_aux_feature_list=self.vision_tower_aux_feature_list,
            vision_tower_aux_attention_masks_list=self.vision_tower_aux_attention_masks_list,
            final_vision_feature_size=self.final_vision_feature_size,
            global_context_feature=self.global_context_feature,
        )
        return SimpleNamespace(logits=self.lm_head(output.last_hidden_state))
