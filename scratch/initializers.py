"""Initial weights: initializer(shape) is an array, for the same seed the same as Keras's."""

import copy
import math
import re
from collections import abc

import numpy as np

from . import config, random

_Shape = tuple[int, ...]
_DType = np.typing.DTypeLike | None
_Seed = int | random.SeedGenerator | None
_Axes = abc.Sequence[int] | None


class Initializer:
    """y = initializer(shape, dtype): the base class; a subclass says which values y has."""

    def __call__(self, shape: _Shape, dtype: _DType = None) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} does not say which values it gives")

    def clone(self) -> "Initializer":
        """Another of the same arguments; without a seed it draws one of its own."""
        return copy.copy(self)


class Zeros(Initializer):
    """y = 0."""

    def __call__(self, shape: _Shape, dtype: _DType = None) -> np.ndarray:
        return np.zeros(shape, dtype or config.floatx())


class Ones(Initializer):
    """y = 1."""

    def __call__(self, shape: _Shape, dtype: _DType = None) -> np.ndarray:
        return np.ones(shape, dtype or config.floatx())


class Constant(Initializer):
    """y = value. As in Keras, a Python float is rounded to float32, for float64 too."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def __call__(self, shape: _Shape, dtype: _DType = None) -> np.ndarray:
        value = np.float32(self.value) if type(self.value) is float else self.value
        return np.full(shape, value, dtype or config.floatx())


class Identity(Initializer):
    """y = gain * I, for matrices; ValueError for other shapes."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: _Shape, dtype: _DType = None) -> np.ndarray:
        if len(shape) != 2:
            raise ValueError(f"Identity makes matrices, of shape (rows, columns), not {shape}")
        identity = np.eye(*shape, dtype=dtype or config.floatx())
        return identity * identity.dtype.type(self.gain)


class _RandomInitializer(Initializer):
    """An integer seed gives the same values at every call, a SeedGenerator new ones.

    Without a seed, an integer is drawn from Python's generator here, at construction.
    """

    def __init__(self, seed: _Seed = None) -> None:
        self._given_seed = seed
        self._take_seed()

    def _take_seed(self):
        """Without a seed, draw one."""
        given = self._given_seed
        is_generator = isinstance(given, random.SeedGenerator)
        self.seed = given if is_generator else int(random.SeedGenerator(given).state[0])

    def clone(self):
        twin = copy.copy(self)
        twin._take_seed()
        return twin


class RandomNormal(_RandomInitializer):
    """y = z * stddev + mean, for z normal with mean 0 and standard deviation 1."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: _Seed = None) -> None:
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: _Shape, dtype: _DType = None) -> np.ndarray:
        return random.normal(shape, self.mean, self.stddev, dtype, self.seed)


class TruncatedNormal(_RandomInitializer):
    """y = z * stddev + mean, for z normal, drawn again where |z| >= 2."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: _Seed = None) -> None:
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: _Shape, dtype: _DType = None) -> np.ndarray:
        return random.truncated_normal(shape, self.mean, self.stddev, dtype, self.seed)


