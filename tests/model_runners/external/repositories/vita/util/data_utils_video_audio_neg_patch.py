def dynamic_preprocess(image, min_num=1, max_num=12, image_size=448, use_thumbnail=True):
    """The left and the right half, and the whole picture small."""
    width, height = image.size
    halves = [image.crop((0, 0, width // 2, height)), image.crop((width // 2, 0, width, height))]
    return [*halves, image], [3]
