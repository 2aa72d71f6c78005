"""scratch.random against keras.random: the same seeds must give the same bits."""

import inspect
import random as python_random
import tracemalloc

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import reference.config
import scratch.config
from reference import random as keras_random
from scratch import random

DTYPES = ("float32", "float64")
SEEDS = st.integers(-(2**63), 2**63 - 1)
BOUNDS = st.floats(-9, 9).map(lambda bound: round(bound, 12))  # nothing subnormal
SHAPES = st.lists(st.integers(0, 9), max_size=4).map(tuple)
EDGES = (0, 1, 3, 5, random._PIECE - 1, random._PIECE, random._PIECE + 1, 2 * random._PIECE + 2)
DRAWS = {
    "uniform": lambda side, **kwargs: side.uniform((3, 5), **kwargs),
    "normal": lambda side, **kwargs: side.normal((3, 5), **kwargs),
    "truncated_normal": lambda side, **kwargs: side.truncated_normal((3, 5), **kwargs),
    "randint": lambda side, **kwargs: side.randint((3, 5), 0, 100, **kwargs),
    "shuffle": lambda side, **kwargs: side.shuffle(np.arange(20), **kwargs),
    "dropout": lambda side, **kwargs: value_of(side.dropout(np.ones((3, 5)), 0.4, **kwargs)),
}


def value_of(result):
    return result[0] if isinstance(result, tuple) else result


def assert_same_bits(ours, keras):
    keras = np.asarray(keras)
    assert (ours.shape, ours.dtype) == (keras.shape, keras.dtype)
    assert ours.tobytes() == keras.tobytes()


