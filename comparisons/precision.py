"""The default dtype of both sides, set together and put back."""

from collections.abc import Iterator
from contextlib import contextmanager

import scratch.config


@contextmanager
def floatx(dtype: str) -> Iterator[None]:
    """dtype as the default of scratch and Keras.

    Keras remembers the floatx of the first layer it built as its dtype policy, so both are set.
    """
    import keras

    sides = scratch.config, keras.config
    before, policy = [side.floatx() for side in sides], keras.config.dtype_policy()
    try:
        for side in sides:
            side.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)
        yield
    finally:
        for side, value in zip(sides, before, strict=True):
            side.set_floatx(value)
        keras.config.set_dtype_policy(policy)
