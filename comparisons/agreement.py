"""One row of the table of pairs, judged: gradients by the checker, all else by its values."""

import importlib
import inspect

import numpy as np

from . import pairs
from .gradients import check_gradients, check_layer, draw
from .precision import floatx
from .results import PairResult

# Box-Muller rounds a logarithm, a root, a sine, two products and a sum: 7 epsilons bound them
NORMAL_ROUNDINGS = 7
STEPS = 100


def check_pair(pair: pairs.Pair, dtype: str = "float64", seed: int = 0) -> PairResult:
    """Judge a row in dtype, or its own if it has one; seed and names decide the inputs."""
    dtype = pair.dtype or dtype
    with floatx(dtype):
        result = _CHECKS[pair.kind](pair, dtype, seed)
    max_error, noise, verdict, cause = result
    return PairResult(pair.topic, pair.name, dtype, max_error, noise, verdict, cause, pair.case)


def twins(pair: pairs.Pair):
    """What the row names, in scratch and in reference."""
    modules = (importlib.import_module(f"{side}.{pair.topic}") for side in ("scratch", "reference"))
    return [getattr(module, pair.name) for module in modules]


def _from_report(report):
    found = report.to_dict()
    return found["max_error"], found["noise"], found["verdict"], found["cause"]


def _check_function(pair, dtype, seed):
    here, there = twins(pair)
    if pair.draws:
        there = _in_dtype(there, dtype)
    return _from_report(_gradients(pair, here, there, dtype, seed, arguments=pair.arguments))


def _in_dtype(function, dtype):
    """The function in dtype, whatever the dtype of x: random numbers depend on the dtype."""
    import tensorflow as tf

    def in_dtype(x, **arguments):
        return tf.cast(function(tf.cast(x, dtype), **arguments), x.dtype)

    return in_dtype


def _check_loss(pair, dtype, seed):
    here, there = (loss(**pair.arguments) for loss in twins(pair))
    return _from_report(_gradients(pair, here.forward, there, dtype, seed))


def _gradients(pair, here, there, dtype, seed, **settings):
    settings |= {"constant": pair.constant, "zero": pair.zero, "name": pair.title}
    return check_gradients(here, there, pair.inputs, seed=seed, dtype=dtype, **settings)


def _check_layer(pair, dtype, seed):
    here, there = _layers(pair, dtype)
    shapes = pair.inputs if pair.apart else list(pair.inputs.values())
    call = {key: _drawn_inputs(key, spec, seed, dtype) for key, spec in pair.call.items()}
    settings = {"zero": pair.zero, "name": pair.title, "arguments": call}
    return _from_report(check_layer(here, there, shapes, seed=seed, dtype=dtype, **settings))


def _layers(pair, dtype):
    """The row's layer on both sides."""
    settings = for_both(pair.arguments, dtype)
    return [layer(**how, dtype=dtype) for layer, how in zip(twins(pair), settings, strict=True)]


def for_both(arguments, dtype):
    """The arguments for scratch and for reference, with the layers that the rows in them name."""
    made = {key: _made(value, dtype) for key, value in arguments.items()}
    return [{key: two[side] for key, two in made.items()} for side in (0, 1)]


def _made(value, dtype):
    """An argument on both sides: the layer of a row, the layers of a list of rows, or as it is."""
    if isinstance(value, pairs.Pair):
        return _layers(value, dtype)
    if isinstance(value, list) and any(isinstance(each, pairs.Pair) for each in value):
        return list(zip(*(_layers(each, dtype) for each in value), strict=True))
    return [value, value]


def _drawn_inputs(name, spec, seed, dtype):
    """The array that a spec describes, or the list of them; other values as they are."""
    if isinstance(spec, list):
        return [_drawn_inputs(f"{name} {i}", each, seed, dtype) for i, each in enumerate(spec)]
    return draw({name: spec}, seed, dtype)[name] if isinstance(spec, str) else spec


def _check_values(pair, dtype, seed):
    here, there = twins(pair)
    inputs = draw(pair.inputs, seed, dtype).values() if pair.inputs else ()
    values = here(*inputs, **pair.arguments), np.asarray(there(*inputs, **pair.arguments))
    return compared(*values, noise=0.0)


def _check_path(pair, dtype, seed):
    """Values that each follow from the last.

    Noise is how far inputs one unit away lead astray, and a rounding for each step and each term
    of the sums over the inputs, which add up as random signs do.
    """
    here, there = twins(pair)
    inputs = list(draw(pair.inputs, seed, dtype).values())
    values = here(*inputs, **pair.arguments), np.asarray(there(*inputs, **pair.arguments))
    nudged = here(*map(one_unit_up, inputs), **pair.arguments)
    terms = len(values[0]) + sum(array.size for array in inputs)
    roundings = terms**0.5 * np.finfo(dtype).eps
    return compared(*values, noise=relative_error(nudged, values[0]) + roundings)


def one_unit_up(array):
    """Every number moved by one unit in the last place."""
    return np.asarray(np.nextafter(array, np.inf, dtype=array.dtype))


