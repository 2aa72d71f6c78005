"""Bugs of whole steps and loops, the notes' own among them, in the functions of `examples`."""

from .bug import Bug

GROKKING = "the notes on Grokking Deep Learning"

BUGS = (
    Bug(
        name="stale-variable",
        target="examples.prediction_error",
        right="derror * inputs, -derror",
        wrong="derror * EARLIER, -derror",
        story="The update multiplies the error by a variable that an earlier cell of the notebook "
        "left behind, not by `inputs`. It has the right shape, and even learns while both are "
        "alike.",
        symptom="The gradient of the weights is a multiple of numbers that are no input of the "
        "call.",
        cause="no simple pattern",
        source=f"{GROKKING}: the descent with several inputs",
        inputs={"inputs": "3", "weights": "3", "target": "scalar"},
    ),
    Bug(
        name="hidden-layer-never-recomputed",
        target="examples.two_layers",
        right="    hidden = x @ kernel\n",
        wrong="    hidden = two_layers.__dict__.setdefault('hidden', x @ kernel)\n",
        story="The hidden layer is computed once, before the loop, and every step goes on with it. "
        "The first kernel is updated for nothing: no prediction depends on it any more.",
        symptom="A gradient for a kernel that the output does not depend on.",
        cause="not zero",
        source=f"{GROKKING}: the digits network",
        inputs={"x": "7x5", "kernel": "5x3", "kernel_2": "3x4"},
    ),
    Bug(
        name="old-error",
        target="examples.squared_error_step",
        right="        ddelta = dy[:, np.newaxis] * 2 * delta\n",
        wrong="        old = squared_error_step.__dict__.setdefault('delta', delta)\n"
        "        ddelta = dy[:, np.newaxis] * 2 * old\n",
        story="The weights are updated with the error of an earlier step: the vector was computed "
        "before the loop and never again. The first step is right.",
        symptom="Right once, then the gradient of another call.",
        cause="not repeatable",
        source=f"{GROKKING}: the digits network",
        inputs={"x": "7x5", "kernel": "5x3", "target": "7x3"},
    ),
    Bug(
        name="misspelt-constructor",
        target="examples.multiply",
        right="def __init__(self):",
        wrong="def __init__self(self):",
        story="The constructor is called __init__self, which Python never calls. An object without "
        "its fields is made, and fails at the first use of one.",
        symptom="AttributeError: the node has no factor.",
        cause="error",
        source="the notes on Deep Learning from the Basics: the add layer",
        inputs={"x": "5x3"},
    ),
    Bug(
        name="residual-path-dropped",
        target="examples.residual",
        right="return dy + dbranch @ kernel.T, x.T @ dbranch",
        wrong="return dbranch @ kernel.T, x.T @ dbranch",
        story="The sum of a residual connection sends its gradient both ways, and only the branch "
        "is followed. What makes deep networks trainable is exactly what is missing.",
        symptom="The gradient lacks dy itself.",
        cause="path missing",
        source="a classic",
        inputs={"x": "7x5", "kernel": "5x5"},
    ),
    Bug(
        name="shared-weight-counted-once",
        target="examples.tied_autoencoder",
        right="x.T @ dcode + dy.T @ code",
        wrong="x.T @ dcode",
        story="A kernel that is used twice has two gradients, and they are to be added. Only one "
        "of the uses is remembered.",
        symptom="One of two outer products is missing from the gradient of the kernel.",
        cause="no simple pattern",
        source="a classic of tied weights",
        inputs={"x": "7x5", "kernel": "5x3"},
    ),
    Bug(
        name="penalty-halved",
        target="examples.penalised_error",
        right="dy * 2 * l2 * kernel",
        wrong="dy * l2 * kernel",
        story="The penalty is taken for λ/2 Σ w², as in most papers, where Keras's L2 is λ Σ w². "
        "All published values of λ then mean something else.",
        symptom="The gradient of the kernel lacks λ times the kernel.",
        cause="L2 term",
        source="titu1994/DenseNet #57",
        inputs={"x": "7x5", "kernel": "5x3", "target": "7x3"},
        arguments={"l2": 0.1},
    ),
    Bug(
        name="penalty-twice",
        target="examples.penalised_error",
        right="dy * 2 * l2 * kernel",
        wrong="dy * 4 * l2 * kernel",
        story="The penalty is in the loss, and the optimizer decays the weights as well. Both were "
        "set, by two people.",
        symptom="The gradient of the kernel has twice the penalty in it.",
        cause="L2 term",
        source="a classic",
        inputs={"x": "7x5", "kernel": "5x3", "target": "7x3"},
        arguments={"l2": 0.1},
    ),
    Bug(
        name="penalty-without-its-loss",
        target="examples.penalised_error",
        right="dy * 2 * l2 * kernel",
        wrong="2 * l2 * kernel",
        story="The penalty's gradient is added as it is, without the upstream gradient. A loss "
        "that is scaled, or one of two, is penalised as if it were neither.",
        symptom="backward(0) is not zero.",
        cause="not zero at dy = 0",
        source="a classic of loss scaling",
        inputs={"x": "7x5", "kernel": "5x3", "target": "7x3"},
        arguments={"l2": 0.1},
    ),
    Bug(
        name="power-without-its-factor",
        target="examples.power",
        right="dy * exponent * x ** (exponent - 1)",
        wrong="dy * x ** (exponent - 1)",
        story="The exponent is lowered by one, and not brought down as a factor. With squares this "
        "is the missing 2 again.",
        symptom="The gradient is 1 / exponent of what it should be.",
        cause="argument factor",
        source="our own",
        inputs={"x": "5x3:positive"},
        arguments={"exponent": 2.5},
    ),
    Bug(
        name="sums-exchanged",
        target="examples.outer_sum",
        right="(dy.sum(axis=1), dy.sum(axis=0))",
        wrong="(dy.sum(axis=0), dy.sum(axis=1))",
        story="What was broadcast along the columns is summed along the rows, and the other way "
        "round. On a square the shapes fit.",
        symptom="Each gradient is the sum over the wrong axis.",
        cause="swapped gradients",
        source="our own",
        inputs={"rows": "5", "columns": "5"},
    ),
    Bug(
        name="running-sum-forwards",
        target="examples.running_sum",
        right="lambda dy: np.cumsum(dy[:, ::-1], axis=1)[:, ::-1]",
        wrong="lambda dy: np.cumsum(dy, axis=1)",
        story="The gradient of a running sum runs backwards in time: an input counts in all later "
        "outputs. Summed forwards it counts in all earlier ones.",
        symptom="The last step gets the gradient of the first.",
        cause="no simple pattern",
        source="our own",
        inputs={"x": "7x5"},
    ),
)
