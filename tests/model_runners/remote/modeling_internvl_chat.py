"""A small model of the shape that OpenGVLab publishes InternVL in: told the placeholder from
outside, with a language model of transformers inside."""

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel, Qwen2ForCausalLM
from transformers.modeling_outputs import CausalLMOutputWithPast

from .configuration_internvl_chat import InternVLChatConfig


class InternVLChatModel(PreTrainedModel):
    config_class = InternVLChatConfig
    main_input_name = "pixel_values"
    _supports_sdpa = True

    def __init__(self, config: InternVLChatConfig):
        super().__init__(config)
        vision = config.vision_config
        self.vision_model = nn.Conv2d(3, vision.hidden_size, vision.patch_size, vision.patch_size)
        self.language_model = Qwen2ForCausalLM(config.llm_config)
        merged = vision.hidden_size * int(1 / config.downsample_ratio) ** 2
        self.mlp1 = nn.Sequential(
            nn.LayerNorm(merged), nn.Linear(merged, config.llm_config.hidden_size)
        )
        self.img_context_token_id: int | None = None
        self.post_init()

    def extract_feature(self, pixel_values: torch.Tensor) -> torch.Tensor:
        step = int(1 / self.config.downsample_ratio)
        seen = self.vision_model(pixel_values)
        cells = seen.unfold(2, step, step).unfold(3, step, step)
        return self.mlp1(cells.permute(0, 2, 3, 4, 5, 1).flatten(1, 2).flatten(2))

    def forward(
        self,
        pixel_values: torch.Tensor,
        input_ids: torch.Tensor,
        image_flags: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
    ) -> CausalLMOutputWithPast:
        embeddings = self.language_model.get_input_embeddings()(input_ids).clone()
        features = self.extract_feature(pixel_values)[image_flags.squeeze(-1) == 1]
        embeddings[input_ids == self.img_context_token_id] = features.flatten(0, 1)
        said = self.language_model(
            inputs_embeds=embeddings,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            use_cache=use_cache,
        )
        return CausalLMOutputWithPast(logits=said.logits, past_key_values=said.past_key_values)
