"""check_gradients and its kin: right gradients pass, wrong ones are named, nothing else raises."""

import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import scratch.convolution
import scratch.dense
import scratch.losses
import scratch.normalization
from comparisons import (
    GradientReport,
    assert_gradients_match,
    check_custom_gradient,
    check_gradients,
    check_layer,
)
from comparisons.gradients import LIMIT, draw, layers
from comparisons.gradients.contract import same
from comparisons.gradients.judgement import compare
from comparisons.gradients.report import Row
from comparisons.gradients.rounding import nudged
from comparisons.gradients.subject import Subject
from comparisons.gradients.truth import Tape
from comparisons.pieces import PIECE

DTYPES = ("float32", "float64")


def dense(x, kernel, bias):
    return x @ kernel + bias, lambda dy: (dy @ kernel.T, x.T @ dy, dy.sum(axis=0))


def tf_dense(x, kernel, bias):
    return tf.matmul(x, kernel) + bias


DENSE = {"x": (5, 7), "kernel": (7, 3), "bias": (3,)}


def relu(x):
    mask = x.real > 0
    return x * mask, lambda dy: dy * mask


def relu_with_slope_one_at_zero(x):
    return relu(x)[0], lambda dy: dy * (x >= 0)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    return p, lambda dy: p * (dy - (dy * p).sum(axis=-1, keepdims=True))


def square(x):
    return x * x, lambda dy: 2 * x * dy


def maximum(a, b):
    first = a.real >= b.real
    return np.where(first, a, b), lambda dy: (dy * first, dy * ~first)


def causes(report):
    return [finding.name for finding in report.findings]


# right gradients


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reference", [tf_dense, None])
def test_a_right_gradient_matches(reference, dtype):
    report = check_gradients(dense, reference, DENSE, dtype=dtype)
    assert report.ok
    assert report.verdict == "match"
    assert report.causes == []
    assert list(report.table["name"]) == ["x", "kernel", "bias"]
    assert (report.table["max_error"] <= report.table["noise"]).all()
    assert report.arbiter == "complex step"


CORRECT = {
    "relu": (relu, tf.nn.relu, {"x": "7x5"}),
    "softmax": (softmax, tf.nn.softmax, {"x": "5x7"}),
    "one class": (maximum, tf.maximum, {"a": "7x5", "b": "7x5"}),
    "one sample": (dense, tf_dense, {"x": "1x7", "kernel": "7x3", "bias": "3"}),
    "scalar": (square, tf.square, {"x": "scalar"}),
    "ties": (relu, tf.nn.relu, {"x": "7x5:ties"}),
    "tied maximum": (maximum, tf.maximum, {"a": "7x5:ties", "b": "7x5:ties"}),
    "saturated": (softmax, tf.nn.softmax, {"x": 30 * draw({"x": "5x7"})["x"]}),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CORRECT)
def test_right_gradients_match_with_every_seed(name, dtype):
    for seed in range(5):
        report = check_gradients(*CORRECT[name], seed=seed, dtype=dtype)
        assert report.verdict in ("identical", "match"), report
        assert report.ratio < LIMIT / 2


def test_equal_bits_are_identical():
    double = lambda x: (2 * x, lambda dy: 2 * dy)  # noqa: E731
    assert check_gradients(double, lambda x: 2 * x, {"x": "5x3"}).verdict == "identical"
    # without a reference there is nothing to be identical to
    assert check_gradients(double, None, {"x": "5x3"}).verdict == "match"


def test_forward_and_backward_apart():
    report = check_gradients(
        forward=lambda x, y: x * y,
        backward=lambda dy, x, y: (dy * y, dy * x),
        reference=tf.multiply,
        inputs={"x": "5x3", "y": "5x3"},
    )
    assert report.ok


def test_integer_inputs_are_not_differentiated():
    def embedding(table, indices):
        def backward(dy):
            dtable = np.zeros_like(table)
            np.add.at(dtable, indices, dy)
            return dtable

        return table[indices], backward

    report = check_gradients(embedding, tf.gather, {"table": "7x3", "indices": "5x4:int:7"})
    assert report.ok
    assert [row.name for row in report.rows] == ["table"]


def test_duplicate_indices_that_overwrite_each_other_are_seen():
    def embedding(table, indices):
        def backward(dy):
            dtable = np.zeros_like(table)
            dtable[indices] += dy
            return dtable

        return table[indices], backward

    assert not check_gradients(embedding, tf.gather, {"table": "7x3", "indices": "9:int:4"}).ok


def test_constant_inputs_have_no_gradient():
    def mse(y_true, y_pred):
        return ((y_pred - y_true) ** 2).mean(axis=-1), (
            lambda dy: dy[:, None] * 2 * (y_pred - y_true) / y_pred.shape[-1]
        )

    inputs = {"y_true": "5x3", "y_pred": "5x3"}
    reference = keras.losses.mean_squared_error
    assert check_gradients(mse, reference, inputs, constant=("y_true",)).ok
    assert "constant=" in check_gradients(mse, reference, inputs).causes[0]


def test_arguments_go_to_both():
    def leaky(x, negative_slope=0.2):
        slope = np.where(x.real > 0, 1.0, negative_slope)
        return x * slope, lambda dy: dy * slope

    report = check_gradients(
        leaky,
        lambda x, negative_slope: tf.nn.leaky_relu(x, negative_slope),
        {"x": "5x3"},
        arguments={"negative_slope": 0.375},
    )
    assert report.ok
    wrong = check_gradients(
        leaky,
        lambda x, negative_slope: tf.nn.leaky_relu(x, 0.2),
        {"x": "5x3"},
        arguments={"negative_slope": 0.375},
    )
    assert causes(wrong)[0] == "forward"


def test_a_fixed_mask():
    def dropout(x, mask):
        return x * mask * 2, lambda dy: dy * mask * 2

    report = check_gradients(
        dropout, lambda x, m: x * m * 2, {"x": "5x3", "mask": "5x3:binary"}, constant=("mask",)
    )
    assert report.ok


def test_several_outputs():
    def halves(x):
        return [x[:, :2], x[:, 2:] * 3], lambda dys: np.hstack([dys[0], 3 * dys[1]])

    reference = lambda x: [x[:, :2], x[:, 2:] * 3]  # noqa: E731
    assert check_gradients(halves, reference, {"x": "5x4"}).ok
    swapped = lambda x: (halves(x)[0], lambda dys: np.hstack([3 * dys[0], dys[1]]))  # noqa: E731
    assert not check_gradients(swapped, reference, {"x": "5x4"}).ok


