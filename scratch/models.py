"""The networks that the experiments train."""

import functools
import math

from . import initializers, regularizers
from .attention import PositionEmbedding, TransformerEncoder
from .augmentation import RandomRotation, RandomTranslation
from .convolution import Conv2D
from .dense import Activation, Dense
from .dropout import Dropout
from .network import Input, Sequential
from .normalization import BatchNormalization
from .pooling import GlobalAveragePooling1D, GlobalAveragePooling2D, MaxPooling2D
from .recurrent import LSTM
from .reshaping import Flatten, Permute, Reshape, ZeroPadding2D
from .residual import ResidualBlock


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


def lstm(inputs=784) -> Sequential:
    """Square images read row by row by an LSTM of 128 units, 10 softmax.

    The recurrent kernel is Glorot uniform, not orthogonal: uniform numbers are the same bits on
    both sides. Source: after Le et al., A Simple Way to Initialize Recurrent Networks, 2015.
    """
    size = math.isqrt(inputs)
    return Sequential(
        [
            Input((inputs,)),
            Reshape((size, size)),
            LSTM(128, recurrent_initializer="glorot_uniform"),
            Dense(10, activation="softmax"),
        ]
    )


def moons(inputs=2) -> Sequential:
    """inputs-4-10-4-1, sigmoid throughout, for two moons."""
    return Sequential(
        [
            Input((inputs,)),
            Dense(4, activation="sigmoid"),
            Dense(10, activation="sigmoid"),
            Dense(4, activation="sigmoid"),
            Dense(1, activation="sigmoid"),
        ]
    )


def deep(
    inputs=784,
    layers=5,
    kernel_initializer="he_uniform",
    stddev=None,
    decay=0.0,
    dropout=0.0,
    batch_normalization=False,
) -> Sequential:
    """inputs, layers of 100 relu, 10 softmax. Source: Saitoh, Deep Learning from the Basics.

    Weights start normal with a stddev, if one is given; decay * the sum of all their squares is
    added to the loss. Batch normalization stands before each relu, dropout behind it.
    """

    def start():
        return initializers.RandomNormal(stddev=stddev) if stddev else kernel_initializer

    def sums(**settings):
        penalty = regularizers.L2(decay) if decay else None
        return Dense(100, kernel_initializer=start(), kernel_regularizer=penalty, **settings)

    def hidden():
        if batch_normalization:  # which would take away again what a bias adds
            yield from (sums(use_bias=False), BatchNormalization(momentum=0.9), Activation("relu"))
        else:
            yield sums(activation="relu")
        if dropout:
            yield Dropout(dropout)

    return Sequential(
        [
            Input((inputs,)),
            *(layer for _ in range(layers) for layer in hidden()),
            Dense(10, activation="softmax", kernel_initializer=start()),
        ]
    )


def convnet(inputs=784, classes=10, frozen=False) -> Sequential:
    """Square images, convolution 5 x 5 x 30 relu, max pool, 100 relu, softmax of the classes.

    With frozen=True the convolution stays as it is, and only the dense layers are trained.
    Source: Saitoh, Deep Learning from the Basics.
    """
    size = math.isqrt(inputs)
    return Sequential(
        [
            Input((inputs,)),
            Reshape((size, size, 1)),
            Conv2D(30, 5, activation="relu", trainable=not frozen),
            MaxPooling2D(),
            Flatten(),
            Dense(100, activation="relu"),
            Dense(classes, activation="softmax"),
        ]
    )


def resnet(inputs=784) -> Sequential:
    """Square images, convolution 3 x 3 x 32 relu, max pool, residual blocks of 32 and 64.

    The first convolution, the pool and the second block each halve the sides of the images.
    Source: after He et al., Deep Residual Learning for Image Recognition, 2016.
    """
    size = math.isqrt(inputs)
    return Sequential(
        [
            Input((inputs,)),
            Reshape((size, size, 1)),
            Conv2D(32, 3, 2, "same", activation="relu", kernel_initializer="he_uniform"),
            MaxPooling2D(),
            ResidualBlock(32),
            ResidualBlock(64, strides=2),
            GlobalAveragePooling2D(),
            Dense(10, activation="softmax"),
        ]
    )


def deep_convnet(inputs=784) -> Sequential:
    """Square images, six convolutions 3 x 3 relu, three max pools, 50 relu, 10 softmax.

    Images of 28 x 28 shrink to 14, 8 and 4; half of the 50 are dropped in training.
    Source: Saitoh, Deep Learning from the Basics.
    """
    size = math.isqrt(inputs)
    conv = functools.partial(
        Conv2D, kernel_size=3, padding="same", activation="relu", kernel_initializer="he_uniform"
    )
    return Sequential(
        [
            Input((inputs,)),
            Reshape((size, size, 1)),
            conv(16),
            conv(16),
            MaxPooling2D(),
            conv(32),
            ZeroPadding2D(),
            conv(32),
            MaxPooling2D(),
            conv(64),
            conv(64),
            MaxPooling2D(),
            Flatten(),
            Dense(50, activation="relu", kernel_initializer="he_uniform"),
            Dropout(0.5),
            Dense(10, activation="softmax", kernel_initializer="he_uniform"),
        ]
    )


def shifted_and_turned(inputs=784, shift=0.1, turn=0.05) -> Sequential:
    """Square images, in training moved by shares of a side and of a turn, 100 relu, 10 softmax.

    Without a shift or without a turn that layer is left out.
    """
    size, black = math.isqrt(inputs), "constant"
    return Sequential(
        [
            Input((inputs,)),
            Reshape((size, size, 1)),
            *([RandomTranslation(shift, shift, black)] if shift else []),
            *([RandomRotation(turn, black)] if turn else []),
            Flatten(),
            Dense(100, activation="relu"),
            Dense(10, activation="softmax"),
        ]
    )
