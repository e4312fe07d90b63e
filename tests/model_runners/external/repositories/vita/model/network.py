"""One vision tower over patches, and an ear that wants a sound even where there is none."""

from types import SimpleNamespace

import shape
import torch
from torch import nn


class Tower(nn.Linear):
    is_loaded = True
    image_processor = None


class Ear(nn.Linear):
    def forward(self, sounds, lengths):
        return {"inputs_embeds": super().forward(sounds.to(self.weight.dtype)[:, :2])}


class Stack(shape.Stack):
    def __init__(self, config):
        super().__init__(config)
        self.vision_tower = Tower((shape.SIDE // 2) ** 2, config.hidden_size)
        self.audio_encoder = Ear(80, config.hidden_size)


class Vita(shape.Answering):
    stack_class = Stack

    def get_vision_tower(self):
        return self.model.vision_tower

    def get_audio_encoder(self):
        return self.model.audio_encoder

    def process_images(self, images, model_cfg):
        return torch.stack([shape.pixels(image) for image in images])

    def prepare_inputs_labels_for_multimodal(
        self, input_ids, position_ids, attention_mask, past_key_values, labels, images, audios,
        sf_masks, shared_v_pid_stride=None,
    ):  # fmt: skip
        if images is None:
            return input_ids, position_ids, attention_mask, past_key_values, None, labels
        seen = self.model.vision_tower(shape.patches(images, 2))
        heard = self.model.audio_encoder(audios["audios"], audios["lengths"])["inputs_embeds"]
        assert (input_ids == shape.IMAGE_TOKEN_INDEX).sum() == len(seen)
        assert len(heard) == len(input_ids)
        embeddings, names, attended = shape.put_in(
            self.model, input_ids, labels, attention_mask, shape.IMAGE_TOKEN_INDEX, seen
        )
        return (
            None, position_ids, attended.to(attention_mask.dtype), past_key_values, embeddings,
            names,
        )  # fmt: skip

    def forward(
        self, input_ids=None, attention_mask=None, images=None, audios=None, sf_masks=None,
        use_cache=None,
    ):  # fmt: skip
        found = self.prepare_inputs_labels_for_multimodal(
            input_ids, None, attention_mask, None, torch.zeros_like(input_ids), images, audios,
            sf_masks,
        )  # fmt: skip
        output = self.model(input_ids=found[0], attention_mask=found[2], inputs_embeds=found[4])
        return SimpleNamespace(logits=self.lm_head(output.last_hidden_state))
