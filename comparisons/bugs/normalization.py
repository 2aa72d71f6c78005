"""Bugs of normalizations: what mean and variance depend on, where epsilon stands, what is moved."""

from .bug import Bug

BATCH = {"x": "9x5", "gamma": "5", "beta": "5"}
LAYER = {"x": "7x5", "gamma": "5", "beta": "5"}

BUGS = (
    Bug(
        name="batch-norm-mean-taken-for-a-constant",
        target="normalization.normalize_batch",
        right="dx += channels.spread((dmean - slope * dbeta) / number)",
        wrong="dx += channels.spread((dmean + np.zeros_like(dbeta)) / number)",
        story="Every input also moves the mean that is subtracted from all, and that part of its "
        "gradient is left out. Each channel is pushed along a direction in which nothing can "
        "change.",
        symptom="The gradient of a channel does not sum to zero over the batch.",
        cause="mean term",
        source="mlpack #1923, which checked the parameters alone",
        inputs=BATCH,
        trains="batch normalization",
    ),
    Bug(
        name="batch-norm-variance-taken-for-a-constant",
        target="normalization.normalize_batch",
        right="(2 * dvariance - slope * inverse * dgamma)",
        wrong="(2 * dvariance + np.zeros_like(dgamma))",
        story="Every input also moves the variance that all are divided by, and that part of its "
        "gradient is left out. Outliers are pulled as hard as the rest.",
        symptom="The gradient of a channel has a part along the normalised input.",
        cause="variance term",
        source="mlpack #1923, which checked the parameters alone",
        inputs=BATCH,
        trains="batch normalization",
    ),
    Bug(
        name="batch-norm-statistics-taken-for-constants",
        target="normalization.normalize_batch",
        checks="normalization.BatchNormalization",
        right="        dx += centered * "
        "channels.spread((2 * dvariance - slope * inverse * dgamma) / number)\n"
        "        dx += channels.spread((dmean - slope * dbeta) / number)\n",
        wrong="",
        story="Mean and variance are treated as numbers that somebody gave, as they are in "
        "inference. The gradient is then that of a plain scaling.",
        symptom="The gradient is dy times gamma over the deviation, and nothing else.",
        cause="mean and variance terms",
        source="mlpack #1327",
        inputs={"x": "9x5"},
        trains="batch normalization",
    ),
    Bug(
        name="batch-norm-gamma-forgotten",
        target="normalization.normalize_batch",
        checks="normalization.BatchNormalization",
        right="        dy, dmean, dvariance = dys\n",
        wrong="        (dy, dmean, dvariance), slope = dys, inverse\n",
        story="The gradient is divided by the deviation and not multiplied by gamma. gamma starts "
        "at one, so that a test of a new layer sees nothing.",
        symptom="The gradient lacks the factor gamma.",
        cause="missing factor",
        source="denizyuret/Knet.jl #288",
        inputs={"x": "9x5"},
        trains="batch normalization",
    ),
    Bug(
        name="batch-norm-epsilon-of-another-library",
        target="normalization.normalize_batch",
        right="inverse = 1 / np.sqrt(variance + epsilon)",
        wrong="inverse = 1 / np.sqrt(variance + 1e-5)",
        story="Epsilon is 1e-5, as in PyTorch, where Keras has 1e-3. The outputs agree to three "
        "digits, which is enough for most tests.",
        symptom="Everything is too large by half a thousandth.",
        cause="forward",
        source="r9y9/tacotron_pytorch #19",
        inputs=BATCH,
    ),
    Bug(
        name="batch-norm-epsilon-outside",
        target="normalization.normalize_batch",
        right="inverse = 1 / np.sqrt(variance + epsilon)",
        wrong="inverse = 1 / (np.sqrt(variance) + epsilon)",
        story="Epsilon is added to the deviation instead of the variance. Channels that hardly "
        "vary are blown up thirty times more.",
        symptom="Everything is off by a part in a thousand, more where the variance is small.",
        cause="forward",
        source="a classic",
        inputs=BATCH,
    ),
    Bug(
        name="batch-norm-with-one-less",
        target="normalization.normalize_batch",
        right="variance = channels.sum(centered, centered) / number",
        wrong="variance = channels.sum(centered, centered) / (number - 1)",
        story="The variance divides by N - 1, as an estimate of a population's does. Keras and the "
        "paper normalise with N.",
        symptom="The output is √((N - 1) / N) of what it should be.",
        cause="forward",
        source="a classic: ddof=1",
        inputs=BATCH,
    ),
    Bug(
        name="moving-averages-reversed",
        target="normalization.BatchNormalization._move",
        right="average * self.momentum + np.real(value) * (1 - self.momentum)",
        wrong="average * (1 - self.momentum) + np.real(value) * self.momentum",
        story="Momentum weighs the new value instead of the old average, which is its meaning in "
        "PyTorch. The averages follow the last batch, and inference goes wrong while training "
        "looks well.",
        symptom="The new moving averages are nearly those of the batch.",
        cause="forward",
        source="pytorch #15298; r9y9/tacotron_pytorch #19",
        inputs={"x": "7x5"},
        trains="batch normalization",
    ),
    Bug(
        name="moving-averages-in-training",
        target="normalization.BatchNormalization.call",
        right="        return self._by_batch(x)\n",
        wrong="        return self._by_moving_averages(x)\n",
        story="The layer normalises with its moving averages in training too, and never moves "
        "them. It is a plain scaling that calls itself a normalization.",
        symptom="In training the output is not normalised.",
        cause="forward",
        source="a classic of a forgotten training=True",
        inputs={"x": "7x5"},
        trains="batch normalization",
    ),
    Bug(
        name="layer-norm-over-the-batch",
        target="normalization.layer_normalization",
        right="z, backward_z = standardize(x, axis, _or_default(epsilon))",
        wrong="z, backward_z = standardize(x, 0, _or_default(epsilon))",
        story="Each feature is normalised over the batch, as in batch normalization, not each "
        "sample over its features. Samples depend on each other, and a batch of one is zero.",
        symptom="The output of a sample changes with the other samples.",
        cause="forward",
        source="a classic",
        inputs=LAYER,
    ),
    Bug(
        name="layer-norm-mean-taken-for-a-constant",
        target="normalization.functions._standardize",
        checks="normalization.layer_normalization",
        right="dx = dy - mean(dy)",
        wrong="dx = dy.copy()",
        story="The mean is subtracted in forward and forgotten in backward, as in batch "
        "normalization. The check must not use a gradient of ones, for which the true answer is "
        "zero.",
        symptom="The gradient of a sample does not sum to zero.",
        cause="mean term",
        source="HomericIntelligence/Odyssey #2882, led astray by an upstream gradient of ones",
        inputs=LAYER,
        trains="layer normalization",
    ),
    Bug(
        name="layer-norm-without-its-output",
        target="normalization.functions._standardize",
        checks="normalization.layer_normalization",
        right="dx -= y * mean(dy, y)",
        wrong="dx -= mean(dy, y)",
        story="The term of the variance is the normalised input times a mean, and the input is "
        "left out of it. What remains looks like a second mean term.",
        symptom="The gradient has a part along the normalised input.",
        cause="mean and variance terms",
        source="our own",
        inputs=LAYER,
        trains="layer normalization",
    ),
    Bug(
        name="gamma-without-its-input",
        target="normalization.functions._scale_and_shift",
        checks="normalization.layer_normalization",
        right="dgamma = None if gamma is None else _sum(others, dy, z).reshape(gamma.shape)",
        wrong="dgamma = None if gamma is None else _sum(others, dy).reshape(gamma.shape)",
        story="gamma is given the gradient of beta: the sum of dy. What gamma multiplies, the "
        "normalised input, is left out.",
        symptom="Both parameters have the same gradient.",
        cause="wrong argument",
        source="a classic",
        inputs=LAYER,
        trains="layer normalization",
    ),
    Bug(
        name="rms-norm-subtracts-a-mean",
        target="normalization.rms_normalization",
        right="dx = dz - z * _mean(axes, dz, z)",
        wrong="dx = dz - _mean(axes, dz) - z * _mean(axes, dz, z)",
        story="The backward of layer normalization is used for RMS normalization, which subtracts "
        "no mean. Most of the gradient is right.",
        symptom="All entries of a sample are off by the same number.",
        cause="mean term",
        source="our own",
        inputs={"x": "7x5", "scale": "5"},
    ),
    Bug(
        name="unit-norm-taken-for-a-constant",
        target="normalization.normalize",
        right="return (dy - y * (_sum(axes, dy, y) * is_long)) * inverse",
        wrong="return dy * inverse",
        story="The norm that x is divided by depends on x too, and is treated as a number. Vectors "
        "are pushed along themselves, which cannot change their direction.",
        symptom="The gradient has a part along the output that it should not have.",
        cause="projection term",
        source="pytorch #59615, where a fast check passed a wrong gradient of renorm",
        inputs={"x": "7x5"},
    ),
)
