"""What regularizers add to a network's loss, and to the gradients that flow back from it."""

from scratch import regularizers


def penalize_output(regularizer, y, backward_y):
    """(y, penalty, backward) with penalty = regularizer(y) / n for the n samples of y.

    backward(dy, dpenalty, …) is backward_y of both gradients of y together.
    """
    if regularizer is None:
        return y, 0.0, lambda dy, dpenalty, **needs: backward_y(dy, **needs)
    penalty, backward_penalty = regularizer.forward(y)

    def backward(dy, dpenalty, **needs):
        return backward_y(dy + backward_penalty(dpenalty / len(y)), **needs)

    return y, penalty / len(y), backward


def behind(activation, regularizer):
    """z -> regularizer(activation(z)), as a regularizer; None for None."""

    def forward(z):
        y, backward_y = activation(z)
        penalty, backward_penalty = regularizer.forward(y)
        return penalty, lambda dpenalty: backward_y(backward_penalty(dpenalty))

    return regularizer and regularizers.get(forward)


def penalize_weights(weight_regularizers, weights):
    """The sum of the penalties, and backward(dpenalty, gradients), which adds their gradients."""
    pairs = [r and r.forward(w) for r, w in zip(weight_regularizers, weights, strict=True)]

    def backward(dpenalty, gradients):
        return [
            gradient if pair is None else gradient + pair[1](dpenalty)
            for gradient, pair in zip(gradients, pairs, strict=True)
        ]

    return sum(pair[0] for pair in pairs if pair), backward
