"""The pictures: which are drawn, and that they show what the result holds."""

import subprocess
import sys

import numpy as np
import pytest
from fakes import experiment_result
from matplotlib import image

from comparisons.report import plots
from comparisons.results import Samples


def lines(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def test_a_result_makes_three_png_files(tmp_path):
    paths = plots.draw(experiment_result(epochs=2, steps_per_epoch=9), tmp_path / "new")
    names = ["mlp-float32-training.png", "mlp-float32-weights.png", "mlp-float32-predictions.png"]
    assert [path.name for path in paths] == names
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(names)
    for path in paths:
        pixels = image.imread(path)
        assert pixels.shape[0] > 400
        assert np.std(pixels) > 0.05


def test_a_picture_that_cannot_be_made_leaves_no_file(tmp_path):
    result = experiment_result(epochs=2, steps_per_epoch=9)
    result.samples.outputs.pop("reference")
    with pytest.raises(KeyError):
        plots.draw(result, tmp_path)
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ["mlp-float32-training.png", "mlp-float32-weights.png"]


def test_a_run_that_failed_has_no_pictures(tmp_path):
    result = experiment_result(epochs=2, steps_per_epoch=9)
    result.samples.outputs.clear()
    assert plots.draw(result, tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_inputs_that_are_no_images_are_not_drawn(tmp_path):
    result = experiment_result(epochs=2, steps_per_epoch=9)
    result.samples = Samples(np.zeros((10, 2)), result.samples.labels, result.samples.outputs)
    assert len(plots.draw(result, tmp_path)) == 2


def test_training_shows_the_three_sides_apart_in_colour_dash_and_width():
    result = experiment_result(epochs=4, steps_per_epoch=9)
    losses, accuracies = plots.training(result).axes
    for axes, name in ((losses, "loss"), (accuracies, "accuracy")):
        drawn = lines(axes)
        sides = {"scratch": "scratch", "reference": "tape loop", "keras": "model.fit"}
        for side, label in sides.items():
            assert label in drawn
            if axes is losses:
                assert list(drawn[label].get_ydata()) == result.curves.history[side][name]
        looks = {
            (drawn[label].get_color(), drawn[label].get_linewidth()) for label in sides.values()
        }
        assert len(looks) == 3
    shown = [list(line.get_ydata()) for line in accuracies.get_lines()]
    for side in ("scratch", "reference", "keras"):
        assert result.curves.history[side]["accuracy"] in shown
        assert result.curves.history[side]["val_accuracy"] in shown


def test_the_title_tells_accuracies_apart_when_they_differ():
    accuracy = {"scratch": 0.98, "reference": 0.98, "keras": 0.9785}
    equal, different = (
        plots.training(experiment_result(epochs=1, steps_per_epoch=9, **changes))
        .texts[0]
        .get_text()
        for changes in ({}, {"accuracy": accuracy})
    )
    assert equal == "Test accuracy 0.9811 for all three"
    assert different == "Test accuracy 0.9800 for scratch, the others within 0.0015"


def test_weights_are_on_a_log_scale_with_the_first_divergence_marked():
    result = experiment_result(epochs=4, steps_per_epoch=30)
    (axes,) = plots.weights(result).axes
    drawn = lines(axes)
    difference = drawn["scratch, and the tape loop"].get_ydata()
    assert axes.get_yscale() == "log"
    assert np.isnan(difference[:2]).all()
    assert list(difference[2:]) == result.curves.weight_difference[2:]
    assert any(list(line.get_xdata()) == [40, 40] for line in axes.get_lines())
    assert "a ReLU flip" in axes.texts[0].get_text().replace("\n", " ")


@pytest.mark.filterwarnings("error")
def test_runs_that_never_part_or_blow_up_are_drawn_as_well(tmp_path):
    same = experiment_result(epochs=1, steps_per_epoch=9, dtype="float64", side=2)
    same.curves.weight_difference = [0.0] * 9
    assert len(plots.draw(same, tmp_path)) == 2
    lost = experiment_result(epochs=1, steps_per_epoch=9, side=2)
    lost.curves.weight_difference[4:] = [float("inf")] * 5
    lost.curves.loss["scratch"][4:] = [float("nan")] * 5
    assert len(plots.draw(lost, tmp_path)) == 2


def test_predictions_say_what_both_sides_said():
    result = experiment_result(side=8, epochs=1, steps_per_epoch=9)
    figure = plots.predictions(result)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert figure.texts[0].get_text() == "Scratch and Keras agree on 9 of the first 10 test digits"
    assert titles[0] == "7: both say 7"
    assert titles[8] == "5: scratch 5, Keras 6"
    first = figure.axes[0].get_images()[0].get_array()
    assert np.array_equal(first, result.samples.features[0].reshape(8, 8))
    heights = [bar.get_height() for bar in figure.axes[5].patches]
    assert heights[:10] == list(result.samples.outputs["scratch"][0])
    assert heights[10:] == list(result.samples.outputs["reference"][0])


def test_importing_plots_does_not_import_matplotlib():
    code = "import sys, comparisons.report.plots; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def variant(name, accuracy=0.9, **changes):
    accuracies = dict.fromkeys(("scratch", "reference", "keras"), accuracy)
    return experiment_result(
        "study", epochs=3, steps_per_epoch=4, variant=name, accuracy=accuracies, **changes
    )


def test_variants_share_one_picture_in_which_both_sides_are_drawn(tmp_path):
    results = [variant("SGD"), variant("Adam", 0.95)]
    figure = plots.variants(results)
    assert figure.texts[0].get_text() == "Adam ends best on the test set, at 0.9500"
    assert figure.axes[0].get_title() == "Training loss"
    both = [(result, side) for result in results for side in ("scratch", "reference")]
    losses = [line.get_ydata() for line in figure.axes[0].get_lines()]
    assert all(map(np.array_equal, losses, [result.curves.loss[side] for result, side in both]))
    for axes, name in zip(figure.axes[1:], ("accuracy", "val_accuracy"), strict=True):
        drawn = [list(line.get_ydata()) for line in axes.get_lines()]
        assert drawn == [result.curves.history[side][name] for result, side in both]


def test_the_losses_of_many_steps_are_averaged_over_even_stretches():
    epochs, means = plots._smoothed([1.0, 3.0, 5.0, 7.0], epochs=2, points=2)
    assert list(means) == [2.0, 6.0]
    assert list(epochs) == [0.5, 1.5]


def test_variants_are_written_as_png(tmp_path):
    results = [variant("SGD"), variant("Adam", 0.95)]
    (path,) = plots.draw_variants(results, tmp_path)
    assert path.name == "study-float32.png"
    assert np.std(image.imread(path)) > 0.05


def test_many_variants_are_drawn_in_panels(tmp_path):
    starts, kinds = ("stddev 1", "stddev 0.1", "stddev 0.01"), ("with", "without")
    cases = [(start, kind) for start in starts for kind in kinds]
    results = [variant(f"{start}, {kind}", 0.5) for start, kind in cases]
    figure = plots.panels(results)
    assert tuple(axes.get_title() for axes in figure.axes) == starts
    assert all(len(axes.lines) == 2 * len(kinds) for axes in figure.axes)
    for result in results:
        result.name = "batch-norm"
    (path,) = plots.draw_variants(results, tmp_path)
    assert path.name == "batch-norm-float32.png"


def test_a_search_is_a_map_of_rates_and_decays():
    grid = [variant(f"grid, rate {rate:g}, decay 1e-06", 0.5) for rate in (0.001, 0.01, 0.1)]
    drawn = [variant(f"random, rate {rate:g}, decay 3e-07", 0.6) for rate in (0.002, 0.02, 0.2)]
    figure = plots.search([*grid, *drawn, variant("random, rate 0.03, decay 2e-05", 0.7)])
    assert figure.texts[0].get_text().endswith("random, rate 0.03, decay 2e-05, 0.70")
    squares, circles = figure.axes[0].collections
    assert squares.get_offsets()[:, 0].tolist() == [0.001, 0.01, 0.1]
    assert circles.get_array().tolist() == [0.6, 0.6, 0.6, 0.7]


def test_points_in_the_plane_are_drawn_over_both_sides_outputs(tmp_path):
    result = experiment_result(epochs=2, steps_per_epoch=9)
    outputs = {"scratch": np.eye(5), "reference": 1 - np.eye(5)}
    points, labels = np.random.default_rng(0).random((8, 2)), np.array([0, 1] * 4)
    result.samples = Samples(points, labels, result.samples.outputs, outputs)
    shown = [axes.get_images()[0].get_array() for axes in plots.decision_map(result).axes]
    expected = [np.eye(5), np.eye(5) > 0.5, 1 - np.eye(5), np.eye(5) < 0.5]
    assert all(map(np.array_equal, shown, expected))
    assert "mlp-float32-map.png" in [path.name for path in plots.draw(result, tmp_path)]