def test_a_keras_layer_as_reference():
    assert check_gradients(relu, keras.layers.ReLU(dtype="float64"), {"x": "5x3"}).ok


def test_a_reference_that_runs_in_float32_alone_is_trusted_so_far():
    reference = lambda x: x * tf.constant(2.0)  # noqa: E731
    report = check_gradients(lambda x: (2 * x, lambda dy: 2 * dy), reference, {"x": "5x3"})
    assert report.ok
    assert "float32" in report.notes[0]
    wrong = check_gradients(lambda x: (2 * x, lambda dy: 2.001 * dy), reference, {"x": "5x3"})
    assert wrong.verdict == "mismatch"


# wrong gradients


@pytest.mark.parametrize("reference", [tf_dense, None])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
@pytest.mark.parametrize("error", [1e-9, 0.5])
def test_a_wrong_gradient_is_found_whatever_the_size_of_the_loss(reference, scale, error):
    def wrong(x, kernel, bias):
        y, backward = dense(x, kernel, bias)

        def slightly_off(dy):
            dx, dkernel, dbias = backward(dy)
            dkernel[2, 1] *= 1 + error
            return scale * dx, scale * dkernel, scale * dbias

        return scale * y, slightly_off

    scaled = reference and (lambda *inputs: scale * tf_dense(*inputs))
    report = check_gradients(wrong, scaled, DENSE)
    assert report.verdict == "mismatch"
    assert [row.verdict == "mismatch" for row in report.rows] == [False, True, False]
    assert report.rows[1].index == (2, 1)
    assert report.rows[1].max_error > report.rows[1].noise


def test_the_backward_that_stands_alone():
    half = lambda x: (x * x, lambda dy: x * dy)  # noqa: E731
    report = check_gradients(half, tf.square, {"x": "5x3"})
    assert "backward stands alone" in report.witnesses[0]
    assert "2" in report.causes[0]
    assert "own forward" in check_gradients(half, None, {"x": "5x3"}).witnesses[0]


def test_the_reference_that_stands_alone():
    stopped = lambda x: x * tf.stop_gradient(x)  # noqa: E731
    report = check_gradients(square, stopped, {"x": "5x3"})
    assert report.verdict == "mismatch"
    assert "the reference stands alone" in report.witnesses[0]


def test_the_arbiter_that_stands_alone():
    half = lambda x: (x * x, lambda dy: x * dy)  # noqa: E731
    report = check_gradients(half, lambda x: x * tf.stop_gradient(x), {"x": "5x3"})
    assert report.ok
    assert "not with the derivative of the forward pass" in report.witnesses[0]


def test_all_three_disagree():
    third = lambda x: (x * x, lambda dy: 3 * x * dy)  # noqa: E731
    report = check_gradients(third, lambda x: x * tf.stop_gradient(x), {"x": "5x3"})
    assert "all three disagree" in report.witnesses[0]


def test_a_forward_mismatch_comes_first():
    report = check_gradients(square, lambda x: x * x * x, {"x": "5x3"})
    assert causes(report)[0] == "forward"
    assert report.causes[0].startswith("forward: its value is not the reference's")
    assert "the reference stands alone" in report.witnesses[0]


def test_a_forward_of_another_shape_is_judged_without_the_reference():
    report = check_gradients(square, lambda x: tf.reduce_sum(x * x, axis=-1), {"x": "5x3"})
    assert report.causes == [
        "forward: its value has shape (5, 3), the reference's (5,); judged without the reference"
    ]
    assert report.rows[0].verdict == "match"


def test_a_large_tensor_is_probed_and_narrowed_down():
    def wrong(x, kernel):
        def backward(dy):
            dkernel = x.T @ dy
            dkernel[33, 17] += 0.01
            return dy @ kernel.T, dkernel * np.any(dy)

        return x @ kernel, backward

    report = check_gradients(wrong, None, {"x": "3x60", "kernel": "60x50"})
    assert report.rows[0].verdict == "match"
    assert report.rows[1].index == (33, 17)
    assert report.rows[1].expected == pytest.approx(report.rows[1].given - 0.01)
    right = check_gradients(
        lambda x, k: (x @ k, lambda dy: (dy @ k.T, x.T @ dy)), None, {"x": "3x60", "k": "60x50"}
    )
    assert right.verdict == "match"


def wrong_in_one_element(x, kernel):
    def backward(dy):
        dkernel = x.T @ dy
        dkernel[200, 1] *= 1.001
        return dy @ kernel.T, dkernel

    return x @ kernel, backward


@pytest.mark.parametrize("reference", [None, tf.matmul])
def test_one_wrong_element_is_found_in_any_piece(reference):
    report = check_gradients(wrong_in_one_element, reference, {"x": "3x300", "kernel": "300x50"})
    assert 200 * 50 > PIECE
    assert [row.verdict for row in report.rows] == ["match", "mismatch"]
    assert report.rows[1].index == (200, 1)
    assert report.rows[1].given == pytest.approx(1.001 * report.rows[1].expected)


@pytest.mark.parametrize(("value", "ratio"), [(3.0, 4.0), (np.inf, np.inf), (np.nan, np.inf)])
def test_the_worst_element_is_compared_in_any_piece(value, ratio):
    given, expected = np.zeros(3 * PIECE), np.zeros(3 * PIECE)
    given[5], given[PIECE + 7] = 1, value
    row = Row("x", given.shape)
    compare(row, given, expected, np.broadcast_to(0.75, given.shape), identical=False)
    assert (row.index, row.ratio) == ((PIECE + 7,), ratio)


def test_a_nudged_number_is_one_unit_higher_or_lower():
    array = np.ones((3, PIECE))
    array[1, 1] = 0
    moved = nudged(array, "float64", np.random.default_rng(0))
    eps = np.finfo(float).eps
    assert set(np.unique(moved)) == {0, 1 - eps, 1 + eps}
    assert 0.4 < np.mean(moved > 1) < 0.6


