import io

import PIL.Image
import pytest

from pages.widgets.pictures import enlarged


def png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    image = PIL.Image.new("L", (width, height), 255)
    image.putpixel((0, 0), 0)
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_a_small_image_grows_by_whole_pixels_and_stays_sharp() -> None:
    large = enlarged(png(32, 16), 256)
    assert large is not None
    with PIL.Image.open(io.BytesIO(large)) as image:
        assert image.size == (256, 128)
        assert set(image.convert("L").get_flattened_data()) == {0, 255}


@pytest.mark.parametrize("size", [(97, 20), (256, 256)])
def test_a_larger_image_is_left_alone(size: tuple[int, int]) -> None:
    data = png(*size)
    assert enlarged(data, 256) == data


@pytest.mark.parametrize("data", [b"", b"not an image", png(32, 32)[:60], png(200, 200)[:80]])
def test_what_is_no_image_is_none(data: bytes) -> None:
    assert enlarged(data, 256) is None
