"""How a kernel slides over an image: its steps, its gaps, the zeros around, and what comes out."""

from collections.abc import Sequence
from dataclasses import dataclass

Numbers = int | Sequence[int]
Pair = tuple[int, int]


@dataclass(frozen=True)
class Slide:
    """The movement of a kernel over images: (down, across) in every entry, pads (before, after)."""

    kernel_size: Pair
    strides: Pair
    dilation_rate: Pair
    pads: tuple[Pair, ...]

    @property
    def spans(self) -> Pair:
        """How many rows and columns of the image the kernel covers."""
        down, across = map(span, self.kernel_size, self.dilation_rate)
        return down, across

    def outputs(self, padded_size: Pair) -> Pair:
        """How many windows an image with its padding has, downwards and across."""
        (h, w), (height, width), (down, across) = padded_size, self.spans, self.strides
        return (h - height) // down + 1, (w - width) // across + 1


def slide_over(
    image_size: Pair, kernel_size: Pair, strides: Pair, padding: str, dilation_rate: Pair
) -> Slide:
    """The Slide of a kernel over images of that size. ValueError where it does not fit in."""
    spans = map(span, kernel_size, dilation_rate)
    axes = list(zip(image_size, spans, strides, strict=True))
    for axis in axes:
        output_size(*axis, padding)
    down, across = (padding_around(*axis, padding) for axis in axes)
    return Slide(kernel_size, strides, dilation_rate, (down, across))


def span(kernel_size: int, dilation_rate: int) -> int:
    """How many pixels a kernel covers, with the gaps that dilation leaves."""
    return (kernel_size - 1) * dilation_rate + 1


def padding_around(size: int, spanned: int, stride: int, padding: str) -> Pair:
    """The zeros (before, after) an axis: with "same", an odd one goes after, as in TensorFlow.

    "same" gives ceil(size / stride) outputs, "valid" pads nothing, and "causal" puts all zeros
    before, so that no output sees later steps. ValueError for other paddings.
    """
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return spanned - 1, 0
    if padding != "same":
        raise ValueError(f'padding is "valid" or "same", not {padding!r}')
    outputs = -(-size // stride)
    zeros = max((outputs - 1) * stride + spanned - size, 0)
    return zeros // 2, zeros - zeros // 2


def output_size(size: int | None, spanned: int, stride: int, padding: str) -> int | None:
    """The outputs along an axis, None for a size not yet known. ValueError where there is none."""
    if size is None:
        return None
    outputs = (size + sum(padding_around(size, spanned, stride, padding)) - spanned) // stride + 1
    if outputs < 1:
        raise ValueError(
            f"the output would have no pixels: with padding={padding!r}, a window over {spanned} "
            f"of them does not fit into the {size} of the input"
        )
    return outputs


def transposed_size(
    size: int | None, spanned: int, stride: int, padding: str, output_padding: int | None = None
) -> int | None:
    """The size of an image that a convolution would bring down to `size`, by Keras's rule.

    Several sizes would do, and output_padding chooses. ValueError where its choice is none of them.
    """
    if size is None:
        return None
    if padding == "valid":
        extra = max(stride - spanned, 0) if output_padding is None else output_padding
        return (size - 1) * stride + spanned + extra
    if output_padding is None:
        return size * stride
    image = (size - 1) * stride + spanned % 2 + output_padding
    if output_size(image, spanned, stride, padding) != size:
        raise ValueError(
            f"output_padding={output_padding} asks for {image} pixels, which strides of {stride} "
            f"would not bring down to the {size} of the input"
        )
    return image
