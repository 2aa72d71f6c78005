"""The random streams of keras.random on TensorFlow: the same seed, the same bits."""

import operator
import random as python_random
from collections import abc

import numpy as np

from . import config

_FLOATS = ("float32", "float64")
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_PIECE = 1 << 15  # values made at a time, so that the work stays in the processor's cache


class SeedGenerator:
    """next() = [seed, 0], then [seed, 1], [seed, 2], …: a new pair of seeds for every draw.

    Without a seed, one is drawn from Python's generator. `ordered=False` steps as Keras's global
    generator does, to (pair + 1) * 5387 % 933199.
    """

    def __init__(self, seed: int | None = None) -> None:
        seed = _default_seed() if seed is None else _checked_seed(seed)
        self.state = np.array([seed, 0], np.int64)

    def next(self, ordered: bool = True) -> np.ndarray:
        """The pair of seeds that no draw has used yet."""
        pair = self.state.copy()
        self.state[...] = pair + np.array([0, 1]) if ordered else (pair + 1) * 5387 % 933199
        return pair


_Shape = tuple[int, ...]
_DType = np.typing.DTypeLike | None
_Seed = int | SeedGenerator | None
_global_seeds: SeedGenerator | None = None


def set_random_seed(seed: int) -> None:
    """Start Python's generator, NumPy's global one and the draws without a seed from `seed`."""
    global _global_seeds
    np.random.seed(_checked_seed(seed))  # noqa: NPY002, because keras.utils.set_random_seed does
    python_random.seed(seed)
    _global_seeds = None


def _default_seed():
    return python_random.randint(1, 10**9)


def _checked_seed(seed):
    if type(seed) is not int or not -(2**63) <= seed < 2**63:
        raise ValueError(f"a seed is an integer of at most 64 bits, not {seed!r}")
    return seed


def _seed_pair(seed):
    """[seed, 0] of an integer, else the next pair of the SeedGenerator, for None the global one."""
    global _global_seeds
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is not None:
        return SeedGenerator(seed).next()
    _global_seeds = _global_seeds or SeedGenerator()
    return _global_seeds.next(ordered=False)