def test_the_forward_of_the_tape_serves_its_gradients():
    calls, x, dy = [], np.arange(3.0), np.ones(3)
    tape = Tape(lambda x: calls.append(0) or x * x, [0], "the square")
    assert np.array_equal(tape.values([x])[0], x * x)
    assert np.array_equal(tape([x], [dy])[1][0], 2 * x)
    assert len(calls) == 1
    tape.values([x])
    assert np.array_equal(tape([x + 1], [dy])[1][0], 2 * (x + 1))
    assert np.array_equal(tape([x], [dy])[1][0], 2 * x)
    assert len(calls) == 4


# the contract


def at(position, change):
    """dense, with one thing changed about its gradients."""

    def function(x, kernel, bias):
        y, backward = dense(x, kernel, bias)

        def changed(dy):
            gradients = list(backward(dy))
            gradients[position] = change(gradients[position], (x, kernel, bias), dy)
            return tuple(gradients)

        return y, changed

    return function


BREACHES = {
    "none": at(1, lambda g, inputs, dy: None),
    "shape": at(1, lambda g, inputs, dy: g.T),
    "float32 leak": at(1, lambda g, inputs, dy: g.astype(np.float32)),
    "alias": at(1, lambda g, inputs, dy: inputs[1][:]),
    "ignores dy": at(1, lambda g, inputs, dy: inputs[1] * 1),
    "not zero at dy = 0": at(1, lambda g, inputs, dy: g + 0.01 * inputs[1]),
    "not linear": at(1, lambda g, inputs, dy: np.clip(g, -1, 1)),
    "not finite": at(1, lambda g, inputs, dy: g / np.abs(np.sign(g - g.max()))),
    "not repeatable": at(1, lambda g, inputs, dy, calls=[0]: g * (1 + _count(calls))),
    "dtype": at(1, lambda g, inputs, dy: g.astype(int)),
}


def test_a_gradient_that_is_gone_the_second_time_is_not_repeatable():
    def once(x):
        calls = []
        return 2 * x, lambda dy: calls.append(0) or (2 * dy if len(calls) == 1 else None)

    assert causes(check_gradients(once, lambda x: 2 * x, {"x": (3, 4)}))[0] == "not repeatable"


def _count(calls):
    calls[0] += 1
    return calls[0]


@pytest.mark.parametrize("reference", [tf_dense, None])
@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_of_the_contract_is_named(name, reference):
    report = check_gradients(BREACHES[name], reference, DENSE)
    assert report.verdict == "mismatch"
    assert causes(report)[0] == name
    assert "kernel" in report.causes[0]
    assert report.rows[1].verdict == "mismatch"
    assert {report.rows[0].verdict, report.rows[2].verdict} <= {"identical", "match"}


def test_wrong_arity():
    report = check_gradients(lambda *a: (dense(*a)[0], lambda dy: dy), tf_dense, DENSE)
    expected = "backward returned 1 gradient for 3 inputs (x, kernel, bias)."
    assert report.causes[0].startswith(expected)
    assert {row.verdict for row in report.rows} == {"mismatch"}


def test_a_missing_sum_over_the_broadcast_axes_is_said():
    wrong = at(2, lambda g, inputs, dy: dy)
    report = check_gradients(wrong, tf_dense, DENSE)
    assert "axes along which it was broadcast are not summed" in report.causes[0]


def relu_that_writes_to_dy(x):
    def backward(dy):
        dy[x < 0] = 0
        return dy

    return x * (x.real > 0), backward


def relu_that_writes_to_x(x):
    x[x < 0] = 0
    return x * 1, lambda dy: dy * (x > 0)


def relu_that_thaws_dy(x):
    def backward(dy):
        dy.flags.writeable = True
        dy[x < 0] = 0
        return dy * 1

    return x * (x.real > 0), backward


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (relu_that_writes_to_dy, "mutates dy"),
        (relu_that_thaws_dy, "mutates dy"),
        (relu_that_writes_to_x, "mutates input"),
    ],
)
def test_changed_arrays_are_named(function, name):
    report = check_gradients(function, tf.nn.relu, {"x": "5x3"})
    assert report.verdict == "mismatch"
    assert causes(report)[0] == name
    assert "in place" in report.causes[0]


def test_the_callers_arrays_stay_as_they_were():
    x = np.ones((5, 3))
    check_gradients(relu_that_writes_to_x, tf.nn.relu, {"x": x})
    assert x.flags.writeable
    assert np.array_equal(x, np.ones((5, 3)))


def test_a_random_forward_is_named():
    rng = np.random.default_rng(0)

    def dropout(x):
        mask = rng.random(x.shape) < 0.5
        return x * mask, lambda dy: dy * mask

    report = check_gradients(dropout, None, {"x": "5x3"})
    assert causes(report)[0] == "not deterministic"


def test_a_cache_that_another_call_overwrites_is_named():
    cache = {}

    def function(x):
        cache["x"] = x
        return x * x, lambda dy: 2 * dy * cache["x"]

    report = check_gradients(function, tf.square, {"x": "5x3"})
    assert causes(report)[0] == "not repeatable"


@pytest.mark.parametrize("reference", [tf.square, None])
def test_what_is_kept_of_the_first_call_is_named(reference):
    kept = {}

    def function(x):
        first = kept.setdefault("x", x)
        return x * x, lambda dy: 2 * dy * first

    report = check_gradients(function, reference, {"x": "5x3"})
    assert causes(report) == ["not repeatable"]


def test_gradients_that_add_up_over_calls_are_said_to():
    total = {}

    def function(x):
        def backward(dy):
            total["x"] = total.get("x", 0) + 2 * x * dy
            return total["x"]

        return x * x, backward

    report = check_gradients(function, tf.square, {"x": "5x3"})
    assert "it adds up over calls" in report.causes[0]


def test_a_leak_that_hides_in_the_middle_is_named():
    def function(x, kernel):
        return x @ kernel, lambda dy: (dy @ kernel.T, x.astype(np.float32).T @ dy)

    report = check_gradients(function, tf.matmul, {"x": "5x7", "kernel": "7x3"})
    assert report.causes[0] == "float32 leak: x passes through float32 on its way to dkernel"


def test_in_float32_a_float64_gradient_is_a_breach():
    wrong = at(1, lambda g, inputs, dy: g.astype(np.float64))
    report = check_gradients(wrong, tf_dense, DENSE, dtype="float32")
    assert report.causes[0] == "the gradient of kernel is float64, kernel is float32"


# kinks, ties, and nothing to see