def _check_metric(pair, dtype, seed):
    """Three batches: the result after each is the same, up to a rounding per entry summed."""
    here, there = (metric(**pair.arguments) for metric in twins(pair))
    results, entries = [], 0
    for batch in range(3):
        inputs = list(draw(pair.inputs, seed + batch, dtype).values())
        entries += inputs[-1].size
        here.update_state(*inputs)
        there.update_state(*inputs)
        results.append((here.result(), np.asarray(there.result())))
    noise = entries * np.finfo(dtype).eps
    return compared(*map(np.array, zip(*results, strict=True)), noise=noise)


def _check_draw(pair, dtype, seed):
    here, there = (_drawn(pair, side, dtype, seed) for side in twins(pair))
    normal = "ormal" in pair.name or pair.arguments.get("distribution", "").endswith("normal")
    noise = NORMAL_ROUNDINGS * np.finfo(dtype).eps if normal else 0.0
    if pair.name == "Orthogonal":  # the QR factorisation sums a product per element
        noise = here.size * np.finfo(dtype).eps
    return compared(here, there, noise)


def _drawn(pair, side, dtype, seed):
    if pair.topic == "initializers":
        maker = side(**pair.arguments, **({"seed": seed} if _is_random(side) else {}))
        return np.asarray(maker((12, 7), dtype=dtype))
    inputs = draw(pair.inputs, seed, dtype).values() if pair.inputs else ()
    return np.asarray(side(*inputs, **pair.arguments, seed=seed))


def _is_random(initializer):
    return "seed" in inspect.signature(initializer).parameters


def _check_optimizer(pair, dtype, seed):
    """The weights after 100 steps.

    Noise is how far a start one unit away leads astray, and a rounding of the start for each step,
    which add up as random signs do: Ftrl computes small weights from terms as large as the start.
    """
    here, there = (_optimized(pair, optimizer, dtype, seed) for optimizer in twins(pair))
    nudged = _optimized(pair, twins(pair)[0], dtype, seed, nudge=True)
    start = np.concatenate([weight.ravel() for weight in draw(pair.inputs, seed, dtype).values()])
    roundings = STEPS**0.5 * np.finfo(dtype).eps * np.abs(start).max() / np.abs(there).max()
    return compared(here, there, noise=relative_error(nudged, here) + roundings)


def _optimized(pair, optimizer, dtype, seed, nudge=False):
    weights = list(draw(pair.inputs, seed, dtype).values())
    weights = [one_unit_up(w) if nudge else w.copy() for w in weights]
    optimizer = optimizer(**pair.arguments)
    variables = weights
    if optimizer.__module__.startswith("keras"):
        import keras

        variables = [keras.Variable(weight, dtype=dtype) for weight in weights]
    for step in range(STEPS):
        gradients = draw(pair.inputs, seed + step + 1, dtype).values()
        optimizer.apply(_as_tensors(gradients, variables), variables)
    return np.concatenate([np.ravel(variable) for variable in variables])


def _check_schedule(pair, dtype, seed):
    """The learning rates of 200 steps, which are float32 in either dtype.

    TensorFlow's float32 cosine and logarithm are off by up to one unit; the sum rounds once more.
    """
    here, there = (side(**pair.arguments) for side in twins(pair))
    rates = ([np.asarray(side(step)) for step in range(2 * STEPS)] for side in (here, there))
    noise = 2 * np.finfo("float32").eps if "Cosine" in pair.name else 0.0
    return compared(*map(np.array, rates), noise=noise)


def _check_constraint(pair, dtype, seed):
    """The weights as they should be; a norm sums a square for each of them."""
    (weight,) = draw(pair.inputs, seed, dtype).values()
    here, there = (np.asarray(side(**pair.arguments)(weight)) for side in twins(pair))
    return compared(here, there, noise=weight.size * np.finfo(dtype).eps)


def _as_tensors(gradients, variables):
    if isinstance(variables[0], np.ndarray):
        return list(gradients)
    import tensorflow as tf

    return [tf.constant(gradient) for gradient in gradients]


def compared(here, there, noise):
    """(max_error, noise, verdict, cause) of two arrays of values."""
    if np.shape(here) != np.shape(there):
        return None, noise, "mismatch", f"the shape is {np.shape(here)}, not {np.shape(there)}"
    error = relative_error(here, there)
    if error == 0.0 and here.dtype == there.dtype:
        return error, noise, "identical", None
    if error <= noise and here.dtype == there.dtype:
        return error, noise, "match", None
    index = np.unravel_index(np.argmax(np.abs(here - there)), np.shape(here))
    where = list(map(int, index))
    cause = f"at {where} scratch has {here[index]:.8g} ({here.dtype}), the reference "
    return error, noise, "mismatch", cause + f"{there[index]:.8g} ({there.dtype})"


def relative_error(here, there):
    """The largest difference, relative to the largest entry of the second."""
    difference = np.abs(np.subtract(here, there, dtype=np.float64)).max(initial=0.0)
    return float(difference / (np.abs(there).max(initial=0.0) or 1.0))


_CHECKS = {
    "function": _check_function,
    "layer": _check_layer,
    "loss": _check_loss,
    "values": _check_values,
    "path": _check_path,
    "metric": _check_metric,
    "draw": _check_draw,
    "optimizer": _check_optimizer,
    "schedule": _check_schedule,
    "constraint": _check_constraint,
    "regularizer": _check_loss,
}
