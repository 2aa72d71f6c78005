"""Bugs of the fully connected layer: sums, transposes and what is kept between calls."""

from .bug import Bug

INPUTS = {"x": "7x5", "kernel": "5x3", "bias": "3"}
SQUARE = {"x": "5x5", "kernel": "5x5", "bias": "5"}
GRADIENTS = "return dx, rows.T @ drows, drows.sum(axis=0)"

BUGS = (
    Bug(
        name="bias-mean",
        target="dense.dense",
        right=GRADIENTS,
        wrong="return dx, rows.T @ drows, drows.mean(axis=0)",
        story="The bias takes the mean of the upstream gradient over the batch. The loss has been "
        "averaged already, so the bias learns as many times too slowly as the batch has samples.",
        symptom="The gradient of the bias is 1/N of what it should be; the rest is right.",
        cause="divided by N",
        source="a classic",
        inputs=INPUTS,
        trains="relu",
    ),
    Bug(
        name="bias-over-the-wrong-axis",
        target="dense.dense",
        right=GRADIENTS,
        wrong="return dx, rows.T @ drows, drows.sum(axis=1)",
        story="The upstream gradient is summed over the features, not over the samples. Where the "
        "batch is as large as the layer, no shape complains.",
        symptom="The gradient of the bias has one entry per sample.",
        cause="shape",
        source="a classic",
        inputs=INPUTS,
    ),
    Bug(
        name="bias-over-the-wrong-axis-of-a-square",
        target="dense.dense",
        right=GRADIENTS,
        wrong="return dx, rows.T @ drows, drows.sum(axis=1)",
        story="The same bug, tested with as many samples as features: the shapes fit, the numbers "
        "do not. This is why shapes in a check are odd and different from each other.",
        symptom="The gradient of the bias has the right shape and wrong numbers.",
        cause="wrong axis",
        source="a classic",
        inputs=SQUARE,
    ),
    Bug(
        name="bias-not-summed",
        target="dense.dense",
        right=GRADIENTS,
        wrong="return dx, rows.T @ drows, drows",
        story="The bias was broadcast over the batch, and its gradient is not summed back over it. "
        "NumPy broadcasts the update as well, and the bias grows into a matrix.",
        symptom="The gradient of the bias has a row per sample.",
        cause="shape",
        source="a classic",
        inputs=INPUTS,
    ),
    Bug(
        name="bias-summed-over-one-axis-of-two",
        target="dense.dense",
        right=GRADIENTS,
        wrong="return dx, rows.T @ drows, dy.sum(axis=(0, 2)) if dy.ndim > 2 else dy.sum(axis=0)",
        story="For sequences the bias is summed over the batch and the features, where it should "
        "be over the batch and the steps. As many steps as features let it pass.",
        symptom="The gradient of the bias is right for matrices, wrong for sequences.",
        cause="wrong axis",
        source="a classic",
        inputs={"x": "2x3x5", "kernel": "5x3", "bias": "3"},
    ),
    Bug(
        name="kernel-not-transposed",
        target="dense.dense",
        right="dx = dy @ kernel.T if needs_dx else None",
        wrong="dx = dy @ kernel if needs_dx else None",
        story="The upstream gradient is multiplied by the kernel instead of its transpose. A layer "
        "with as many inputs as units accepts it.",
        symptom="The gradient of the input is wrong, those of kernel and bias are right.",
        cause="derivative missing",
        source="a classic",
        inputs=SQUARE,
        trains="square",
    ),
    Bug(
        name="kernel-gradient-transposed",
        target="dense.dense",
        right=GRADIENTS,
        wrong="return dx, drows.T @ rows, drows.sum(axis=0)",
        story="dy.T @ x is written for x.T @ dy, as in libraries that store kernels the other way "
        "round. A layer with as many inputs as units accepts it.",
        symptom="The gradient of the kernel is its own transpose.",
        cause="transposed",
        source="a classic",
        inputs=SQUARE,
        trains="square",
    ),
    Bug(
        name="kernel-gradient-mean",
        target="dense.dense",
        right=GRADIENTS,
        wrong="return dx, rows.T @ drows / len(rows), drows.sum(axis=0)",
        story="The loss has divided by the batch size, and the layer does so again. Training only "
        "looks slow, and a larger learning rate hides it until the batch size changes.",
        symptom="The gradient of the kernel is 1/N of what it should be.",
        cause="divided by N",
        source="a classic",
        inputs=INPUTS,
        trains="relu",
    ),
    Bug(
        name="only-the-first-sample",
        target="dense.dense",
        right=GRADIENTS,
        wrong="return dx, np.outer(rows[0], drows[0]), drows.sum(axis=0)",
        story="Written for one sample at a time, the layer takes the outer product of the first "
        "row. It passes every test with a batch of one.",
        symptom="The gradient of the kernel has rank 1.",
        cause="one sample only",
        source="our own",
        inputs=INPUTS,
        trains="relu",
    ),
    Bug(
        name="sigmoid-slope-on-a-linear-output",
        target="dense.dense",
        right="        dx = dy @ kernel.T if needs_dx else None",
        wrong="        dy = dy * y * (1 - y)\n        dx = dy @ kernel.T if needs_dx else None",
        story="The output layer has no activation, yet its gradient is multiplied by the "
        "derivative of a sigmoid. Outputs above 1 or below 0 are pushed the wrong way.",
        symptom="All three gradients are those behind another activation.",
        cause="another activation",
        source="the notes on Grokking Deep Learning: the digits network",
        inputs=INPUTS,
        trains="relu",
    ),
    Bug(
        name="gradients-accumulate",
        target="dense.dense",
        right="    def backward(dy, needs_dx=True):",
        wrong="    total = np.zeros(kernel.shape, kernel.dtype)\n\n"
        "    def backward(dy, needs_dx=True):\n"
        "        nonlocal total\n"
        "        total = total + x.reshape(-1, x.shape[-1]).T @ dy.reshape(-1, dy.shape[-1])\n"
        "        if bias is not None:\n"
        "            return dy @ kernel.T, total, dy.reshape(-1, dy.shape[-1]).sum(axis=0)",
        story="The gradient of the kernel is added to a buffer that nobody clears between two "
        "steps. Every step then repeats all steps before it.",
        symptom="The second call of backward gives twice the gradient of the first.",
        cause="not repeatable",
        source="a classic: a forgotten zero_grad()",
        inputs=INPUTS,
    ),
    Bug(
        name="stale-cache",
        target="dense.dense",
        right="    def backward(dy, needs_dx=True):",
        wrong="    dense.x = x\n\n    def backward(dy, needs_dx=True):\n        x = dense.x",
        story="Forward leaves its input in self.x, and backward reads it from there. A layer that "
        "is used twice, or validated between forward and backward, differentiates with the input "
        "of another call.",
        symptom="The gradient changes when the layer is called once more before backward.",
        cause="not repeatable",
        source="a classic",
        inputs=INPUTS,
    ),
    Bug(
        name="float32-inside-float64",
        target="dense.dense",
        right=GRADIENTS,
        wrong="return dx, (rows.T @ drows).astype(np.float32).astype(dy.dtype), drows.sum(axis=0)",
        story="A buffer of the default dtype stands in the middle of a float64 computation. The "
        "result is float64 again, with half of its digits lost.",
        symptom="Every entry of the gradient is a float32 number, off by 1e-8 of itself.",
        cause="float32 leak",
        source="a classic",
        inputs=INPUTS,
    ),
    Bug(
        name="float32-gradient",
        target="dense.dense",
        right=GRADIENTS,
        wrong="return dx, (rows.T @ drows).astype(np.float32), drows.sum(axis=0)",
        story="The gradient comes back in float32, whatever the dtype of the kernel is. The update "
        "rounds it up again, and nobody notices.",
        symptom="A float64 kernel has a float32 gradient.",
        cause="float32 leak",
        source="a classic",
        inputs=INPUTS,
    ),
    Bug(
        name="gradients-in-another-order",
        target="dense.dense",
        right=GRADIENTS,
        wrong="return rows.T @ drows, dx, drows.sum(axis=0)",
        story="Kernel before input, as the weights are listed, where the caller expects the order "
        "of the arguments. Batch and layer of one size let it pass.",
        symptom="Two gradients of one shape stand in each other's place.",
        cause="swapped gradients",
        source="our own",
        inputs=SQUARE,
    ),
    Bug(
        name="bias-gradient-missing",
        target="dense.dense",
        right=GRADIENTS,
        wrong="return dx, rows.T @ drows",
        story="The bias was added to forward later, and backward was not told. The loop that pairs "
        "weights with gradients stops one short, and the bias stays as it is.",
        symptom="Two gradients for three inputs.",
        cause="arity",
        source="after tensorflow #26048, where tf.custom_gradient accepts one too many",
        inputs=INPUTS,
    ),
)
