"""Bugs of pooling: who gets the gradient of a window, how much of it, and what overlaps."""

from .bug import Bug

IMAGE = {"x": "2x6x8x3"}
POOL = {"pool_size": 2}

BUGS = (
    Bug(
        name="max-pool-pays-every-tie",
        target="pooling._largest",
        checks="pooling.max_pool",
        right="np.subtract(left, rest, out=share)",
        wrong="np.multiply(left, cell == y, out=share)\n"
        "            np.multiply(left, cells[-1] == y, out=rest)",
        story="The mask x == y gives the whole gradient of a window to each of its largest pixels. "
        "On images with a black background, where most windows are all zero, it is counted four "
        "times.",
        symptom="Windows with ties send back more than they received.",
        cause="at ties",
        source="Theano/Theano #5248",
        inputs={"x": "2x6x8x3:ties"},
        arguments=POOL,
        trains="max pooling",
    ),
    Bug(
        name="max-pool-nearly-equal",
        target="pooling._largest",
        checks="pooling.max_pool",
        right="cell != y",
        wrong="np.abs(cell - y) >= 1e-2",
        story="The largest pixel is found again by comparing within a tolerance, as one learns to "
        "compare floats. The first pixel that comes near takes the gradient.",
        symptom="A window's gradient goes to a pixel that is nearly, not exactly, the largest.",
        cause="another mask",
        source="mni-ml/framework #22",
        inputs={"x": [[[[1.0], [1.005], [0.2], [0.9]], [[0.3], [0.5], [-1.0], [0.904]]]]},
        arguments=POOL,
    ),
    Bug(
        name="max-pool-to-every-pixel",
        target="pooling._largest",
        checks="pooling.max_pool",
        right="np.multiply(left, cell != y, out=rest)\n"
        "            np.subtract(left, rest, out=share)",
        wrong="rest[...] = share[...] = left",
        story="Every pixel of a window gets its gradient, not only the largest. It is the backward "
        "of a sum.",
        symptom="The gradient is wrong only where it should be zero.",
        cause="mask missing",
        source="a classic",
        inputs=IMAGE,
        arguments=POOL,
        trains="max pooling",
    ),
    Bug(
        name="average-pool-without-its-division",
        target="pooling._average",
        checks="pooling.average_pool",
        right="np.divide(dy, number, out=share)",
        wrong="share[...] = dy",
        story="Forward averages the window, backward hands its gradient to every pixel in full. It "
        "is the backward of a sum.",
        symptom="The gradient is as many times too large as a window has pixels.",
        cause="times axis size",
        source="a classic",
        inputs=IMAGE,
        arguments=POOL,
        trains="average pooling",
    ),
    Bug(
        name="average-pool-counts-the-padding",
        target="pooling._average",
        checks="pooling.average_pool",
        right="np.divide(dy, number, out=share)",
        wrong="np.divide(dy, windows.size, out=share)",
        story="Windows that hang over the edge have fewer pixels, and their gradient is divided by "
        "the full number all the same. Inside of the image all is well.",
        symptom="The gradient is too small at the last row and column, and right elsewhere.",
        cause="at borders",
        source="apache/tvm #1144, on counting the padding",
        inputs={"x": "2x5x7x3"},
        arguments={"pool_size": 2, "padding": "same"},
    ),
    Bug(
        name="overlapping-windows-overwrite",
        target="pooling._Windows.collected",
        checks="pooling.average_pool",
        right="cell += share",
        wrong="cell[...] = share",
        story="Where windows overlap, a pixel gets the gradient of the last one alone, by an = "
        "where += belongs. Windows that lie side by side, the usual pooling, hide it.",
        symptom="The gradient is wrong only where windows overlap.",
        cause="overlapping windows",
        source="oreilly-japan/deep-learning-from-scratch #27, which asks for it",
        inputs={"x": "2x7x9x3"},
        arguments={"pool_size": 3, "strides": 2},
        trains="average pooling",
    ),
    Bug(
        name="padding-before-instead-of-after",
        target="pooling._fit",
        checks="pooling.max_pool",
        right="return windows, (over // 2, over - over // 2)",
        wrong="return windows, (over - over // 2, over // 2)",
        story="An odd pixel of padding goes in front, where TensorFlow puts it behind. Only an "
        "even size with a stride of two or an even window has one.",
        symptom="Windows are one pixel off.",
        cause="forward",
        source="tensorflow #18213; pytorch #3867",
        inputs={"x": "2x7x5x3"},
        arguments={"pool_size": 2, "padding": "same"},
    ),
    Bug(
        name="global-average-without-its-division",
        target="pooling.global_average_pool",
        right="np.where(seen, _restored(dy, axes, keepdims) / number, 0)",
        wrong="np.where(seen, _restored(dy, axes, keepdims), 0)",
        story="Each pixel gets the gradient of the average in full. The larger the image, the "
        "larger the step.",
        symptom="The gradient is as many times too large as the image has pixels.",
        cause="times axis size",
        source="a classic",
        inputs={"x": "2x5x4x3"},
    ),
    Bug(
        name="global-max-pays-every-tie",
        target="pooling.global_max_pool",
        right="a * wins / wins.sum(axes, keepdims=True, dtype=largest.dtype)",
        wrong="a * wins",
        story="Every pixel that equals the largest gets the whole gradient. TensorFlow shares it "
        "out among them.",
        symptom="Channels with ties send back more than they received.",
        cause="factor per axis",
        source="tensorflow #4886",
        inputs={"x": "2x5x4x3:ties"},
    ),
)
