"""Bugs of tensors: broadcasting, slices, products and maps of points on their way back."""

from .bug import Bug

PRODUCT = {"x1": "5x3", "x2": "3x4"}
POINTS = {"x": "7x2"}

BUGS = (
    Bug(
        name="broadcast-gradient-not-summed",
        target="tensors.naive_add_matrix_and_vector",
        right="dx2[j] += dy[i, j]",
        wrong="dx2[j] = dy[i, j]",
        story="A vector that was added to every row gets the gradient of the last row, by an = "
        "where += belongs. With a single row it is right.",
        symptom="The gradient of the vector is one row of dy.",
        cause="one sample only",
        source="a classic",
        inputs={"x1": "5x3", "x2": "3"},
    ),
    Bug(
        name="repeats-averaged",
        target="tensors.broadcast_to",
        right="dy.sum(axis=repeated, keepdims=True)",
        wrong="dy.mean(axis=repeated, keepdims=True)",
        story="What comes back from the repeats is averaged, as if they were samples. Each of them "
        "counts in full.",
        symptom="The gradient is too small by the number of repeats.",
        cause="mean over broadcast axes",
        source="a classic",
        inputs={"x": "3x1x5"},
        arguments={"shape": (3, 4, 5)},
    ),
    Bug(
        name="slice-put-back-at-the-start",
        target="tensors.crop",
        right="dx[index] = dy",
        wrong="dx[tuple(slice(n) for n in dy.shape)] = dy",
        story="The gradient of a slice is put back at the beginning of an array of zeros, not "
        "where the slice was. Only the first batch is right.",
        symptom="The gradient sits in the wrong rows.",
        cause="rolled",
        source="a classic",
        inputs={"x": "7x6x5"},
        arguments={"ranges": [(3, 6)]},
    ),
    Bug(
        name="axes-moved-on-instead-of-back",
        target="tensors.transpose",
        right="dy.transpose(np.argsort(order))",
        wrong="dy.transpose(order)",
        story="The axes of the gradient are put in the order of the forward pass once more. For "
        "two axes, and for any exchange of two, that is the way back; in a circle of three it is "
        "not.",
        symptom="The gradient has its axes in another order.",
        cause="permuted axes",
        source="a classic",
        inputs={"x": "5x5x5"},
        arguments={"axes": (1, 2, 0)},
    ),
    Bug(
        name="product-of-the-other-way-round",
        target="tensors.dot",
        right="(row.T @ dy).reshape(x2.shape)",
        wrong="(dy.T @ row).reshape(x2.shape)",
        story="The product that gives the gradient of the second matrix is taken the other way "
        "round, and pressed into its shape. On a vector nothing shows.",
        symptom="The numbers are right and in the wrong places.",
        cause="reshaped",
        source="a classic",
        inputs=PRODUCT,
    ),
    Bug(
        name="column-overwritten",
        target="tensors.naive_matrix_dot",
        right="dx2[:, j] += dy[i, j] * x1[i]",
        wrong="dx2[:, j] = dy[i, j] * x1[i]",
        story="A column meets every row, and its gradient is the sum over all of them. Here the "
        "last row overwrites the others.",
        symptom="The gradient knows of the last row alone.",
        cause="one sample only",
        source="a classic",
        inputs=PRODUCT,
    ),
    Bug(
        name="angle-to-the-right",
        target="tensors.rotate",
        right="np.stack([-y[:, 1], y[:, 0]], axis=1)",
        wrong="np.stack([y[:, 1], -y[:, 0]], axis=1)",
        story="The tangent is that of a turn to the right, the points are turned to the left. What "
        "is learned from it turns away from its aim.",
        symptom="The gradient of the angle has the other sign.",
        cause="sign",
        source="our own",
        inputs=POINTS | {"angle": "scalar"},
    ),
    Bug(
        name="offset-without-the-second-map",
        target="tensors.compose_affine_maps",
        right="affine_map(bias1, kernel2, bias2)",
        wrong="affine_map(bias1, np.eye(*kernel2.shape), bias2)",
        story="The two kernels are multiplied, the two offsets only added. But the first offset "
        "goes through the second map as every point does.",
        symptom="The offset of the composition is wrong, and the origin lands elsewhere.",
        cause="forward",
        source="our own",
        inputs={"kernel1": "5x3", "bias1": "3", "kernel2": "3x3", "bias2": "3"},
    ),
)
