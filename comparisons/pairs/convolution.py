from .pair import Pair


def rows() -> tuple[Pair, ...]:
    image = {"x": "3x7x6x2"}
    inputs = {"inputs": "3x7x6x2", "kernel": "3x2x2x4"}
    apart = {"inputs": "3x7x6x2", "depthwise_kernel": "3x2x2x3", "pointwise_kernel": "1x1x6x4"}
    same = {"strides": 2, "padding": "same"}
    sizes = {"filters": 4, "kernel_size": (3, 2)}
    return (
        Pair("convolution", "im2col", {"x": "2x5x4x3"}, {"kernel_size": (3, 2)}),
        Pair("convolution", "conv_by_im2col", {"x": "3x7x6x2", "kernel": "3x2x2x4"}),
        Pair("convolution", "conv", inputs),
        Pair("convolution", "conv", inputs, same, "same, strides 2"),
        Pair("convolution", "conv", inputs, {"dilation_rate": 2}, "dilated"),
        Pair("convolution", "depthwise_conv", inputs, same),
        Pair("convolution", "separable_conv", apart),
        Pair("convolution", "conv_transpose", inputs | {"kernel": "3x2x4x2"}, same),
        Pair("convolution", "Conv1D", {"x": "3x7x2"}, sizes | {"kernel_size": 3}, "", "layer"),
        Pair("convolution", "Conv2D", image, sizes | {"activation": "relu"}, "relu", "layer"),
        Pair("convolution", "Conv2D", image, sizes | same | {"groups": 2}, "groups", "layer"),
        Pair("convolution", "DepthwiseConv2D", image, {"kernel_size": 3}, "", "layer"),
        Pair("convolution", "SeparableConv2D", image, sizes, "", "layer"),
        Pair("convolution", "Conv2DTranspose", image, sizes | same, "", "layer"),
    )
