"""Bugs of penalties on the weights: what two conventions of one formula do to each other."""

from .bug import Bug

BUGS = (
    Bug(
        name="l2-halved",
        target="regularizers.L2.forward",
        right="dpenalty * l2 * (2 * x)",
        wrong="dpenalty * l2 * x",
        story="The gradient is that of l2 / 2 * sum(x²), the penalty of most papers, where Keras's "
        "is l2 * sum(x²). Every published l2 then means another strength.",
        symptom="The gradient is half of what it should be.",
        cause="half",
        source="titu1994/DenseNet #57",
        inputs={"x": "7x5"},
        arguments={"l2": 0.125},
    ),
    Bug(
        name="l1-without-its-sign",
        target="regularizers.L1.forward",
        right="dpenalty * l1 * sign",
        wrong="dpenalty * l1 * np.abs(sign)",
        story="The slope of |x| is taken to be 1 everywhere. Negative weights are driven away from "
        "zero instead of towards it.",
        symptom="The gradient has lost its sign.",
        cause="sign lost",
        source="our own",
        inputs={"x": "7x5"},
        arguments={"l1": 0.125},
    ),
)
