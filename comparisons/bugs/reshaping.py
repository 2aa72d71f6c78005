"""Bugs of layers that only move numbers: they come back another way than they went."""

from .bug import Bug

BUGS = (
    Bug(
        name="flatten-in-another-order",
        target="reshaping.flatten",
        right="dy.reshape(x.shape)",
        wrong='dy.reshape(x.shape, order="F")',
        story="Forward reads the array row by row, backward fills it column by column. The shapes "
        "are right, and every number is in the wrong place.",
        symptom="The gradient holds the right numbers in another order.",
        cause="reshaped",
        source="a classic of code that came from Fortran or Matlab",
        inputs={"x": "2x3x5"},
    ),
    Bug(
        name="permuted-there-and-not-back",
        target="reshaping.permute",
        right="lambda dy: dy.transpose(back)",
        wrong="lambda dy: dy.transpose(there)",
        story="Backward permutes the axes by the same order as forward, where the inverse belongs. "
        "An exchange of two axes is its own inverse, and hides it.",
        symptom="The axes of the gradient are permuted.",
        cause="permuted axes",
        source="a classic",
        inputs={"x": "2x3x3x3"},
        arguments={"dims": (2, 3, 1)},
    ),
    Bug(
        name="repeated-and-averaged",
        target="reshaping.repeat_vector",
        right="lambda dy: dy.sum(axis=1)",
        wrong="lambda dy: dy.mean(axis=1)",
        story="A vector that was copied gets the mean of what its copies are taught. What is used "
        "n times has n times the gradient.",
        symptom="The gradient is 1/n of what it should be.",
        cause="mean over broadcast axes",
        source="a classic of broadcasting",
        inputs={"x": "7x5"},
        arguments={"n": 4},
    ),
    Bug(
        name="padding-cut-on-the-other-side",
        target="reshaping.zero_padding",
        right="dy[_inside(dy, padding)]",
        wrong="dy[_inside(dy, [pair[::-1] for pair in padding])]",
        story="Two zeros were added in front and one behind, and backward cuts off one in front "
        "and two behind. With the same padding on both sides nobody sees it.",
        symptom="The gradient is shifted by one pixel.",
        cause="shifted",
        source="tensorflow #18213, on padding that is not symmetric",
        inputs={"x": "2x5x4x3"},
        arguments={"padding": ((2, 1), (1, 1), (0, 0))},
    ),
    Bug(
        name="up-sampling-follows-one-copy",
        target="reshaping._repeat",
        checks="reshaping.up_sampling",
        right="return functools.reduce(np.add, (dy[_every(size, starts)] for starts in copies))",
        wrong="return dy[_every(size, next(copies))]",
        story="Every pixel became four, and its gradient is that of the first alone. Down-sampling "
        "is not the backward of up-sampling: the sum is.",
        symptom="Three quarters of the upstream gradient are lost.",
        cause="one copy only",
        source="a classic",
        inputs={"x": "2x3x4x2"},
        arguments={"size": (2, 2)},
    ),
)