def assert_same_normals(ours, keras, mean=0.0):
    """Within what the functions' rounding explains, and 98 of 100 without any difference.

    NumPy's and the C library's sine and logarithm are each off by at most a unit in the last place,
    that is 2 eps between them; the root halves the logarithm's and adds 1. Their product adds 1,
    and so does stddev: 2 + 2 + 1 + 1 = 6. Adding the mean rounds once more.
    """
    keras = np.asarray(keras)
    assert (ours.shape, ours.dtype) == (keras.shape, keras.dtype)
    bound = 7 * np.finfo(ours.dtype).eps * (np.abs(keras) + np.abs(mean))
    assert np.all(np.abs(ours - keras) <= bound)
    assert ours.size < 1000 or np.mean(ours == keras) > 0.98


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ("0 0 0 0", "0 0", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        (
            "ffffffff ffffffff ffffffff ffffffff",
            "ffffffff ffffffff",
            "408f276d 41c83b0e a20bc7c6 6d5451fd",
        ),
        (
            "243f6a88 85a308d3 13198a2e 03707344",
            "a4093822 299f31d0",
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_gives_the_words_that_its_authors_publish(counter, key, words):
    counter, key, words = (
        [np.uint64(int(word, 16)) for word in text.split()] for text in (counter, key, words)
    )
    assert random._philox(counter, key).tolist() == words


@given(
    shape=SHAPES,
    dtype=st.sampled_from(DTYPES),
    seed=SEEDS,
    bounds=st.tuples(BOUNDS, BOUNDS),
)
@settings(deadline=None, max_examples=60)
def test_uniforms_are_identical(shape, dtype, seed, bounds):
    arguments = (shape, *bounds, dtype, seed)
    assert_same_bits(random.uniform(*arguments), keras_random.uniform(*arguments))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", EDGES)
def test_every_size_is_identical(size, dtype):
    arguments = ((size,), -0.1, 0.3, dtype, 7)
    assert_same_bits(random.uniform(*arguments), keras_random.uniform(*arguments))
    for name in ("normal", "truncated_normal"):
        arguments = ((size,), 0.0, 0.3, dtype, 7)
        assert_same_normals(
            getattr(random, name)(*arguments), getattr(keras_random, name)(*arguments)
        )


@pytest.mark.parametrize("seed", [0, -1, 2**31 - 3, 2**31 - 2, 2**32, -(2**63), 2**63 - 1])
@pytest.mark.parametrize("name", DRAWS)
def test_integer_seeds_are_cast_as_in_keras(name, seed):
    ours, keras = DRAWS[name](random, seed=seed), np.asarray(DRAWS[name](keras_random, seed=seed))
    if "normal" in name:
        assert_same_normals(ours, keras)
    else:
        assert_same_bits(ours, keras)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("minval", "maxval"),
    [
        (0.1, 0.3),
        (np.float64(0.1), np.float64(0.3)),
        (np.float32(0.1), 0.3),
        (0, 2**24 + 1),
        (-(2**40), 2**40),
        (1.0, -1.0),
    ],
)
def test_bounds_are_rounded_as_in_keras(minval, maxval, dtype):
    arguments = ((1001,), minval, maxval, dtype, 3)
    assert_same_bits(random.uniform(*arguments), keras_random.uniform(*arguments))


def test_subnormal_numbers_are_kept_where_tensorflow_gives_zero():
    ours, keras = (side.uniform((9,), 0.0, 1e-40, seed=1) for side in (random, keras_random))
    assert np.all(ours > 0)
    assert np.all(np.asarray(keras) == 0)


def test_a_python_float_passes_through_float32():
    rounded = random.uniform((9,), 0.0, 0.1, "float64", 1)
    assert_same_bits(rounded, random.uniform((9,), 0.0, np.float32(0.1), "float64", 1))
    assert not np.any(rounded == random.uniform((9,), 0.0, np.float64(0.1), "float64", 1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("mean", "stddev"), [(0.0, 1.0), (0.1, 0.3), (-5, 2), (np.float64(0.1), 0)]
)
@pytest.mark.parametrize("name", ["normal", "truncated_normal"])
def test_normals_are_identical_or_nearly_so(name, mean, stddev, dtype):
    arguments = ((20_001,), mean, stddev, dtype, 12)
    ours, keras = getattr(random, name)(*arguments), getattr(keras_random, name)(*arguments)
    assert_same_normals(ours, keras, mean)


@pytest.mark.parametrize(
    ("dtype", "seed", "size"), [("float32", 1036, 12654), ("float64", 390, 6372)]
)
def test_uniforms_near_zero_are_raised_before_the_logarithm(dtype, seed, size):
    assert random.uniform((size,), dtype=dtype, seed=seed)[::2].min() < 1e-7
    for name in ("normal", "truncated_normal"):
        ours, keras = (
            getattr(side, name)((size,), dtype=dtype, seed=seed) for side in (random, keras_random)
        )
        assert_same_normals(ours, keras)


@given(
    shape=SHAPES,
    dtype=st.sampled_from(random._INTEGERS),
    seed=SEEDS,
    bounds=st.lists(SEEDS, min_size=2, max_size=2, unique_by=lambda bound: bound >> 32).map(sorted),
)
@settings(deadline=None, max_examples=60)
def test_integers_are_identical(shape, dtype, seed, bounds):
    minval, maxval = (bound >> 32 if dtype == "int32" else bound for bound in bounds)
    arguments = (shape, minval, maxval, dtype, seed)
    assert_same_bits(random.randint(*arguments), keras_random.randint(*arguments))


def test_integers_take_numpy_bounds_and_wrap_in_short_dtypes():
    arguments = ((9000,), np.int64(-500), np.int64(500), "uint8", 3)
    ours = random.randint(*arguments)
    assert_same_bits(ours, keras_random.randint(*arguments))
    assert set(ours) == set(range(256))


@pytest.mark.parametrize(
    ("shape", "axis"), [((60_000,), 0), ((0, 3), 0), ((5, 7, 3), 1), ((5, 7), -1), ((1,), 0)]
)
def test_shuffles_are_identical(shape, axis):
    x = np.arange(np.prod(shape)).reshape(shape)
    assert_same_bits(random.shuffle(x, axis, seed=4), keras_random.shuffle(x, axis, seed=4))


def test_the_shuffle_of_many_contains_ties_that_stay_in_order():
    u = random.uniform((60_000,), dtype="float32", seed=4)
    assert len(np.unique(u)) < len(u)


@given(
    shape=SHAPES,
    dtype=st.sampled_from(DTYPES),
    rate=st.one_of(st.floats(0, 1), st.sampled_from([0, 1, 0.25, 0.5, 0.75, np.float64(0.1)])),
    seed=SEEDS,
)
@settings(deadline=None, max_examples=60)
def test_dropout_is_identical(shape, dtype, rate, seed):
    x = random.normal(shape, dtype=dtype, seed=1)
    value, _ = random.dropout(x, rate, seed=seed)
    assert_same_bits(value, keras_random.dropout(x, rate, seed=seed))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("noise_shape", [(4, 1, 5), (None, 1, None), (5,), (3, 1), (), [1, 1, 1]])
def test_dropout_shares_its_mask_along_noise_shape(noise_shape, dtype):
    x = random.normal((4, 3, 5), dtype=dtype, seed=1)
    value, backward = random.dropout(x, 0.4, noise_shape, seed=2)
    assert_same_bits(value, keras_random.dropout(x, 0.4, noise_shape, seed=2))
    assert_same_bits(backward(x), value)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rate", [0, 0.3, 0.5, 1])
def test_dropout_backward_is_the_tape(rate, dtype):
    x, dy = (random.normal((7, 9), dtype=dtype, seed=seed) for seed in (1, 2))
    for array in (x, dy):
        array.flags.writeable = False
    with tf.GradientTape() as tape:
        tensor = tf.Variable(x)
        keras = keras_random.dropout(tensor, rate, seed=3) * 1
    value, backward = random.dropout(x, rate, seed=3)
    dx = backward(dy)
    assert_same_bits(value, keras)
    keras_dx = tape.gradient(keras, tensor, dy)
    assert_same_bits(dx, np.zeros_like(x) if keras_dx is None else keras_dx)
    assert_same_bits(dx, backward(dy))
    assert_same_bits(8 * dx, backward(8 * dy))
    assert not np.shares_memory(dx, x)


def test_dropout_differentiates_by_complex_step():
    x, dy = (random.normal((7, 9), dtype="float64", seed=seed) for seed in (1, 2))
    _, backward = random.dropout(x, 0.3, seed=3)
    step, _ = random.dropout(x + 1e-200j * dy, 0.3, seed=3)
    np.testing.assert_allclose(step.imag / 1e-200, backward(dy), rtol=4 * np.finfo(float).eps)


@pytest.mark.parametrize(
    ("dtype", "like"),
    [("complex64", "float32"), ("complex128", "float64"), ("longdouble", "float64")],
)
def test_dropout_of_other_dtypes_has_the_mask_of_their_precision(dtype, like):
    other, _ = random.dropout(np.ones((50, 40), dtype), 0.3, seed=3)
    usual, _ = random.dropout(np.ones((50, 40), like), 0.3, seed=3)
    assert other.dtype == dtype
    np.testing.assert_array_equal(other == 0, usual == 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dropout_keeps_what_draws_exactly_the_rate(dtype):
    rate = float(random.uniform((9,), dtype=dtype, seed=3)[4])
    value, _ = random.dropout(np.ones(9, dtype), rate, seed=3)
    assert_same_bits(value, keras_random.dropout(np.ones(9, dtype), rate, seed=3))
    assert value[4] > 0


def test_dropout_of_what_is_not_finite():
    x = np.array([1, np.nan, np.inf, -np.inf, -0.0, 0.0] * 20)
    value, _ = random.dropout(x, 0.5, seed=3)
    assert_same_bits(value, keras_random.dropout(x, 0.5, seed=3))


def test_rates_of_zero_and_one_draw_nothing():
    seeds, keras_seeds = random.SeedGenerator(3), keras_random.SeedGenerator(3)
    for rate in (0, 1, 0.5, 1.0, 0.0):
        random.dropout(np.ones(3), rate, seed=seeds)
        keras_random.dropout(np.ones(3), rate, seed=keras_seeds)
    assert seeds.next().tolist() == np.asarray(keras_seeds.next()).tolist() == [3, 1]


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("seed", [0, 5, -5, 10**9, 2**63 - 1])
def test_seed_generators_hand_out_the_same_pairs(seed, ordered):
    ours, keras = random.SeedGenerator(seed), keras_random.SeedGenerator(seed)
    for _ in range(5):
        assert_same_bits(ours.next(ordered), keras.next(ordered))


def test_a_pair_of_seeds_is_not_the_state_of_its_generator():
    seeds = random.SeedGenerator(3)
    seeds.next()[:] = 0
    assert seeds.next().tolist() == [3, 1]


@pytest.mark.parametrize("name", DRAWS)
def test_a_seed_generator_gives_new_values_each_time(name):
    seeds, keras_seeds = random.SeedGenerator(3), keras_random.SeedGenerator(3)
    ours = [DRAWS[name](random, seed=seeds) for _ in range(3)]
    for value in ours:
        keras = np.asarray(DRAWS[name](keras_random, seed=keras_seeds))
        np.testing.assert_allclose(value, keras, rtol=7 * np.finfo(np.float32).eps)
    assert not np.array_equal(ours[0], ours[1])


@pytest.mark.parametrize("seed", [0, 42, 2**32 - 1])
def test_set_random_seed_starts_every_stream_of_keras(seed):
    streams = []
    for side in (random, keras_random):
        side.set_random_seed(seed)
        first = [np.asarray(DRAWS["uniform"](side)), np.asarray(DRAWS["dropout"](side))]
        generators = [np.asarray(side.SeedGenerator().next()) for _ in range(2)]
        rest = [np.asarray(DRAWS[name](side)) for name in ("uniform", "shuffle", "randint")]
        others = [python_random.random(), np.random.random()]  # noqa: NPY002, as set_random_seed
        streams.append([*first, *generators, *rest, *others])
    for ours, keras in zip(*streams, strict=True):
        np.testing.assert_array_equal(ours, keras)


def test_floatx_is_the_default_dtype():
    for name in ("uniform", "normal", "truncated_normal"):
        assert DRAWS[name](random, seed=1).dtype == np.float32
    scratch.config.set_floatx("float64")
    reference.config.set_floatx("float64")
    try:
        ours, keras = (DRAWS["uniform"](side, seed=1) for side in (random, keras_random))
        assert_same_bits(ours, keras)
        assert_same_bits(random.shuffle(ours, seed=1), keras_random.shuffle(keras, seed=1))
    finally:
        scratch.config.set_floatx("float32")
        reference.config.set_floatx("float32")


@pytest.mark.parametrize("dtype", [np.float64, np.dtype("float64"), "float64"])
def test_dtypes_are_given_as_in_keras(dtype):
    assert_same_bits(
        DRAWS["uniform"](random, dtype=dtype, seed=1),
        random.uniform((3, 5), dtype="float64", seed=1),
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: random.uniform((2,), seed=1.5), "seed is an integer of at most 64 bits, not 1.5"),
        (lambda: random.uniform((2,), seed=True), "seed is an integer"),
        (lambda: random.uniform((2,), seed=np.int64(1)), "seed is an integer"),
        (lambda: random.uniform((2,), seed=[1, 2]), "seed is an integer"),
        (lambda: random.uniform((2,), seed=2**63), "seed is an integer of at most 64 bits"),
        (lambda: random.SeedGenerator(-(2**63) - 1), "seed is an integer of at most 64 bits"),
        (lambda: random.SeedGenerator("1"), "seed is an integer"),
        (lambda: random.set_random_seed(None), "seed is an integer"),
        (lambda: random.set_random_seed(-1), "between 0 and 2"),
        (lambda: random.uniform((2,), dtype="int32"), "float32 or float64, not int32"),
        (lambda: random.uniform((2,), dtype="float16"), "float32 or float64, not float16"),
        (lambda: random.uniform((2,), dtype=float), "float32 or float64, not float"),
        (lambda: random.normal((2,), dtype="flaot32"), "float32 or float64, not flaot32"),
        (lambda: random.truncated_normal((2,), dtype="int32"), "float32 or float64, not int32"),
        (lambda: random.uniform((-1,)), r"integers of at least 0 in a tuple, not \(-1,\)"),
        (lambda: random.normal((2, None)), r"in a tuple, not \(2, None\)"),
        (lambda: random.truncated_normal((2, 1.5)), r"in a tuple, not \(2, 1.5\)"),
        (lambda: random.randint(3, 0, 5), "in a tuple, not 3"),
        (lambda: random.randint((2,), 0, 5, dtype="float32"), "uint64, not float32"),
        (lambda: random.randint((2,), 5, 5), "minval < maxval .* not 5, 5"),
        (lambda: random.randint((2,), 0, 2**31), "maxval <= 2147483647"),
        (lambda: random.randint((2,), -(2**63) - 1, 0, "int64"), "<= minval"),
        (lambda: random.shuffle(np.ones((2, 3)), axis=2), "axis 2 is out of bounds"),
        (lambda: random.shuffle(np.float32(3)), "axis 0 is out of bounds"),
        (lambda: random.dropout(np.ones(3), -0.1), "between 0 and 1, not at -0.1"),
        (lambda: random.dropout(np.ones(3), 1.1), "between 0 and 1, not at 1.1"),
        (lambda: random.dropout(np.ones(3), np.nan), "between 0 and 1, not at nan"),
        (lambda: random.dropout(np.ones(3, int), 0.5), "float32, float64 or longer, not int64"),
        (lambda: random.dropout(np.ones(3, "float16"), 0.5), "or longer, not float16"),
        (
            lambda: random.dropout(np.ones((2, 3)), 0.5, (2,)),
            r"noise_shape \(2,\) cannot be repeated to the inputs' \(2, 3\)",
        ),
        (lambda: random.dropout(np.ones((1, 3)), 0.5, (2, 3)), "cannot be repeated"),
        (lambda: random.dropout(np.ones((2, 3)), 0.5, (1, 2, 3)), "cannot be repeated"),
        (lambda: random.dropout(np.ones((2, 3)), 0.5, (None,)), "cannot be repeated"),
    ],
)
def test_bad_input_is_one_clear_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_integers_refuse_bounds_that_are_none():
    with pytest.raises(TypeError, match="'float' object cannot be interpreted as an integer"):
        random.randint((2,), 0.5, 5)


@pytest.mark.parametrize("name", DRAWS)
def test_signatures_are_those_of_keras(name):
    ours, keras = (
        [(p.name, p.default) for p in inspect.signature(getattr(side, name)).parameters.values()]
        for side in (random, keras_random)
    )
    assert ours == keras


# A fair sample has a p-value below 1e-6 for one seed in a million, and these seeds are fixed.
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "distribution"),
    [
        ("uniform", stats.uniform()),
        ("normal", stats.norm()),
        ("truncated_normal", stats.truncnorm(-2, 2)),
    ],
)
def test_values_are_distributed_as_they_say(name, distribution, dtype):
    for seed in range(3):
        values = getattr(random, name)((50_000,), dtype=dtype, seed=seed)
        low, high = distribution.support()
        assert low <= values.min() < values.max() < high
        assert stats.kstest(values, distribution.cdf).pvalue > 1e-6


def test_integers_and_masks_are_fair():
    counts = np.bincount(random.randint((70_000,), 0, 7, seed=1))
    assert stats.chisquare(counts).pvalue > 1e-6
    kept, _ = random.dropout(np.ones(70_000), 0.3, seed=1)
    assert stats.binomtest(np.count_nonzero(kept), 70_000, 0.7).pvalue > 1e-6


@pytest.mark.parametrize("name", ["uniform", "normal", "truncated_normal"])
def test_memory_beyond_the_result_does_not_grow_with_it(name):
    def overhead(size):
        tracemalloc.start()
        result = getattr(random, name)((size,), dtype="float64", seed=1)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak - result.nbytes

    assert overhead(8 * random._PIECE) < 2 * overhead(2 * random._PIECE)
