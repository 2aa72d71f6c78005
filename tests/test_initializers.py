"""scratch.initializers against keras.initializers: the same seeds must give the same weights."""

import inspect
import random as python_random

import keras
import numpy as np
import pytest

import reference.config
import scratch.config
from reference import initializers as keras_initializers
from scratch import initializers, random

DTYPES = ("float32", "float64")
SHAPES = [(), (1,), (7,), (784, 512), (0, 3), (3, 0), (3, 3, 5, 7), (2, 3, 4), [4, 6]]
UNIFORM = ("GlorotUniform", "HeUniform", "LecunUniform", "RandomUniform")
NORMAL = ("GlorotNormal", "HeNormal", "LecunNormal", "RandomNormal", "TruncatedNormal")
RANDOM = (*UNIFORM, *NORMAL, "VarianceScaling", "Orthogonal")
FIXED = ("Zeros", "Ones", "Constant", "Identity")
LEFT_OUT = ("STFT",)  # the kernel of a spectrogram layer that scratch does not have


def both(name, *args, **kwargs):
    return (getattr(side, name)(*args, **kwargs) for side in (initializers, keras_initializers))


def assert_same_bits(ours, keras):
    keras = np.asarray(keras)
    assert (ours.shape, ours.dtype) == (keras.shape, keras.dtype)
    assert ours.tobytes() == keras.tobytes()