def test_a_kink_is_a_convention():
    report = check_gradients(relu_with_slope_one_at_zero, tf.nn.relu, {"x": "5x7:ties"})
    assert report.ok
    assert report.verdict == "convention"
    assert (
        "takes the slope from the right, the reference the slope from the left"
        in (report.causes[0])
    )


def test_a_kink_without_a_reference_is_a_convention():
    report = check_gradients(relu_with_slope_one_at_zero, None, {"x": "5x7:ties"})
    assert report.verdict == "convention"


def test_abs_at_zero_is_a_convention():
    def absolute(x):
        return np.abs(x), lambda dy: dy * np.where(x >= 0, 1.0, -1.0)

    report = check_gradients(absolute, tf.abs, {"x": "5x7:ties"})
    assert report.verdict == "convention"
    assert "the mean of both slopes" in report.causes[0]


def test_hard_sigmoid_corners_are_a_convention():
    def hard_sigmoid(x):
        inside = (x.real >= -3) & (x.real <= 3)
        return np.where(inside, x / 6 + 0.5, x.real > 3), lambda dy: dy * inside / 6

    reference = lambda x: tf.nn.relu6(x + 3) / 6  # noqa: E731
    x = np.array([-3.0, -1.0, 0.5, 3.0, 4.0])
    assert check_gradients(hard_sigmoid, reference, {"x": x}).verdict == "convention"


@pytest.mark.parametrize(
    ("share", "verdict"), [((0.5, 0.5), "convention"), ((1, 1), "mismatch"), ((2, -1), "mismatch")]
)
def test_a_tie_may_be_shared_out_but_not_be_counted_twice(share, verdict):
    def tied_maximum(a, b):
        def backward(dy):
            return (
                dy * ((a > b) + share[0] * (a == b)),
                dy * ((b > a) + share[1] * (a == b)),
            )

        return np.where(a.real >= b.real, a, b), backward

    report = check_gradients(tied_maximum, tf.maximum, {"a": "6x5:ties", "b": "6x5:ties"})
    assert report.verdict == verdict


def test_a_tied_pool_that_takes_the_first_where_the_reference_splits():
    def largest(x):
        def backward(dy):
            dx = np.zeros(x.shape, dy.dtype)
            dx[np.arange(len(x)), x.argmax(axis=1)] = dy
            return dx

        return x.max(axis=1), backward

    report = check_gradients(largest, lambda x: tf.reduce_max(x, axis=1), {"x": "5x6:ties"})
    assert report.verdict == "convention"
    assert "ties of x" in report.causes[0]


def test_beyond_its_one_sided_slopes_a_kink_is_a_mismatch():
    wrong = lambda x: (relu(x)[0], lambda dy: dy * ((x > 0) + 3.0 * (x == 0)))  # noqa: E731
    assert check_gradients(wrong, tf.nn.relu, {"x": "5x7:ties"}).verdict == "mismatch"


def hidden_keys(mask):
    """Where a query (row) sees no key (column), being before it or masked."""
    return 1.0 - np.tril(np.ones((3, 3), "float32")) * mask.astype("float32")


def causal_softmax(x, mask):
    return softmax(x - np.asarray(1e9, x.real.dtype) * hidden_keys(mask))


def tf_causal_softmax(x, mask):
    return tf.nn.softmax(x - tf.cast(1e9, x.dtype) * tf.cast(hidden_keys(mask.numpy()), x.dtype))


def test_a_mask_that_hides_all_but_in_float64_is_no_other_call():
    # in reverse order the mask hides all keys of a query, whose scores float32 loses behind 1e9
    inputs = {"x": (3, 3), "mask": np.array([1, 1, 0])}
    assert check_gradients(causal_softmax, tf_causal_softmax, inputs, dtype="float32").ok


def test_a_kink_does_not_excuse_what_is_wrong_elsewhere():
    wrong = lambda x: (relu(x)[0], lambda dy: dy * (x >= 0) * (1 + 1e-9))  # noqa: E731
    assert check_gradients(wrong, tf.nn.relu, {"x": "5x7:ties"}).verdict == "mismatch"


def test_a_reference_that_is_no_derivative_at_a_point():
    linear = lambda x: (x * 1, lambda dy: dy * 1)  # noqa: E731

    @tf.custom_gradient
    def doubled_at_zero(x):
        return tf.identity(x), lambda dy: tf.where(x == 0, 2 * dy, dy)

    report = check_gradients(linear, doubled_at_zero, {"x": "5x3:ties"})
    assert report.verdict == "convention"
    assert "the derivative of its forward" in report.causes[0]


def total_softmax(x):
    p, backward = softmax(x)
    return p.sum(), lambda dy: backward(dy * np.ones_like(x))


def tf_total_softmax(x):
    return tf.reduce_sum(tf.nn.softmax(x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reference", [tf_total_softmax, None])
def test_a_true_gradient_of_zero_is_vacuous_unless_it_is_meant(reference, dtype):
    report = check_gradients(total_softmax, reference, {"x": "5x6"}, dtype=dtype)
    assert report.verdict == "vacuous"
    assert not report.ok
    assert "proves nothing" in report.causes[0]
    meant = check_gradients(total_softmax, reference, {"x": "5x6"}, dtype=dtype, zero=("x",))
    assert meant.verdict == "match"


def test_what_is_named_zero_must_be_zero():
    wrong = lambda x: (total_softmax(x)[0], lambda dy: dy * 1e-12 * x)  # noqa: E731
    assert not check_gradients(wrong, tf_total_softmax, {"x": "5x6"}, zero=("x",)).ok
    report = check_gradients(square, tf.square, {"x": "5x3"}, zero=("x",))
    assert report.verdict == "mismatch"
    assert report.causes == ["x is named zero, but its true gradient is not"]


@pytest.mark.parametrize("reference", [tf_dense, None])
def test_an_empty_batch_proves_nothing(reference):
    report = check_gradients(dense, reference, {"x": (0, 7), "kernel": (7, 3), "bias": (3,)})
    assert report.verdict == "vacuous"
    assert all("the batch is empty" in cause for cause in report.causes)


def test_where_the_true_gradient_is_not_finite_nothing_can_be_judged():
    root = lambda x: (np.sqrt(x), lambda dy: dy / 2 / np.sqrt(x))  # noqa: E731
    report = check_gradients(root, tf.sqrt, {"x": np.array([0.0, 1.0, 2.0])})
    assert report.verdict == "vacuous"
    assert "not finite" in report.causes[0]


# nothing that the function does makes the check raise


def fails_in_forward(x):
    return {}["missing"]


def fails_in_backward(x):
    return x * 2, lambda dy: dy @ np.ones((2, 2)) + undefined_name  # noqa: F821


def leaves(x):
    raise SystemExit(3)


def recurses(x):
    return recurses(x)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (fails_in_forward, "fails_in_forward raised KeyError: 'missing'"),
        (fails_in_backward, "the backward of fails_in_backward raised ValueError"),
        (leaves, "leaves raised SystemExit: 3"),
        (recurses, "recurses raised RecursionError"),
        (lambda x: x, "<lambda> returned a ndarray, not (value, backward)"),
        (lambda x: ("text", lambda dy: dy), "<lambda> returned a str where numbers were expected"),
        (lambda x: (x * 1j, lambda dy: dy), "<lambda> returned complex numbers for real inputs"),
    ],
)
def test_errors_are_reported_under_one_line(function, expected):
    report = check_gradients(function, tf.square, {"x": "5x3"})
    assert report.verdict == "error"
    assert report.causes[0].startswith(expected)
    assert str(report).splitlines()[1].startswith(expected[:70])