def _philox(counter, key):
    """Four random words of 32 bits for each counter of four words: Philox4x32-10.

    A round multiplies two of the words by constants, replaces each by the high half of the other's
    product, mixed with its neighbour and the key, and the neighbour by the low half. After ten
    rounds, consecutive counters look random. Words are held in uint64, with room for the products.
    Source: Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (2011).
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        product0, product2 = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1 = (product2 >> 32) ^ c1 ^ k0, product2 & 0xFFFFFFFF
        c2, c3 = (product0 >> 32) ^ c3 ^ k1, product0 & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    words = np.empty((*c0.shape, 4), np.uint32)
    for i, word in enumerate((c0, c1, c2, c3)):
        words[..., i] = word
    return words


def _stream(seed):
    """words(blocks) -> (len(blocks), 4): any blocks of the endless stream that belongs to `seed`.

    One Philox block scrambles the two seeds into the key and the high half of the counter; the low
    half numbers the blocks. As in Keras, seeds are taken modulo 2**31 - 2.
    """
    seed0, seed1 = (_seed_pair(seed) % (2**31 - 2)).astype(np.uint64)
    scrambled = _philox((seed0, 0, seed1, 0), key=(0x3EC8F720, 0x02461E29))
    k0, k1, high0, high1 = scrambled.astype(np.uint64)

    def words(blocks):
        return _philox((blocks & 0xFFFFFFFF, blocks >> 32, high0, high1), key=(k0, k1))

    return words


def _fill(shape, dtype, seed, draw):
    """An array of `shape`, filled piece by piece with the values that `draw` makes of blocks."""
    y = np.empty(_checked_shape(shape), dtype)
    flat, words, per_block = y.reshape(-1), _stream(seed), 16 // dtype.itemsize
    for start in range(0, flat.size, _PIECE):
        piece = flat[start : start + _PIECE]
        blocks = start // per_block + np.arange(-(-piece.size // per_block), dtype=np.uint64)
        piece[:] = draw(words, blocks, dtype).reshape(-1)[: piece.size]
    return y


def _checked_shape(shape):
    if np.ndim(shape) != 1 or not all(isinstance(n, int | np.integer) and n >= 0 for n in shape):
        raise ValueError(f"a shape takes integers of at least 0 in a tuple, not {shape!r}")
    return shape


def _unit(words, blocks, dtype):
    """u = 1.mantissa - 1, the mantissa made of random bits: uniform in [0, 1).

    float32 takes 23 bits of a word, float64 the low 20 of one and all 32 of the next.
    """
    bits = words(blocks)
    if dtype == np.float32:
        return (bits & 0x7FFFFF | 0x3F800000).view(dtype) - 1
    high, low = bits[:, ::2].astype(np.uint64), bits[:, 1::2]
    return ((high & 0xFFFFF | 0x3FF00000) << 32 | low).view(dtype) - 1


def _normal(words, blocks, dtype):
    """z = sqrt(-2 log u0) * (sin(2 pi u1), cos(2 pi u1)), for pairs of uniforms (Box-Muller)."""
    u = _unit(words, blocks, dtype)
    radius = np.sqrt(-2 * _in_float64(np.log, np.maximum(u[:, ::2], 1e-7)))
    angle = np.multiply(2 * np.pi, u[:, 1::2], dtype=np.float64).astype(dtype)
    z = np.empty_like(u)
    z[:, ::2] = radius * _in_float64(np.sin, angle)
    z[:, 1::2] = radius * _in_float64(np.cos, angle)
    return z


def _in_float64(function, x):
    return function(x, dtype=np.float64).astype(x.dtype)


def _truncated_normal(words, groups, dtype):
    """z = the first normals with |z| < 2 of each group, as many as a block has values.

    A group reads block after block until it is full. TensorFlow sets 256 words aside for each
    value, so the next group starts that much later, however few this one has used.
    """
    size = 16 // dtype.itemsize
    z, filled = np.empty((len(groups), size), dtype), np.zeros(len(groups), int)
    block = groups * (256 * size // 4)
    while (unfilled := np.flatnonzero(filled < size)).size:
        for candidate in _normal(words, block[unfilled], dtype).T:
            fits = (np.abs(candidate) < 2) & (filled[unfilled] < size)
            row = unfilled[fits]
            z[row, filled[row]] = candidate[fits]
            filled[row] += 1
        block += 1
    return z


def uniform(
    shape: _Shape,
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: _DType = None,
    seed: _Seed = None,
) -> np.ndarray:
    """y = u * (maxval - minval) + minval, for u uniform in [0, 1).

    As in Keras, bounds that are Python floats are rounded to float32, for float64 too. Subnormal
    numbers, which TensorFlow makes zero, are kept.
    """
    dtype = _one_of(_FLOATS, dtype or config.floatx())
    low, high = _cast(minval, dtype), _cast(maxval, dtype)
    return _scaled(_fill(shape, dtype, seed, _unit), high - low, low)


def normal(
    shape: _Shape, mean: float = 0.0, stddev: float = 1.0, dtype: _DType = None, seed: _Seed = None
) -> np.ndarray:
    """y = z * stddev + mean, for z normal with mean 0 and standard deviation 1.

    Sine, cosine and logarithm are taken in float64 and rounded; TensorFlow takes the C library's.
    So one or two draws in a hundred differ from Keras's, in the last places.
    """
    dtype = _one_of(_FLOATS, dtype or config.floatx())
    return _scaled(_fill(shape, dtype, seed, _normal), stddev, mean)


def truncated_normal(
    shape: _Shape, mean: float = 0.0, stddev: float = 1.0, dtype: _DType = None, seed: _Seed = None
) -> np.ndarray:
    """y = z * stddev + mean, for z as in `normal`, without those where |z| >= 2."""
    dtype = _one_of(_FLOATS, dtype or config.floatx())
    return _scaled(_fill(shape, dtype, seed, _truncated_normal), stddev, mean)


def randint(
    shape: _Shape, minval: int, maxval: int, dtype: _DType = "int32", seed: _Seed = None
) -> np.ndarray:
    """y = bits % (maxval - minval) + minval, from 32 random bits for int32, from 64 for the rest.

    As in Keras, numbers that a shorter dtype cannot hold wrap around.
    """
    dtype = _one_of(_INTEGERS, dtype)
    minval, maxval = operator.index(minval), operator.index(maxval)
    drawn = np.dtype("int32" if dtype == np.int32 else "int64")
    low, high = np.iinfo(drawn).min, np.iinfo(drawn).max
    if not low <= minval < maxval <= high:
        raise ValueError(
            f"randint needs {low} <= minval < maxval <= {high}, not {minval}, {maxval}"
        )

    def draw(words, blocks, drawn):
        bits = words(blocks).view(f"uint{8 * drawn.itemsize}")
        return (bits % (maxval - minval)).view(drawn) + minval

    return _fill(shape, drawn, seed, draw).astype(dtype, copy=False)


def shuffle(x: np.ndarray, axis: int = 0, seed: _Seed = None) -> np.ndarray:
    """y = x in the order that sorts one float32 uniform per position, ties left in place."""
    x = np.asarray(x)
    length = x.shape[np.lib.array_utils.normalize_axis_index(axis, x.ndim)]
    order = np.argsort(uniform((length,), dtype="float32", seed=seed), kind="stable")
    return np.take(x, order, axis)


def dropout(
    inputs: np.ndarray,
    rate: float,
    noise_shape: tuple[int | None, ...] | None = None,
    seed: _Seed = None,
) -> tuple[np.ndarray, abc.Callable[[np.ndarray], np.ndarray]]:
    """y = inputs / (1 - rate) where u >= rate, else 0, for u uniform in [0, 1).

    u has the shape `noise_shape`, None standing for the inputs' size, and is repeated to theirs. It
    is float32 for float32 inputs, float64 for longer ones. Rates 0 and 1 draw nothing.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must lie between 0 and 1, not at {rate}")
    if inputs.dtype.char not in "fdgFDG":
        raise ValueError(f"inputs must be float32, float64 or longer, not {inputs.dtype}")
    keep, scale = np.bool_(rate == 0), 1.0
    if 0 < rate < 1:
        dtype = "float32" if inputs.dtype.char in "fF" else "float64"
        u = uniform(_mask_shape(noise_shape, inputs.shape), dtype=dtype, seed=seed)
        keep, scale = np.broadcast_to(u >= float(rate), inputs.shape), float(1 / (1 - rate))

    def drop(x):
        return np.where(keep, x * scale, 0)

    return drop(inputs), drop  # linear, each element by itself: its own backward


def _mask_shape(noise_shape, shape):
    """noise_shape with sizes from `shape` for its Nones."""
    if noise_shape is None:
        return shape
    filled = tuple(s if n is None else n for n, s in zip(noise_shape, shape, strict=False))
    pairs = zip(reversed(filled), reversed(shape), strict=False)
    if len(noise_shape) > len(shape) or any(n not in (1, s) for n, s in pairs):
        raise ValueError(f"noise_shape {noise_shape} cannot be repeated to the inputs' {shape}")
    return filled


def _one_of(names, dtype):
    """The dtype, which must be among `names`."""
    name = getattr(dtype, "__name__", str(dtype))
    if name not in names:
        raise ValueError(f"dtype must be {', '.join(names[:-1])} or {names[-1]}, not {name}")
    return np.dtype(name)


def _cast(value, dtype):
    """The value as tf.cast makes it: a Python float is rounded to float32 on the way."""
    return np.asarray(np.float32(value) if type(value) is float else value, dtype)


def _scaled(y, scale, shift):
    """y * scale + shift, in place."""
    y *= np.asarray(scale, y.dtype)
    y += np.asarray(shift, y.dtype)
    return y
