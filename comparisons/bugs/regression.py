"""Bugs of lines: through numbers, and between classes."""

from .bug import Bug

MODEL = {"x": "7x3", "kernel": "3", "bias": "scalar"}

BUGS = (
    Bug(
        name="intercept-averaged",
        target="regression.linear_regression",
        right="dy.sum()",
        wrong="dy.mean()",
        story="The gradient of the bias is averaged over the samples, that of the kernel summed. "
        "The line turns faster than it rises.",
        symptom="The gradient of the bias is too small by the number of samples.",
        cause="divided by N",
        source="a classic",
        inputs=MODEL,
    ),
    Bug(
        name="probability-without-its-slope",
        target="regression.logistic_regression",
        right="backward_linear(backward_sigmoid(dy))",
        wrong="backward_linear(dy)",
        story="The slope of the sigmoid is left out, as if dy belonged to the logits. With the "
        "cross-entropy of the logits that would be right; here it is the probability's.",
        symptom="Certain samples count as much as doubtful ones.",
        cause="derivative missing",
        source="a classic",
        inputs=MODEL,
    ),
    Bug(
        name="equations-of-fixed-inputs",
        target="regression.normal_equations",
        right="(np.outer(residuals, s) - np.outer(dy, weights))[:, :-1]",
        wrong="np.outer(residuals, s)[:, :-1]",
        story="The inputs stand in the equations twice, on the left side as squares too. Only "
        "the product with y is followed back.",
        symptom="An outer product is missing from the gradient of the inputs.",
        cause="outer product",
        source="our own",
        inputs={"x": "11x3", "y": "11"},
    ),
)
