"""Bugs of weighted sums and of the step behind them."""

from .bug import Bug

BUGS = (
    Bug(
        name="predictions-not-added-up",
        target="perceptrons.one_to_many",
        right="dy @ weights",
        wrong="dy * weights",
        story="One input makes several predictions, and each of them sends back its share. The "
        "shares are to be added to the gradient of that one input.",
        symptom="The gradient of the input has a number for each prediction.",
        cause="shape",
        source="a classic",
        inputs={"x": "scalar", "weights": "3"},
    ),
    Bug(
        name="outer-product-transposed",
        target="perceptrons.many_to_many",
        right="np.outer(dy, x)",
        wrong="np.outer(x, dy)",
        story="The outer product of inputs and errors is written the other way round. As many "
        "inputs as outputs, as in the three times three of the notes, and nothing refuses it.",
        symptom="The gradient of the weights is transposed.",
        cause="transposed",
        source="a classic",
        inputs={"x": "3", "weights": "3x3"},
    ),
    Bug(
        name="weights-taught-by-the-first-inputs",
        target="perceptrons.stacked",
        right="hidden.T @ dy",
        wrong="x.T @ dy",
        story="The second layer learns from what the first one received, not from what it passed "
        "on. With layers of one width the shapes agree.",
        symptom="The gradient of the second kernel is made of the wrong numbers.",
        cause="derivative missing",
        source="a classic",
        inputs={"x": "7x5", "kernel1": "5x5", "kernel2": "5x4"},
    ),
    Bug(
        name="step-with-a-slope",
        target="perceptrons.perceptron",
        right="dz = backward_step(dy)",
        wrong="dz = dy",
        story="A step is flat wherever it has a slope at all, so its gradient is zero. Passing dy "
        "through makes it learn, which is a useful lie, but no derivative.",
        symptom="A gradient for weights whose small changes change nothing.",
        cause="outer product",
        source="Bengio et al. 2013, arXiv:1308.3432, as the straight-through estimator",
        inputs={"x": "7x3", "weights": "3", "bias": "scalar"},
        zero=("x", "weights", "bias"),
    ),
)
