"""The networks that the experiments train."""

import math

from . import initializers
from .attention import PositionEmbedding, TransformerEncoder
from .dense import Dense
from .network import Input, Sequential
from .pooling import GlobalAveragePooling1D
from .reshaping import Permute, Reshape


def mlp(inputs=784) -> Sequential:
    """inputs-512 relu-10 softmax. Source: Chollet, Deep Learning with Python."""
    return Sequential(
        [
            Input((inputs,)),
            Dense(512, activation="relu"),
            Dense(10, activation="softmax"),
        ]
    )


def naive(inputs=784) -> Sequential:
    """mlp from weights uniform in [0, 0.1), as NaiveDense draws them. Source: as mlp."""
    return Sequential(
        [
            Input((inputs,)),
            Dense(512, activation="relu", kernel_initializer=_uniform()),
            Dense(10, activation="softmax", kernel_initializer=_uniform()),
        ]
    )


def _uniform():
    return initializers.RandomUniform(minval=0.0, maxval=0.1)


def two_layer(inputs=784) -> Sequential:
    """inputs-50 relu-10 softmax. Source: Saitoh, Deep Learning from the Basics."""
    return Sequential(
        [
            Input((inputs,)),
            Dense(50, activation="relu"),
            Dense(10, activation="softmax"),
        ]
    )


def digits(inputs=64) -> Sequential:
    """inputs-32 relu-10 softmax, for 8 x 8 digits. Source: after Trask, Grokking Deep Learning."""
    return Sequential(
        [
            Input((inputs,)),
            Dense(32, activation="relu"),
            Dense(10, activation="softmax"),
        ]
    )


def transformer(inputs=784) -> Sequential:
    """Square images in 4 x 4 patches, each 64 wide, a transformer's block of 4 heads, 10 softmax.

    Source: after Dosovitskiy et al., An image is worth 16x16 words, 2021.
    """
    size = math.isqrt(inputs) // 4
    return Sequential(
        [
            Input((inputs,)),
            Reshape((4, size, 4, size)),
            Permute((1, 3, 2, 4)),
            Reshape((16, size * size)),
            Dense(64),
            PositionEmbedding(),
            # the bias of a key has no gradient but rounding, which Adam would magnify
            TransformerEncoder(intermediate_dim=128, num_heads=4, use_bias=False),
            GlobalAveragePooling1D(),
            Dense(10, activation="softmax"),
        ]
    )
