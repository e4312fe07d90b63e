from shape import tokenizer_image_token

__all__ = ["get_model_name_from_path", "tokenizer_image_token"]


def get_model_name_from_path(path):
    return path.strip("/").split("/")[-1]
