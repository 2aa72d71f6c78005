"""Bugs of errors, and of the slope that a descent follows."""

from .bug import Bug

PREDICTIONS = {"y_true": "5x3", "y_pred": "5x3"}

BUGS = (
    Bug(
        name="error-uphill",
        target="descent.squared_error",
        right="error = y_pred - y_true\n",
        wrong="error = y_true - y_pred\n",
        story="Squared, the difference is the same whichever way it is taken. Its gradient is not, "
        "and with the truth first each step makes the error larger.",
        symptom="The gradient has the other sign, the value is right.",
        cause="sign",
        source="a classic",
        inputs=PREDICTIONS,
        constant=("y_true",),
    ),
    Bug(
        name="half-without-its-half",
        target="descent.sum_of_squares",
        right="np.expand_dims(dvalue, -1) * error",
        wrong="2 * np.expand_dims(dvalue, -1) * error",
        story="The half is there so that it cancels the two of the square. Here the two is brought "
        "down all the same, as from an error without a half.",
        symptom="The gradient is twice what it should be.",
        cause="times 2",
        source="a classic",
        inputs=PREDICTIONS,
        constant=("y_true",),
    ),
    Bug(
        name="divided-by-the-batch-again",
        target="descent.cross_entropy",
        right="-np.expand_dims(dvalue, -1) * y_true / p",
        wrong="-np.expand_dims(dvalue, -1) * y_true / p / len(p)",
        story="The value is one number for each sample, the gradient that of their mean. Whoever "
        "then takes the mean divides by the size of the batch twice.",
        symptom="The gradient is too small by the size of the batch.",
        cause="divided by N",
        source="a classic of two-layer networks",
        inputs={"y_true": "5x3:onehot", "y_pred": "5x3:simplex"},
        constant=("y_true",),
    ),
    Bug(
        name="bowl-tilted",
        target="descent.bowl",
        right="dy * 2 * near",
        wrong="dy * near",
        story="One of two slopes has lost its 2. The path still ends at the bottom, more slowly, "
        "and the picture does not tell.",
        symptom="The gradient of the second coordinate is halved.",
        cause="factor per axis",
        source="our own",
        inputs={"x": "5x2"},
    ),
)