def assert_same_normals(ours, keras):
    """Within 7 units of rounding: test_random counts where they come from."""
    keras = np.asarray(keras)
    assert (ours.shape, ours.dtype) == (keras.shape, keras.dtype)
    np.testing.assert_allclose(ours, keras, rtol=7 * np.finfo(ours.dtype).eps, atol=0)
    assert ours.size < 1000 or np.mean(ours == keras) > 0.98


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", UNIFORM)
def test_uniform_weights_are_identical(name, shape, dtype):
    ours, keras = both(name, seed=42)
    assert_same_bits(ours(shape, dtype), keras(shape, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NORMAL)
def test_normal_weights_are_nearly_identical(name, shape, dtype):
    ours, keras = both(name, seed=42)
    assert_same_normals(ours(shape, dtype), keras(shape, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize(
    "distribution", ["uniform", "normal", "Truncated_Normal", "untruncated_normal"]
)
@pytest.mark.parametrize("axes", [(None, None), ([0, 1], [-1]), ([0], None), (None, [0])])
def test_variance_scaling_in_every_mode(mode, distribution, axes, dtype):
    arguments = (0.7, mode, distribution, 11, *axes)
    ours, keras = both("VarianceScaling", *arguments)
    compare = assert_same_bits if distribution == "uniform" else assert_same_normals
    compare(ours((3, 4, 5), dtype), keras((3, 4, 5), dtype))


@pytest.mark.parametrize("name", [*UNIFORM[:3], *NORMAL[:3]])
def test_fans_follow_the_axes(name):
    ours, keras = both(name, seed=1, input_axes=[0], output_axes=[1, 2])
    compare = assert_same_bits if name in UNIFORM else assert_same_normals
    compare(ours((5, 3, 4)), keras((5, 3, 4)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("RandomUniform", (0.1, 0.3)),
        ("RandomUniform", (np.float64(0.1), 0.3)),
        ("RandomUniform", (-1, 1)),
        ("RandomNormal", (0.0, 0.1)),
        ("TruncatedNormal", (0.0, np.float64(0.1))),
    ],
)
def test_parameters_are_rounded_as_in_keras(name, arguments, dtype):
    ours, keras = both(name, *arguments, seed=5)
    compare = assert_same_bits if name in UNIFORM else assert_same_normals
    compare(ours((30, 41), dtype), keras((30, 41), dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NORMAL[-2:])
def test_a_mean_is_added(name, dtype):
    ours, keras = (weights((30, 41), dtype) for weights in both(name, 0.25, 0.1, seed=5))
    rounding = 7 * np.finfo(dtype).eps * (np.abs(keras) + 0.25)
    assert np.all(np.abs(ours - keras) <= rounding)


@pytest.mark.parametrize("dtype", [*DTYPES, None])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Zeros", ()),
        ("Ones", ()),
        ("Constant", ()),
        ("Constant", (0.1,)),
        ("Constant", (np.float64(0.1),)),
        ("Constant", (2**24 + 1,)),
        ("Identity", ()),
        ("Identity", (0.1,)),
        ("Identity", (np.float64(0.1),)),
    ],
)
def test_fixed_weights_are_identical(name, arguments, dtype):
    ours, keras = both(name, *arguments)
    for shape in [(2, 3), (3, 3), (3, 1)] + [(), (2,), (2, 3, 4)] * (name != "Identity"):
        assert_same_bits(ours(shape, dtype), keras(shape, dtype))


@pytest.mark.parametrize("dtype", ["int32", "bool"])
@pytest.mark.parametrize(("name", "arguments"), [("Zeros", ()), ("Ones", ()), ("Constant", (1,))])
def test_fixed_weights_in_other_dtypes(name, arguments, dtype):
    ours, keras = both(name, *arguments)
    assert_same_bits(ours((2, 3), dtype), keras((2, 3), dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("gain", [1.0, 0.1])
@pytest.mark.parametrize("shape", [(1, 1), (9, 9), (20, 7), (7, 20), (3, 3, 4, 8), (0, 3)], ids=str)
def test_orthogonal_weights_agree_within_rounding(shape, gain, dtype):
    """A decomposition moves by at most about rows * columns * eps, times the condition number."""
    ours, keras = (weights(shape, dtype) for weights in both("Orthogonal", gain, seed=8))
    assert (ours.shape, ours.dtype) == (keras.shape, dtype)
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    eps = np.finfo(dtype).eps
    drawn = random.normal((max(rows, columns), min(rows, columns)), dtype="float64", seed=8)
    if drawn.size:
        drawn = random.normal(drawn.shape, dtype=dtype, seed=8).astype("float64")
        bound = gain * rows * columns * eps * np.linalg.cond(drawn)
        np.testing.assert_allclose(ours, np.asarray(keras), rtol=0, atol=bound)
    matrix = ours.reshape(rows, columns) / np.dtype(dtype).type(gain)
    gram = matrix @ matrix.T if rows < columns else matrix.T @ matrix
    np.testing.assert_allclose(gram, np.eye(len(gram)), rtol=0, atol=(rows + columns) * eps)


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_gives_the_same_weights_and_a_generator_new_ones(name):
    fixed, _ = both(name, seed=3)
    np.testing.assert_array_equal(fixed((3, 4)), fixed((3, 4)))
    ours = getattr(initializers, name)(seed=random.SeedGenerator(3))
    first, second = ours((3, 4)), ours((3, 4))
    np.testing.assert_array_equal(first, fixed((3, 4)))
    assert not np.any(first == second)
    keras = getattr(keras_initializers, name)(seed=keras_seed_generator(3, draws=1))
    eps = np.finfo(np.float32).eps
    atol = 100 * eps if name == "Orthogonal" else 0
    np.testing.assert_allclose(second, keras((3, 4)), rtol=7 * eps, atol=atol)


def keras_seed_generator(seed, draws):
    generator = keras.random.SeedGenerator(seed)
    for _ in range(draws):
        generator.next()
    return generator


def test_unseeded_initializers_draw_their_seeds_at_construction():
    drawn = []
    for side in (initializers, keras_initializers):
        python_random.seed(42)
        made = [getattr(side, name)() for name in (*RANDOM, *FIXED)]
        made.append(side.get("glorot_uniform"))
        drawn.append([getattr(initializer, "seed", None) for initializer in made])
        drawn[-1].append(python_random.random())
    assert drawn[0] == drawn[1]
    assert all(type(seed) is int for seed in drawn[0][: len(RANDOM)])


def test_a_network_of_layers_starts_as_in_keras():
    keras.utils.set_random_seed(7)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4), keras.layers.Dense(3)])
    random.set_random_seed(7)
    kernels = [initializers.get("glorot_uniform") for _ in model.layers]
    for layer, kernel in zip(model.layers, kernels, strict=True):
        assert_same_bits(kernel(layer.kernel.shape), layer.kernel.numpy())


def test_floatx_is_the_default_dtype():
    scratch.config.set_floatx("float64")
    reference.config.set_floatx("float64")
    try:
        for name in (*UNIFORM, *FIXED):
            ours, keras = both(name, **({"seed": 1} if name in UNIFORM else {}))
            assert_same_bits(ours((2, 3)), keras((2, 3)))
        assert initializers.Orthogonal()((2, 3)).dtype == np.float64
        assert initializers.get(np.ones(3, "float32"))((3,)).dtype == np.float64
    finally:
        scratch.config.set_floatx("float32")
        reference.config.set_floatx("float32")


def names_of(kind):
    """The names under which keras.initializers.get knows the class."""
    module = inspect.getmodule(keras_initializers.get)
    return [name for name, cls in module.ALL_OBJECTS_DICT.items() if cls.__name__ == kind]


def test_every_class_of_keras_is_here():
    kinds = {cls.__name__ for cls in inspect.getmodule(keras_initializers.get).ALL_OBJECTS}
    assert kinds == {*RANDOM, *FIXED, *LEFT_OUT, "Initializer"}


@pytest.mark.parametrize("kind", [*RANDOM, *FIXED, "Initializer"])
def test_get_knows_the_names_of_keras(kind):
    names = names_of(kind)
    assert len(names) >= 2
    for name in names:
        assert type(initializers.get(name)) is getattr(initializers, kind)


def test_get_takes_classes_instances_functions_and_none():
    instance = initializers.Constant(3.0)
    assert initializers.get(instance) is instance
    assert isinstance(initializers.get(initializers.Ones), initializers.Ones)
    assert initializers.get(np.full) is np.full
    assert initializers.get(None) is None


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3), np.float64(0.1), np.ones((2, 0))])
def test_get_takes_arrays(array):
    ours, keras = both("get", array)
    for dtype in (None, *DTYPES):
        assert_same_bits(np.asarray(ours(array.shape, dtype)), keras(array.shape, dtype))


