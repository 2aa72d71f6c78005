"""What a gated cell does once the matrix products are made: what to keep, what to take in."""

from collections.abc import Callable

import numpy as np

from scratch import activations

from .products import matmul, parts_of

_Array = np.ndarray
_Activation = str | Callable | None


def lstm_gates(
    z: _Array,
    c: _Array,
    activation: _Activation = "tanh",
    recurrent_activation: _Activation = "sigmoid",
) -> tuple[list[_Array], Callable]:
    """h = o * tanh(c') and c' = f * c + i * g, for i, f, g, o = the activated quarters of z.

    z is (n, 4u), c (n, u). i says what of g is taken in, f what of c is kept, o what of c' is
    shown: they are sigmoids, and g is a tanh. Sources: Hochreiter and
    Schmidhuber, Long Short-Term Memory (1997); for f, Gers et al., Learning to Forget (2000).
    """
    tanh, sigmoid = activations.get(activation), activations.get(recurrent_activation)
    z_i, z_f, z_g, z_o = parts_of(z, 4)
    (i, back_i), (f, back_f), (o, back_o) = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o)
    g, back_g = tanh(z_g)
    new_c = f * c
    new_c += i * g
    shown, back_shown = tanh(new_c)

    def backward(dys):
        dh, dc = dys
        dc = dc + back_shown(dh * o)  # c' is passed on to the next step, and shown in h
        dgates = back_i(dc * g), back_f(dc * c), back_g(dc * i), back_o(dh * shown)
        return np.concatenate(dgates, axis=-1), dc * f

    return [o * shown, new_c], backward


def gru_gates(
    x: _Array,
    inner: _Array,
    h: _Array,
    activation: _Activation = "tanh",
    recurrent_activation: _Activation = "sigmoid",
) -> tuple[_Array, Callable]:
    """h' = z * h + (1 - z) * g, for g = tanh(x_g + r * inner_g), z and r sigmoids of x + inner.

    x (n, 3u) and inner (n, 3u) are what the gates z, r and g get of the input and of h (n, u).
    Source: Cho et al. (2014), with the reset r after the product with h, as in the paper's first
    version and in cuDNN.
    """
    tanh, sigmoid = activations.get(activation), activations.get(recurrent_activation)
    (x_z, x_r, x_g), (inner_z, inner_r, inner_g) = (parts_of(a, 3) for a in (x, inner))
    (z, back_z), (r, back_r) = sigmoid(x_z + inner_z), sigmoid(x_r + inner_r)
    g, back_g = tanh(x_g + r * inner_g)

    def backward(dh):
        dg = back_g(dh * (1 - z))
        dz, dr = back_z(dh * (h - g)), back_r(dg * inner_g)
        dinner = np.concatenate([dz, dr, dg * r], axis=-1)
        return np.concatenate([dz, dr, dg], axis=-1), dinner, dh * z

    return z * h + (1 - z) * g, backward


def gru_gates_reset_before(
    x: _Array,
    inner: _Array,
    h: _Array,
    recurrent_kernel: _Array,
    mask: _Array | None = None,
    activation: _Activation = "tanh",
    recurrent_activation: _Activation = "sigmoid",
) -> tuple[_Array, Callable]:
    """h' = z * h + (1 - z) * g, for g = tanh(x_g + (r * h) @ recurrent_kernel).

    inner (n, 2u) is for the gates z and r alone, recurrent_kernel (u, u) that of g; a mask (n, u),
    which has no gradient, is a dropout of h in that product. Source: Cho et al., Learning Phrase
    Representations (2014), third version.
    """
    tanh, sigmoid = activations.get(activation), activations.get(recurrent_activation)
    (x_z, x_r, x_g), (inner_z, inner_r) = parts_of(x, 3), parts_of(inner, 2)
    (z, back_z), (r, back_r) = sigmoid(x_z + inner_z), sigmoid(x_r + inner_r)
    seen = h if mask is None else h * mask
    g, back_g = tanh(x_g + matmul(r * seen, recurrent_kernel))

    def backward(dh):
        dg = back_g(dh * (1 - z))
        dreset = matmul(dg, recurrent_kernel.T)
        dz, dr = back_z(dh * (h - g)), back_r(dreset * seen)
        dseen = dreset * r if mask is None else dreset * r * mask
        dx, dinner = np.concatenate([dz, dr, dg], axis=-1), np.concatenate([dz, dr], axis=-1)
        return dx, dinner, dh * z + dseen, (r * seen).T @ dg

    return z * h + (1 - z) * g, backward