def test_the_traceback_is_the_users_own():
    report = check_gradients(fails_in_forward, tf.square, {"x": "5x3"})
    assert report.traceback.splitlines()[1].split(",")[0] == f'  File "{__file__}"'
    assert 'return {}["missing"]' in report.traceback
    assert "comparisons" not in report.traceback


def test_an_error_of_the_reference_is_told_apart():
    def reference(x):
        raise RuntimeError("out of order")

    report = check_gradients(square, reference, {"x": "5x3"})
    assert report.causes == ["the reference reference raised RuntimeError: out of order"]


def test_an_error_at_nearby_points_is_no_error_of_the_check():
    x = draw({"x": "5x3"})["x"]

    def only_here(x_given):
        if not np.array_equal(x_given.real, x) or x_given.dtype != float:
            raise RuntimeError("somewhere else")
        return square(x_given)

    assert check_gradients(only_here, tf.square, {"x": x}).ok


@pytest.mark.parametrize(
    ("arguments", "settings", "expected"),
    [
        ((), {}, "give either a function"),
        ((square,), {"forward": square, "backward": square, "inputs": {"x": 3}}, "give either"),
        ((square,), {}, "inputs maps each name"),
        ((square, None, {}), {}, "inputs maps each name"),
        ((square, None, {"x": "5y3"}), {}, "'5y3' is not a spec such as 32x784"),
        ((square, None, {"x": "5x3:odd"}), {}, "numbers are normal, positive"),
        ((square, None, {"x": "@missing.npy"}), {}, "missing.npy cannot be read"),
        ((square, None, {"x": np.ones(3) * 1j}), {}, "x is neither a shape"),
        ((square, None, {"x": (-1, 3)}), {}, "no negative sizes"),
        ((square, None, {"x": "5:int:3"}), {}, "no input has a gradient"),
        ((square, None, {"x": "5x3", "y": "3"}), {}, "cannot be called with (x, y)"),
        ((square, None, {"x": "5x3"}), {"arguments": {"z": 1}}, "cannot be called with (x, z=)"),
        ((square, None, {"x": "5x3"}), {"zero": ("y",)}, "zero names y, but the inputs are x"),
        ((square, None, {"x": "5x3"}), {"zero": "x"}, "zero is a sequence of names"),
        ((square, None, {"x": "5x3"}), {"constant": ("k",)}, "constant names k"),
        ((square, None, {"x": "5x3"}), {"dtype": "float16"}, "dtype is float32 or float64"),
        ((square, None, {"x": "5x3"}), {"seed": -1}, "seed is an integer from 0"),
        ((square, 3, {"x": "5x3"}), {}, "a function was expected, not a int"),
        ((dense, None, {"kernel": "7x3", "x": "5x7", "bias": "3"}), {}, "takes (x, kernel, bias)"),
    ],
)
def test_a_call_that_cannot_be_made_is_refused_in_one_line(arguments, settings, expected):
    with pytest.raises((TypeError, ValueError), match=re.escape(expected)) as refused:
        check_gradients(*arguments, **settings)
    assert "\n" not in str(refused.value)


# the report


def test_raise_if_failed_and_assert_gradients_match():
    wrong = lambda x: (x * x, lambda dy: x * dy)  # noqa: E731
    report = check_gradients(wrong, tf.square, {"x": "5x3"})
    with pytest.raises(AssertionError) as raised:
        report.raise_if_failed()
    assert str(report) in str(raised.value)
    with pytest.raises(AssertionError, match="mismatch"):
        assert_gradients_match(wrong, tf.square, {"x": "5x3"})
    assert isinstance(assert_gradients_match(square, tf.square, {"x": "5x3"}), GradientReport)


def test_the_text_fits_80_columns_and_names_everything():
    report = check_gradients(BREACHES["not linear"], tf_dense, DENSE, seed=5, name="clipped")
    text = str(report)
    assert max(map(len, text.splitlines())) <= 80
    for part in ("clipped: mismatch", "float64, seed 5", "kernel", "7x3", report.causes[0][:40]):
        assert part in text


def test_the_html_is_escaped():
    report = check_gradients(fails_in_forward, None, {"<b>": "5x3"}, name="<script>")
    assert "<script>" not in report._repr_html_()
    assert "&lt;script&gt;" in report._repr_html_()
    shown = check_gradients(square, None, {"<b>": "5x3"})._repr_html_()
    assert "<b><" not in shown.replace("<p><b>", "")
    assert "&lt;b&gt;" in shown


def test_the_dictionary_is_json():
    report = check_gradients(BREACHES["not finite"], tf_dense, DENSE)
    found = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert found["verdict"] == "mismatch"
    assert found["cause"] == report.causes[0]
    assert [row["name"] for row in found["gradients"]] == ["x", "kernel", "bias"]
    assert found["gradients"][0]["max_error"] <= found["gradients"][0]["noise"] < 1e-12


