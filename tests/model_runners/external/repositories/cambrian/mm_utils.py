import torch
from shape import pixels, tokenizer_image_token

__all__ = ["get_model_name_from_path", "process_images", "tokenizer_image_token"]


def get_model_name_from_path(path):
    return path.strip("/").split("/")[-1]


def process_images(images, image_processor, model_cfg):
    """One (B, SIDE, SIDE) tensor for each vision tower."""
    batch = torch.stack([pixels(image) for image in images])
    return [batch for _ in image_processor]
