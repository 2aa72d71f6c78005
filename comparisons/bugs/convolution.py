"""Bugs of convolutions: overlaps, flips, sides, and what is summed over the pixels."""

from .bug import Bug

CONV = {"inputs": "2x6x7x3", "kernel": "3x2x3x4"}

BUGS = (
    Bug(
        name="col2im-overwrites",
        target="convolution.im2col",
        right="+= dwindows[..., k, m, :]",
        wrong="= dwindows[..., k, m, :]",
        story="Windows that overlap say several things about one pixel, and only the last is kept. "
        "It looks right, because then im2col and col2im undo each other.",
        symptom="The gradient is right only where a single window reaches.",
        cause="overlapping windows",
        source="oreilly-japan/deep-learning-from-scratch #27, which asks for it",
        inputs={"x": "2x7x9x3"},
        arguments={"kernel_size": (3, 3), "strides": (2, 2)},
    ),
    Bug(
        name="kernel-not-flipped",
        target="convolution.products._flipped",
        checks="convolution.conv",
        right="kernel[::-1, ::-1]",
        wrong="kernel",
        story="The gradient of the input is a convolution with the kernel turned by half a circle, "
        "and the turn is left out. A symmetric kernel, the favourite of tests, hides it.",
        symptom="The gradient of the input is wrong, that of the kernel is right.",
        cause="kernel not flipped",
        source="a classic; ddbourgin/numpy-ml #27 asks where the flip is",
        inputs=CONV,
        trains="convolution",
    ),
    Bug(
        name="kernel-channels-not-exchanged",
        target="convolution.products._flipped",
        checks="convolution.conv",
        right="flipped.transpose(0, 1, 4, 3, 2)",
        wrong="flipped",
        story="On the way back the kernel's outputs are its inputs, and they are not exchanged. "
        "With as many channels before as after, no shape complains.",
        symptom="The gradient of the input mixes the wrong channels.",
        cause="no simple pattern",
        source="our own",
        inputs={"inputs": "2x6x7x3", "kernel": "3x2x3x3"},
        trains="convolution",
    ),
    Bug(
        name="padding-mirrored-on-the-way-back",
        target="convolution.products.spread",
        checks="convolution.conv",
        right="(pad, _) in",
        wrong="(_, pad) in",
        story="Where padding is not the same on both sides, backward takes the sides the other way "
        "round. Odd kernels with a stride of one are padded evenly and hide it.",
        symptom="The gradient of the input is shifted by one pixel.",
        cause="shifted",
        source="tensorflow #18213, on padding that is not symmetric",
        inputs={"inputs": "2x6x7x3", "kernel": "2x2x3x4"},
        arguments={"padding": "same"},
    ),
    Bug(
        name="same-padding-of-another-library",
        target="convolution.sliding.padding_around",
        checks="convolution.conv",
        right="return zeros // 2, zeros - zeros // 2",
        wrong="return zeros - zeros // 2, zeros // 2",
        story="The odd zero goes in front, where TensorFlow puts it behind. With a stride of two "
        "on an even size every window is one pixel off.",
        symptom="The output is that of an image moved by one pixel.",
        cause="forward",
        source="pytorch #3867; vtjeng/MIPVerify.jl #23",
        inputs={"inputs": "2x6x8x3", "kernel": "3x3x3x4"},
        arguments={"padding": "same", "strides": 2},
    ),
    Bug(
        name="kernel-gradient-averaged",
        target="convolution.conv",
        right="kernel_gradient(windows, dy, images.kernel).reshape(kernel.shape)",
        wrong="kernel_gradient(windows, dy, images.kernel).reshape(kernel.shape) / len(inputs)",
        story="The gradient of the kernel is divided by the batch size, which the loss has done "
        "already. Training only looks slow.",
        symptom="The gradient of the kernel is 1/N of what it should be.",
        cause="divided by N",
        source="a classic",
        inputs=CONV,
        trains="convolution",
    ),
    Bug(
        name="kernel-gradient-overwritten",
        target="convolution.products.kernel_gradient",
        checks="convolution.conv",
        right="(columns @ rows).sum(axis=(1, 2))",
        wrong="(columns @ rows)[:, -1, -1]",
        story="The gradient of the kernel is a sum over all places where the kernel lay, and an = "
        "keeps the last column of them. With one column of windows per image it is right.",
        symptom="The gradient of the kernel is that of the last column of windows alone.",
        cause="no simple pattern",
        source="LBANN/lbann #1022",
        inputs=CONV,
        trains="convolution",
    ),
    Bug(
        name="bias-averaged-over-pixels",
        target="convolution.layers._Convolution.preactivation",
        checks="convolution.Conv2D",
        right="np.einsum(dz, list(range(dz.ndim)), [self.channel_axis])",
        wrong="dz.mean(axis=(0, 1, 2))",
        story="The bias takes the mean over samples and pixels, where it is added at every one of "
        "them. It learns hundreds of times too slowly.",
        symptom="The gradient of the bias is divided by the number of samples and pixels.",
        cause="mean over broadcast axes",
        source="a classic",
        inputs={"x": "2x6x7x3"},
        arguments={"filters": 4, "kernel_size": 3},
        trains="convolution",
    ),
    Bug(
        name="bias-summed-over-samples-only",
        target="convolution.layers._Convolution.preactivation",
        checks="convolution.Conv2D",
        right="np.einsum(dz, list(range(dz.ndim)), [self.channel_axis])",
        wrong="dz.sum(axis=0)",
        story="As in a dense layer, the bias is summed over the batch alone. But a convolution "
        "adds one bias to every pixel.",
        symptom="The gradient of the bias is an image.",
        cause="shape",
        source="a classic",
        inputs={"x": "2x6x7x3"},
        arguments={"filters": 4, "kernel_size": 3},
    ),
    Bug(
        name="depthwise-kernel-in-another-order",
        target="convolution.depthwise_conv",
        right="return dinputs, dkernel.reshape(kernel.shape)",
        wrong="dkernel = dkernel.reshape(*size, multiplier, channels)\n"
        "        return dinputs, dkernel.swapaxes(-1, -2)",
        story="The outputs of a depthwise convolution are numbered by channel, then by multiplier, "
        "and the gradient is read the other way round. With a multiplier of one there is no "
        "difference.",
        symptom="The gradient of the kernel holds the right numbers in another order.",
        cause="reshaped",
        source="our own",
        inputs={"inputs": "2x5x6x3", "kernel": "3x2x3x2"},
    ),
)