def test_the_same_seed_gives_the_same_report_and_another_seed_another():
    first, again, other = (
        check_gradients(dense, tf_dense, DENSE, seed=seed).to_dict() for seed in (3, 3, 4)
    )
    assert first == again
    assert first["gradients"] != other["gradients"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_accuracy_is_stated_in_float32(dtype):
    report = check_gradients(softmax, tf.nn.softmax, {"x": "5x7"}, dtype=dtype)
    assert any("In float32" in note for note in report.notes) == (dtype == "float32")


# inputs


def test_every_kind_of_input_is_drawn():
    x = draw({"x": "5x4"})["x"]
    assert (x.shape, x.dtype) == ((5, 4), np.float64)
    assert draw({"x": "5,4"})["x"].shape == draw({"x": (5, 4)})["x"].shape == (5, 4)
    assert draw({"x": "scalar"})["x"].shape == ()
    integers = draw({"x": "200:int:7"})["x"]
    assert integers.dtype.kind == "i"
    assert set(integers) == set(range(7))
    assert (draw({"x": "50:positive"})["x"] > 0).all()
    unit = draw({"x": "50:unit"})["x"]
    assert ((unit > 0) & (unit < 1)).all()
    assert np.allclose(draw({"x": "8x10:simplex"})["x"].sum(axis=-1), 1)
    assert np.array_equal(draw({"x": "8x10:onehot"})["x"].sum(axis=-1), np.ones(8))
    assert set(draw({"x": "50:binary"})["x"]) == {0, 1}
    assert set(draw({"x": "50:ties"})["x"]) == {-1, 0, 1}


def test_files_are_read_without_pickles(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(3.0))
    assert np.array_equal(draw({"x": f"@{tmp_path}/x.npy"})["x"], np.arange(3.0))
    np.save(tmp_path / "object.npy", np.array([{}]))
    with pytest.raises(ValueError, match="cannot be read"):
        draw({"x": f"@{tmp_path}/object.npy"})


def test_a_further_input_shifts_no_other():
    alone, beside = draw({"x": "5x3"}, 7), draw({"a": "4", "x": "5x3"}, 7)
    assert np.array_equal(alone["x"], beside["x"])
    assert not np.array_equal(alone["x"], draw({"x": "5x3"}, 8)["x"])
    assert np.array_equal(draw({"x": "5x3"}, 7, "float32")["x"], alone["x"].astype("float32"))


def test_what_is_drawn_is_read_only_and_the_callers_own_array_is_not():
    given = np.ones(3)
    drawn = draw({"x": given})["x"]
    assert not drawn.flags.writeable
    assert given.flags.writeable
    assert drawn is not given


# tf.custom_gradient


@tf.custom_gradient
def softplus(x):
    e = tf.exp(x)
    return tf.math.log(1 + e), lambda dy: dy * (1 - 1 / (1 + e))


@tf.custom_gradient
def wrong_softplus(x):
    e = tf.exp(x)
    return tf.math.log(1 + e), lambda dy: dy / (1 + e)


@tf.custom_gradient
def one_gradient_short(x, y):
    return x * y, lambda dy: dy * y


@tf.custom_gradient
def float32_only(x):
    y = tf.exp(x) * tf.constant(2.0)
    return y, lambda dy: dy * y


def test_a_right_custom_gradient():
    report = check_custom_gradient(softplus, {"x": "5x3"})
    assert report.verdict == "match"
    assert report.notes == []


def test_a_wrong_custom_gradient_stands_alone():
    report = check_custom_gradient(wrong_softplus, {"x": "5x3"})
    assert report.verdict == "mismatch"
    assert "backward stands alone" in report.witnesses[0]


def test_a_gradient_too_few_is_reported_instead_of_ending_the_process():
    report = check_custom_gradient(one_gradient_short, {"x": "5x3", "y": "5x3"})
    assert causes(report)[0] == "arity"


def test_a_custom_gradient_of_float32_is_judged_in_float32():
    report = check_custom_gradient(float32_only, {"x": "5x3"})
    assert report.ok
    assert report.dtype == "float32"
    assert "runs in float32 only" in report.notes[-1]


@pytest.mark.parametrize("wrap", [tf.function, lambda f: __import__("functools").partial(f)])
def test_the_plain_forward_is_found_under_wrappers(wrap):
    report = check_custom_gradient(wrap(softplus), {"x": "5x3"})
    assert report.verdict == "match"
    assert report.notes == []


def test_a_forward_that_cannot_be_found_is_judged_by_the_arbiter_alone():
    report = check_custom_gradient(lambda x: softplus(x) * 2, {"x": "5x3"})
    assert report.ok
    assert "could not be found" in report.notes[0]
    wrong = check_custom_gradient(lambda x: wrong_softplus(x) * 2, {"x": "5x3"})
    assert wrong.verdict == "mismatch"


@pytest.mark.parametrize("factor", [1, 2])
def test_variables_are_checked_by_name_and_restored(factor):
    weight = tf.Variable([1.5, -2.0, 0.5], dtype=tf.float64, name="weight")

    @tf.custom_gradient
    def scaled(x):
        def grad(dy, variables=None):
            return dy * weight, [factor * tf.reduce_sum(dy * x, axis=0)]

        return x * weight, grad

    report = check_custom_gradient(scaled, {"x": "5x3"})
    assert [row.name for row in report.rows] == ["x", "weight"]
    assert report.rows[0].verdict in ("identical", "match")
    assert report.ok == (factor == 1)
    assert np.array_equal(weight.numpy(), [1.5, -2.0, 0.5])


def test_a_grad_that_does_not_take_variables_is_an_error_in_words():
    weight = tf.Variable(2.0, dtype=tf.float64)

    @tf.custom_gradient
    def scaled(x):
        return x * weight, lambda dy: dy * weight

    report = check_custom_gradient(scaled, {"x": "5x3"})
    assert report.verdict == "error"
    assert "must take variables=" in report.causes[0]


# layers


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_right_layer(dtype):
    layer = scratch.dense.Dense(3, activation="relu", dtype=dtype)
    report = check_layer(layer, keras.layers.Dense(3, activation="relu"), (5, 4))
    assert report.ok
    assert report.dtype == dtype
    names = [(row.name, row.mode) for row in report.rows]
    assert names[:3] == [("x", "training"), ("kernel", "training"), ("bias", "training")]
    assert names[3:] == [("x", "inference"), ("kernel", "inference"), ("bias", "inference")]


def test_a_layer_keeps_its_own_weights():
    layer, reference = scratch.dense.Dense(3), keras.layers.Dense(3)
    layer(np.ones((5, 4)))
    reference(np.ones((5, 4)))
    before = layer.get_weights() + reference.get_weights()
    check_layer(layer, reference, (5, 4))
    for here, there in zip(before, layer.get_weights() + reference.get_weights(), strict=True):
        assert np.array_equal(here, there)


class HalfDense(scratch.dense.Dense):
    """Dense whose dkernel is half of what it should be."""

    def preactivation(self, x, training=False):
        z, backward = super().preactivation(x)

        def halved(dz, needs_dx=True):
            dx, (dkernel, dbias) = backward(dz)
            return dx, [dkernel / 2, dbias]

        return z, halved


def test_a_wrong_layer():
    report = check_layer(HalfDense(3, dtype="float64"), keras.layers.Dense(3), (5, 4))
    wrong = [(row.name, row.mode) for row in report.rows if row.verdict == "mismatch"]
    assert wrong == [("kernel", "training"), ("kernel", "inference")]
    assert "2" in report.causes[0]


class FrozenInInference(scratch.dense.Dense):
    """Dense that stops the gradient of its kernel unless it trains."""

    def call(self, x, training=False):
        y, backward = super().call(x)

        def stopped(dy, needs_dx=True):
            dx, (dkernel, dbias) = backward(dy)
            return dx, [dkernel * training, dbias]

        return y, stopped


class ForgetfulInInference(scratch.dense.Dense):
    """Dense that gives the right gradients in inference, but only once."""

    def call(self, x, training=False):
        y, backward = super().call(x)
        calls = []

        def once(dy, needs_dx=True):
            calls.append(dy)
            return backward(dy if training or len(calls) == 1 else 0 * dy)

        return y, once


def test_what_is_wrong_in_inference_alone_is_found():
    reference = keras.layers.Dense(3)
    report = check_layer(FrozenInInference(3, dtype="float64"), reference, (5, 4))
    wrong = [(row.name, row.mode) for row in report.rows if row.verdict == "mismatch"]
    assert wrong == [("kernel", "inference")]
    report = check_layer(ForgetfulInInference(3, dtype="float64"), reference, (5, 4))
    assert report.verdict == "mismatch"
    assert all(cause.startswith("in inference: backward, called again") for cause in report.causes)


def test_a_reference_whose_value_is_all_rounding_draws_no_random_numbers_for_that():
    """One element is its own mean: with this seed, beta alone is left of x's rounding, 1.6e-5."""
    here, there = scratch.normalization.LayerNormalization(), keras.layers.LayerNormalization()
    report = check_layer(here, there, (2, 1), seed=39, dtype="float32", zero=("x", "gamma"))
    assert report.verdict == "match"
    assert not any("random numbers" in note for note in report.notes)


@pytest.mark.parametrize(
    ("layer", "reference", "modes"),
    [
        (scratch.dense.Dense(3), keras.layers.Dense(3), ["training"]),
        (
            scratch.normalization.BatchNormalization(),
            keras.layers.BatchNormalization(),
            ["training", "inference"],
        ),
    ],
)
def test_modes_of_the_same_bits_are_measured_once(layer, reference, modes, monkeypatch):
    measured = []
    check = layers.Pair.check
    monkeypatch.setattr(layers.Pair, "check", lambda *a: measured.append(a[1]) or check(*a))
    assert check_layer(layer, reference, (5, 4)).ok
    assert measured == modes


BatchNormalization = scratch.normalization.BatchNormalization


class SlowAverages(BatchNormalization):
    """Batch normalization whose moving averages forget at the rate at which they should keep."""

    def forward(self, x, training=False, **arguments):
        self.prepare(x)
        before = [weight.copy() for weight in self.non_trainable_weights]
        y, backward = super().forward(x, training=training, **arguments)
        for weight, old in zip(self.non_trainable_weights, before, strict=True):
            if training:
                weight[...] = old + (weight - old) * self.momentum / (1 - self.momentum)
        return y, backward


def test_the_state_after_a_training_call_is_compared():
    reference = keras.layers.BatchNormalization()
    assert check_layer(BatchNormalization(dtype="float64"), reference, (9, 3)).ok
    report = check_layer(SlowAverages(dtype="float64"), reference, (9, 3))
    assert report.verdict == "mismatch"
    assert report.causes[0].startswith("in training: forward: its new moving_")
    assert {row.verdict for row in report.rows} <= {"identical", "match"}


def test_weights_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="has weights of shapes"):
        check_layer(scratch.dense.Dense(3), keras.layers.Dense(4), (5, 4))
    with pytest.raises(TypeError, match="the reference of check_layer is a Keras layer"):
        check_layer(scratch.dense.Dense(3), tf.nn.relu, (5, 4))
    with pytest.raises(TypeError, match="takes a layer with forward"):
        check_layer(tf.nn.relu, keras.layers.Dense(4), (5, 4))


