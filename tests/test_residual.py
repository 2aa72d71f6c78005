"""Residual blocks against their Keras twin: weights, shortcuts, and what frees them of layers."""

import numpy as np
import pytest

import reference
import scratch
from comparisons import bugs
from comparisons.experiments import EXPERIMENTS
from comparisons.gradients import check_layer
from comparisons.training import compare
from comparisons.training.kinks import kinks

RNG = np.random.default_rng(21)
IMAGES = RNG.standard_normal((2, 5, 7, 3)).astype("float32")


def twins(**arguments):
    """The block on both sides from one seed, built for IMAGES."""
    blocks = []
    for side in (scratch, reference):
        side.random.set_random_seed(4)
        blocks.append(side.residual.ResidualBlock(**arguments, name="block"))
        blocks[-1](IMAGES)
    return blocks


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({"filters": 3}, (2, 5, 7, 3)),
        ({"filters": 4}, (2, 5, 7, 4)),
        ({"filters": 3, "strides": 2}, (2, 3, 4, 3)),
        ({"filters": 4, "strides": 2}, (2, 3, 4, 4)),
    ],
)
def test_a_block_starts_and_ends_as_its_twin(arguments, shape):
    """From the same bits, under the same names; y sums 27 or 36 products twice."""
    here, there = twins(**arguments)
    assert here.weight_paths() == [variable.path for variable in there.weights]
    pairs = zip(here.weights, there.get_weights(), strict=True)
    assert all(np.array_equal(mine, theirs) for mine, theirs in pairs)
    y, expected = here(IMAGES), there(IMAGES).numpy()
    assert y.shape == here.compute_output_shape(IMAGES.shape) == shape
    assert np.abs(y - expected).max() <= 72 * np.finfo("float32").eps * np.abs(expected).max()


def test_the_shortcut_is_projected_only_where_shapes_differ():
    assert twins(filters=3)[0].projection is None
    assert twins(filters=3, strides=2)[0].projection.kernel.shape == (1, 1, 3, 3)
    assert twins(filters=4)[0].projection.bias is None


def test_a_block_whose_convolutions_are_zero_is_its_shortcut():
    block = scratch.residual.ResidualBlock(3)
    block(IMAGES)
    block.set_weights([np.zeros_like(weight) for weight in block.weights])
    y, backward = block.forward(IMAGES)
    dy = RNG.standard_normal(y.shape).astype("float32")
    assert np.array_equal(y, np.maximum(IMAGES, 0))
    assert np.array_equal(backward(dy)[0], dy * (IMAGES > 0))


def test_a_frozen_convolution_has_no_gradients_and_passes_them_on():
    here, there = twins(filters=4)
    here.first.trainable = there.first.trainable = False
    assert here.trainable_paths() == [variable.path for variable in there.trainable_weights]
    assert check_layer(here, there, IMAGES.shape).ok


def test_without_dx_the_gradients_are_the_same():
    block = twins(filters=4)[0]
    y, backward = block.forward(IMAGES)
    dx, gradients = backward(y)
    nothing, same = backward(y, needs_dx=False)
    assert dx.shape == IMAGES.shape
    assert nothing is None
    assert all(np.array_equal(a, b) for a, b in zip(gradients, same, strict=True))


def test_flips_are_searched_behind_both_relus():
    network = scratch.network.Sequential([scratch.residual.ResidualBlock(3)])
    network(IMAGES)
    assert [kink.layer.name for kink in kinks(network)] == ["residual_block", "first"]


def test_images_of_another_width_are_refused():
    block = twins(filters=3)[0]
    with pytest.raises(ValueError, match=r"first takes 3 channels, not \(2, 5, 7, 2\)"):
        block(IMAGES[..., :2])


RESNET = next(experiment for experiment in EXPERIMENTS if experiment.name == "resnet")


def test_a_residual_network_matches_in_float64():
    result = compare(RESNET, dataset="digits", dtype="float64", epochs=2)
    assert result.verdict == "match", result.causes
    assert result.initial_weights_identical
    assert result.predictions_agreeing == result.test_examples
    assert result.max_weight_difference <= 1e-12


def test_a_shortcut_without_its_gradient_is_a_mismatch_of_trainings():
    """Its own weights have theirs: wrong is all that lies before the last block."""
    with bugs.planted(bugs.find("shortcut-has-no-way-back")):
        result = compare(RESNET, dataset="digits", epochs=1)
    assert result.verdict == "mismatch"
    right = [row.weight for row in result.gradients if row.verdict == "match"]
    assert {path.split("/")[0] for path in right} == {"residual_block_1", "dense"}
    assert len(right) == len(result.gradients) - 6