class RandomUniform(_RandomInitializer):
    """y = u * (maxval - minval) + minval, for u uniform in [0, 1)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: _Seed = None) -> None:
        self.minval, self.maxval = minval, maxval
        super().__init__(seed)

    def __call__(self, shape: _Shape, dtype: _DType = None) -> np.ndarray:
        return random.uniform(shape, self.minval, self.maxval, dtype, self.seed)


class VarianceScaling(_RandomInitializer):
    """The variance of y is scale / fan: what a sum over fan inputs needs to keep theirs.

    mode: the fan is "fan_in", "fan_out" or "fan_avg", their mean, and at least 1.
    distribution: "uniform", "untruncated_normal", or "truncated_normal" (also "normal").
    input_axes, output_axes: the axes whose sizes multiply to fan_in and fan_out, if both are given.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: _Seed = None,
        input_axes: _Axes = None,
        output_axes: _Axes = None,
    ) -> None:
        if scale <= 0:
            raise ValueError(f"scale must be positive, not {scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"mode must be fan_in, fan_out or fan_avg, not {mode!r}")
        self.scale, self.mode, self.distribution = scale, mode, _distribution(distribution)
        self.input_axes, self.output_axes = input_axes, output_axes
        super().__init__(seed)

    def __call__(self, shape: _Shape, dtype: _DType = None) -> np.ndarray:
        fan_in, fan_out = _fans(random._checked_shape(shape), self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random.uniform(shape, -limit, limit, dtype, self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, math.sqrt(variance), dtype, self.seed)
        # the standard deviation of a normal without its values beyond 2 is 0.8796…
        stddev = math.sqrt(variance) / 0.87962566103423978
        return random.truncated_normal(shape, 0.0, stddev, dtype, self.seed)


def _distribution(name):
    """The name in full, in lower case."""
    name = name.lower()
    if name not in ("uniform", "normal", "truncated_normal", "untruncated_normal"):
        raise ValueError(
            f"distribution must be uniform, truncated_normal or untruncated_normal, not {name!r}"
        )
    return "truncated_normal" if name == "normal" else name


def _fans(shape, input_axes, output_axes):
    """fan_in, the inputs that one output sums, and fan_out, the outputs that one input reaches.

    A kernel's last axes are inputs and outputs, each taken at every position of the axes before.
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[i] for i in input_axes), math.prod(shape[o] for o in output_axes)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    positions = math.prod(shape[:-2])
    return positions * shape[-2], positions * shape[-1]


class GlorotUniform(VarianceScaling):
    """y uniform in [-limit, limit), limit = sqrt(6 / (fan_in + fan_out)).

    Source: Glorot and Bengio, Understanding the difficulty of training deep networks (2010).
    """

    def __init__(
        self, seed: _Seed = None, input_axes: _Axes = None, output_axes: _Axes = None
    ) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, input_axes, output_axes)


class GlorotNormal(VarianceScaling):
    """y truncated normal with variance 2 / (fan_in + fan_out), else as GlorotUniform."""

    def __init__(
        self, seed: _Seed = None, input_axes: _Axes = None, output_axes: _Axes = None
    ) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, input_axes, output_axes)


class HeUniform(VarianceScaling):
    """y uniform in [-limit, limit), limit = sqrt(6 / fan_in): relu halves the variance.

    Source: He et al., Delving deep into rectifiers (2015).
    """

    def __init__(
        self, seed: _Seed = None, input_axes: _Axes = None, output_axes: _Axes = None
    ) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed, input_axes, output_axes)


class HeNormal(VarianceScaling):
    """y truncated normal with variance 2 / fan_in, else as HeUniform."""

    def __init__(
        self, seed: _Seed = None, input_axes: _Axes = None, output_axes: _Axes = None
    ) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)


class LecunUniform(VarianceScaling):
    """y uniform in [-limit, limit), limit = sqrt(3 / fan_in): keeps the variance without relu.

    Source: LeCun et al., Efficient backprop (1998).
    """

    def __init__(
        self, seed: _Seed = None, input_axes: _Axes = None, output_axes: _Axes = None
    ) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed, input_axes, output_axes)


class LecunNormal(VarianceScaling):
    """y truncated normal with variance 1 / fan_in, else as LecunUniform."""

    def __init__(
        self, seed: _Seed = None, input_axes: _Axes = None, output_axes: _Axes = None
    ) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)


class Orthogonal(_RandomInitializer):
    """y = gain * q * sign(diag(r)), for q @ r = z, a normal matrix: orthonormal columns or rows.

    All axes but the last count as rows. The signs make each orthogonal matrix equally likely.
    ValueError for less than two axes.
    Source: Saxe et al., Exact solutions to the nonlinear dynamics of learning (2014).
    """

    def __init__(self, gain: float = 1.0, seed: _Seed = None) -> None:
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape: _Shape, dtype: _DType = None) -> np.ndarray:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal needs a shape of two or more axes, not {shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = max(rows, columns), min(rows, columns)
        q, r = np.linalg.qr(random.normal(tall, dtype=dtype, seed=self.seed))
        q = q * np.sign(np.diag(r)) * q.dtype.type(self.gain)
        return (q.T if rows < columns else q).reshape(shape)


def _snake_case(name):
    return re.sub("(?<!^)(?=[A-Z])", "_", name).lower()


_CLASSES = (
    Initializer,
    Zeros,
    Ones,
    Constant,
    Identity,
    RandomNormal,
    TruncatedNormal,
    RandomUniform,
    VarianceScaling,
    GlorotUniform,
    GlorotNormal,
    HeUniform,
    HeNormal,
    LecunUniform,
    LecunNormal,
    Orthogonal,
)
_BY_NAME = {
    **{name: cls for cls in _CLASSES for name in (cls.__name__, _snake_case(cls.__name__))},
    "zero": Zeros,
    "one": Ones,
    "normal": RandomNormal,
    "uniform": RandomUniform,
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
}


def get(identifier: str | type | np.ndarray | abc.Callable | None) -> abc.Callable | None:
    """The initializer that the identifier stands for.

    A name or a class gives a new instance, an array an initializer that copies it, for its shape
    alone; a function of shape and dtype, an instance and None are taken as they are.
    """
    if isinstance(identifier, (np.ndarray, np.generic)):
        return _copies_of(identifier)
    if isinstance(identifier, str):
        identifier = _BY_NAME.get(identifier, identifier)
    if isinstance(identifier, type):
        identifier = identifier()
    if identifier is not None and not callable(identifier):
        names = ", ".join(cls.__name__ for cls in _CLASSES[1:])
        raise ValueError(f"unknown initializer {identifier!r}: choose from {names}")
    return identifier


def _copies_of(array):
    def initializer(shape, dtype=None):
        if tuple(shape) != array.shape:
            raise ValueError(f"the array given as initializer has shape {array.shape}, not {shape}")
        return array.astype(dtype or config.floatx())

    return initializer