def test_an_error_inside_a_layer_is_reported():
    class Broken(scratch.dense.Dense):
        def call(self, x, training=False):
            raise RuntimeError("broken")

    report = check_layer(Broken(3), keras.layers.Dense(3), (5, 4))
    assert report.verdict == "error"
    assert "RuntimeError: broken" in report.causes[0]


def test_a_layer_that_takes_a_list():
    class Product:
        trainable_weights = ()
        non_trainable_weights = ()

        def forward(self, inputs):
            a, b = inputs
            return a * b, lambda dy: ([dy * b, dy * a], [])

    report = check_layer(Product(), keras.layers.Multiply(), [(5, 3), (5, 3)])
    assert report.ok
    assert [row.name for row in report.rows][:2] == ["x0", "x1"]


def test_keras_traces_a_convolution_in_groups_once_in_each_dtype(monkeypatch):
    """It compiles such a convolution whenever its code runs, and never lets go of what it made."""
    traced, convolve = [], keras.src.backend.nn.conv

    def counted(inputs, *arguments, **settings):
        traced.append((inputs.dtype, inputs.shape))
        return convolve(inputs, *arguments, **settings)

    sides = scratch.convolution.Conv2D(4, 2, groups=2), keras.layers.Conv2D(4, 2, groups=2)
    for side in sides:
        side.build((3, 5, 4, 2))
    monkeypatch.setattr(keras.src.backend.nn, "conv", counted)
    assert check_layer(*sides, (3, 5, 4, 2)).ok
    assert len(traced) == 3  # in float64 once more, to build that layer