def test_weights_from_an_array_are_a_copy():
    array = np.ones((2, 3), "float32")
    weights = initializers.get(array)([2, 3])
    weights += 1
    assert np.all(array == 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: initializers.VarianceScaling(0), "scale must be positive, not 0"),
        (lambda: initializers.VarianceScaling(mode="fan"), "fan_in, fan_out or fan_avg, not 'fan'"),
        (lambda: initializers.VarianceScaling(distribution="beta"), "distribution .* not 'beta'"),
        (lambda: initializers.VarianceScaling(distribution="truncated_uniform"), "distribution"),
        (lambda: initializers.GlorotUniform()(3), "a shape takes integers .* in a tuple, not 3"),
        (lambda: initializers.HeNormal()((2, None)), r"a shape takes .* not \(2, None\)"),
        (lambda: initializers.Identity()((3,)), r"not \(3,\)"),
        (lambda: initializers.Identity()((2, 3, 4)), r"not \(2, 3, 4\)"),
        (lambda: initializers.Orthogonal()((3,)), r"two or more axes, not \(3,\)"),
        (lambda: initializers.get(np.ones((2, 3)))((3, 2)), r"shape \(2, 3\), not \(3, 2\)"),
        (lambda: initializers.get("glorot"), "unknown initializer 'glorot': choose from Zeros"),
        (lambda: initializers.get(3), "unknown initializer 3"),
        (lambda: initializers.get([1, 2]), "unknown initializer"),
        (lambda: initializers.GlorotUniform("x"), "seed is an integer"),
        (lambda: initializers.RandomNormal(seed=1.5), "seed is an integer"),
        (lambda: initializers.HeNormal(seed=1)((2, 3), "int32"), "float32 or float64, not int32"),
    ],
)
def test_bad_input_is_one_clear_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_the_base_class_has_no_values():
    with pytest.raises(NotImplementedError, match="Initializer does not say"):
        initializers.Initializer()((2,))


@pytest.mark.parametrize("name", ["Initializer", *RANDOM, *FIXED, "get"])
def test_signatures_are_those_of_keras(name):
    def parameters(side):
        found = inspect.signature(getattr(side, name)).parameters.values()
        return [(p.name, p.default) for p in found if p.kind is p.POSITIONAL_OR_KEYWORD]

    assert parameters(initializers) == parameters(keras_initializers)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("name", "variance"), [("Glorot", 2 / 500), ("He", 2 / 200), ("Lecun", 1 / 200)]
)
@pytest.mark.parametrize("kind", ["Uniform", "Normal"])
def test_weights_have_the_variance_that_keeps_the_signal(name, variance, kind, seed):
    """The sample variance of n values spreads by less than sqrt(2 / n) of itself; six such."""
    weights = getattr(initializers, name + kind)(seed=seed)((200, 300), "float64")
    spread = np.sqrt(2 / weights.size)
    assert abs(weights.var() / variance - 1) < 6 * spread
    assert abs(weights.mean()) < 6 * np.sqrt(variance / weights.size)