WEIGHTS = {"w": np.array([0.0, 1.0, 2.0, -3.0, 4.0])}  # one lies on the kink of abs


def penalized(slope):
    return lambda w: (np.sum(w**2) + np.abs(w).sum(), lambda dy: dy * (2 * w + slope(w)))


@pytest.mark.parametrize("seed", range(5))
def test_an_input_on_a_kink_does_not_blind_the_arbiter(seed):
    """numpy's abs drops imaginary parts, which differences find out off the kink."""
    assert check_gradients(penalized(np.sign), None, WEIGHTS, seed=seed).ok
    report = check_gradients(penalized(np.zeros_like), None, WEIGHTS, seed=seed)
    assert report.verdict == "mismatch"
    assert "-1 times dy * sign(w): the gradient of an L1 penalty was left out" in report.causes[0]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (np.abs(x), lambda dy: dy * np.sign(x)),
        lambda x: (np.maximum(x, 0) + x * x, lambda dy: dy * ((x > 0) + 2 * x)),
    ],
)
def test_ties_are_no_alarm_without_a_reference(function):
    assert check_gradients(function, None, {"x": "5x4:ties"}).ok


def test_a_steep_function_of_small_values_is_no_sign_of_another_call():
    def steep(x):
        return 1e-8 * np.sin(x / 1e-8), lambda dy: dy * np.cos(x / 1e-8)

    report = check_gradients(steep, lambda x: 1e-8 * tf.sin(x * 1e8), {"x": "5x3"})
    assert report.verdict == "match", report


def test_a_gradient_that_moves_no_bit_of_the_value_is_vacuous():
    def with_a_vanishing_bias(x, bias):
        return x + 1e-20 * bias, lambda dy: (dy.copy(), 1e-20 * dy)

    report = check_gradients(
        with_a_vanishing_bias, lambda x, b: x + 1e-20 * b, {"x": "5x3", "bias": "5x3"}
    )
    assert [row.verdict for row in report.rows] == ["identical", "vacuous"]


@pytest.mark.parametrize("seed", [6002, 6051, 6095, 6110])
def test_what_rounding_leaves_of_small_numbers_is_no_gradient(seed):
    """The similarity of single numbers is a sign: Keras's gradient of it is 1 / |x| - x² / |x|³."""
    of = {"axis": 0, "dtype": "float64"}
    report = check_gradients(
        scratch.losses.CosineSimilarity(**of).forward,
        keras.losses.CosineSimilarity(**of),
        {"y_true": "1x5", "y_pred": "1x5"},
        constant=("y_true",),
        seed=seed,
    )
    assert report.verdict == "vacuous", report


def test_what_a_function_returned_stays_when_it_writes_to_the_same_memory_again():
    value, gradient = np.empty(3), np.empty(3)

    def square(x):
        return np.multiply(x, x, out=value), lambda dy: np.multiply(2 * x, dy, out=gradient)

    subject = Subject("square", square, ["x"], [0])
    first = subject.both([np.arange(3.0)], [np.ones(3)])
    subject.both([np.ones(3)], [np.ones(3)])
    assert np.array_equal(first, [[[0, 1, 4]], [[0, 2, 4]]])


def test_bits_are_compared_in_every_piece():
    a = np.zeros(3 * PIECE)
    b = a.copy()
    b[-1] = -0.0
    assert same(a, a.copy())
    assert not same(a, b)


def test_a_large_range_is_no_sign_of_another_call():
    exp = lambda x: (np.exp(x), lambda dy: dy * np.exp(x))  # noqa: E731
    assert check_gradients(exp, None, {"x": np.linspace(-700, 700, 31)}).ok


@pytest.mark.parametrize("reference", [None, lambda x: (2 * x, x > 0)])
def test_truth_values_among_the_outputs(reference):
    function = lambda x: ([2 * x, x > 0], lambda dys: 2 * dys[0])  # noqa: E731
    assert check_gradients(function, reference, {"x": (3, 2)}).ok


def test_an_empty_input_named_zero():
    double = lambda x: (2 * x, lambda dy: 2 * dy)  # noqa: E731
    assert check_gradients(double, None, {"x": (0, 3)}, zero=["x"]).ok


def test_values_that_are_not_finite_are_called_so():
    double = lambda x: (2 * x, lambda dy: 2 * dy)  # noqa: E731
    report = check_gradients(double, lambda x: 2 * x, {"x": np.array([1.0, np.inf])})
    assert (report.verdict, report.causes) == (
        "vacuous",
        ["x proves nothing: the value is not finite on these inputs"],
    )
    log = lambda x: (np.log(x), lambda dy: dy / x)  # noqa: E731
    report = check_gradients(log, tf.math.log, {"x": np.array([1.0, -1.0])})
    assert report.causes[0].startswith("forward: its value is nan, and so is the reference's: [1]")


class PlainDense:
    """Without names for its weights."""

    def __init__(self):
        self.trainable_weights = [np.ones((4, 3)), np.zeros(3)]

    def forward(self, x):
        kernel, bias = self.trainable_weights
        return x @ kernel + bias, lambda dy: (dy @ kernel.T, [x.T @ dy, dy.sum(axis=0)])


@pytest.mark.parametrize(
    ("units", "settings"), [(2, {}), (3, {"use_bias": False}), (3, {"trainable": False})]
)
def test_weights_that_do_not_fit_without_names(units, settings):
    twin = keras.layers.Dense(units, **settings)
    with pytest.raises(ValueError, match=re.escape("has weights of shapes [(4, 3), (3,)], the K")):
        check_layer(PlainDense(), twin, (6, 4), dtype="float64")


def test_a_seed_of_numpy_goes_into_json():
    double = lambda x: (2 * x, lambda dy: 2 * dy)  # noqa: E731
    assert json.dumps(check_gradients(double, None, {"x": (3,)}, seed=np.int64(3)).to_dict())


def test_a_reference_of_numpy_is_called_so():
    square = lambda x: (x * x, lambda dy: 2 * x * dy)  # noqa: E731
    report = check_gradients(square, lambda x: np.square(x), {"x": (3,)})
    assert "returns NumPy's arrays, which no tape follows" in report.error
