"""The studies: both sides agree, a change on one side shows, and what the pictures say is true."""

import functools
import json
from dataclasses import replace

import numpy as np
import pytest
from matplotlib import image

import scratch
from comparisons import cli
from comparisons.report import plots
from comparisons.results import GOOD_VERDICTS
from comparisons.studies import STUDIES, blobs_and_moons, bowl, deep_stacks, judgement, load

NAMED = {study.name: study for study in STUDIES}
every_study = pytest.mark.parametrize("name", NAMED)


def result(name, dtype="float64", seed=0):
    return _run(name, dtype, seed)


@functools.cache
def _run(name, dtype, seed):
    return judgement.run(NAMED[name], dtype, seed)


def verdicts(found):
    return {row.name: row.verdict for row in found.arrays}


@every_study
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_both_sides_agree(name, dtype):
    found = result(name, dtype)
    assert found.verdict in GOOD_VERDICTS, verdicts(found)
    assert all(array.dtype == dtype for array in (*found.here.values(), *found.there.values()))


@pytest.mark.parametrize("name", ["activation-histograms", "deep-stacks"])
@pytest.mark.parametrize("seed", [1, 2])
def test_they_agree_from_other_seeds_whose_numbers_differ(name, seed):
    found = result(name, seed=seed)
    assert found.verdict in GOOD_VERDICTS, verdicts(found)
    others = result(name).here
    assert not any(np.array_equal(array, others[key]) for key, array in found.here.items())


@every_study
def test_noise_leaves_no_room_for_a_mistake(name):
    assert all(row.noise < 1e-9 for row in result(name).arrays)


def test_what_draws_nothing_has_no_seed():
    assert result("maps").seed is None
    assert result("maps").caption == "maps, float64"
    assert result("deep-stacks").caption == "deep-stacks, float64, seed 0"


# a change on one side


def _bowl_without_its_2(monkeypatch):
    bowl_of = scratch.descent.bowl

    def wrong(x):
        y, backward = bowl_of(x)
        return y, lambda dy: backward(dy) * np.array([1, 0.5])

    monkeypatch.setattr(scratch.descent, "bowl", wrong)


def _larger_rate(monkeypatch):
    descend = scratch.descent.gradient_descent

    def larger(x, gradient, learning_rate, steps):
        return descend(x, gradient, learning_rate * (1 + 1e-12), steps)

    monkeypatch.setattr(scratch.descent, "gradient_descent", larger)


def _xavier_for_he(monkeypatch):
    monkeypatch.setattr(scratch.initializers, "HeUniform", scratch.initializers.GlorotUniform)


def _longer_cos(monkeypatch):
    cos = scratch.activations.cos
    monkeypatch.setattr(scratch.activations, "cos", lambda x: cos(x * (1 + 1e-12)))


def _shifted_or(monkeypatch):
    gate = scratch.perceptrons.or_gate
    monkeypatch.setattr(scratch.perceptrons, "or_gate", lambda x: gate(x - 0.02))


def _other_epsilon(monkeypatch):
    adam = functools.partial(scratch.optimizers.Adam, epsilon=1e-8)
    monkeypatch.setattr(scratch.optimizers, "Adam", adam)


def _rotated_to_the_right(monkeypatch):
    rotate = scratch.tensors.rotate
    monkeypatch.setattr(scratch.tensors, "rotate", lambda x, angle: rotate(x, -angle))


@pytest.mark.parametrize(
    ("name", "change", "changed"),
    [
        ("bowl", _bowl_without_its_2, "SGD Momentum AdaGrad Adam".split()),
        ("learning-rates", _larger_rate, ["too small", "right", "swings", "too large"]),
        ("activation-histograms", _xavier_for_he, ["sigmoid, He", "tanh, He", "relu, He"]),
        ("deep-stacks", _longer_cos, ["cos"]),
        ("xor", _shifted_or, ["or", "xor"]),
        ("maps", _rotated_to_the_right, ["rotated"]),
        (
            "blobs-and-moons",
            _other_epsilon,
            [f"{d}, network, {of}" for d in ("blobs", "moons") for of in ("plane", "test")],
        ),
    ],
)
def test_a_change_on_one_side_is_a_mismatch_of_what_it_changes(name, change, changed, monkeypatch):
    monkeypatch.setattr(blobs_and_moons, "STEPS", 5)
    change(monkeypatch)
    found = judgement.run(NAMED[name])
    assert found.verdict == "mismatch"
    wrong = [row for row in found.arrays if row.verdict == "mismatch"]
    assert [row.name for row in wrong] == changed
    assert all("scratch has" in row.cause for row in wrong)


def test_another_shape_is_a_mismatch(monkeypatch):
    translate = scratch.tensors.translate
    monkeypatch.setattr(scratch.tensors, "translate", lambda *a: (translate(*a)[0][:-1], None))
    assert judgement.run(NAMED["maps"]).arrays[0].max_error == float("inf")


# what the pictures say


def test_sgd_zigzags_across_the_valley_and_the_others_do_not():
    paths = result("bowl").here
    crossings = {name: bowl.crossings_of_the_valley(path) for name, path in paths.items()}
    assert crossings.pop("SGD") == 30
    assert max(crossings.values()) <= 4
    # and it walks further for where it comes to
    lengths = {name: np.linalg.norm(np.diff(p, axis=0), axis=1).sum() for name, p in paths.items()}
    assert max(lengths, key=lengths.__getitem__) == "SGD"


def test_a_learning_rate_is_too_small_right_or_too_large():
    apart = {name: np.abs(path - 0.4) for name, path in result("learning-rates").here.items()}
    assert apart["too small"][-1] > 0.5 * apart["too small"][0]
    assert apart["right"][-1] < 1e-6
    assert (np.diff(apart["too large"]) > 0).all()
    signs = np.sign(result("learning-rates").here["swings"] - 0.4)
    assert (signs[1:] == -signs[:-1]).all()


def _last(name):
    return result("activation-histograms").here[name][-1]


def test_weights_of_stddev_1_saturate_sigmoid_and_tanh():
    sigmoid = _last("sigmoid, stddev 1")
    assert np.mean((sigmoid < 0.05) | (sigmoid > 0.95)) > 0.5
    assert np.mean(np.abs(_last("tanh, stddev 1")) > 0.95) > 0.7


def test_weights_of_stddev_001_make_all_outputs_alike():
    assert np.std(_last("tanh, stddev 0.01")) < 1e-4
    assert np.std(_last("relu, stddev 0.01")) < 1e-4
    # sigmoid's outputs of one unit are the same for every sample
    assert np.std(_last("sigmoid, stddev 0.01"), axis=0).max() < 1e-6


def test_xavier_and_he_keep_outputs_spread():
    layers = result("activation-histograms").here
    assert 0.3 < np.std(_last("tanh, Xavier")) < 0.6
    assert np.mean(np.abs(_last("tanh, Xavier")) > 0.95) < 0.05
    he, xavier = (layers[f"relu, {scale}"].std(axis=(1, 2)) for scale in ("He", "Xavier"))
    assert he[-1] > 0.5 * he[0]
    assert xavier[-1] < 0.5 * xavier[0]  # it is made for tanh: relu halves the variance


def test_outputs_grow_with_depth_without_activations_alone():
    outputs = result("deep-stacks").here
    # the variance of He's weights is 2 / fan_in: a factor of √2 for each of nine further layers
    assert deep_stacks.growth(outputs["linear"]) == pytest.approx(2**4.5, rel=0.5)
    for name in ("tanh", "sigmoid", "cos", "step"):
        assert np.abs(outputs[name]).max() <= 1
    unit = outputs["linear"][-1, :, 0]  # ten layers are a line: its second differences are rounding
    assert np.abs(np.diff(unit, 2)).max() < 1e-12 * np.abs(unit).max()


def test_ten_layers_of_sigmoid_forget_their_input():
    spread = np.ptp(result("deep-stacks").here["sigmoid"], axis=1).max(axis=1)
    assert spread[0] > 0.9
    assert spread[-1] < 1e-3
    assert set(np.unique(result("deep-stacks").here["step"])) == {0, 1}


def test_a_gate_is_a_line_and_xor_is_not():
    found = result("xor")
    points, gates = found.inputs["points"], found.here
    for name in ("and", "or", "nand"):
        one, other = (points[gates[name] == y].sum(axis=1) for y in (1, 0))
        assert one.min() > other.max() or one.max() < other.min()
    assert np.array_equal(gates["xor"], gates["or"] * gates["nand"])
    sums = points.sum(axis=1)
    assert np.array_equal(gates["xor"] == 1, (sums > 0.4) & (sums < 1.4))


def test_a_line_parts_blobs_and_a_network_alone_parts_moons():
    found = result("blobs-and-moons")
    right = {
        (name, model): blobs_and_moons.accuracy(
            found.here[f"{name}, {model}, test"], found.inputs[f"{name}_y_test"]
        )
        for name in blobs_and_moons.DATASETS
        for model in blobs_and_moons.MODELS
    }
    assert min(right["blobs", model] for model in blobs_and_moons.MODELS) > 0.99
    assert right["moons", "linear regression"] < 0.9
    assert right["moons", "logistic regression"] < 0.9
    assert right["moons", "network"] > 0.99


def test_maps_do_what_their_names_say():
    found = result("maps")
    before, after = found.inputs["points"], found.here
    assert np.array_equal(after["translated"], before + np.array([1.5, 1.0]))
    lengths = [np.linalg.norm(points, axis=1) for points in (before, after["rotated"])]
    np.testing.assert_allclose(*lengths, rtol=4 * np.finfo(float).eps)
    assert np.array_equal(after["linear map"][0], [0, 0])
    # two products of two terms and two sums: a few roundings of numbers below 8
    eps = np.finfo(float).eps
    np.testing.assert_allclose(
        after["two affine maps"], after["the two in one"], rtol=0, atol=8 * 8 * eps
    )


# pictures


@every_study
def test_a_picture_shows_both_sides(name, tmp_path):
    found = result(name)
    (path,) = plots.draw_study(found, tmp_path / "new")
    assert path.name == f"{name}-float64.png"
    pixels = image.imread(path)
    assert np.std(pixels) > 0.05
    for side in ("here", "there"):
        half = {key: array / 2 for key, array in getattr(found, side).items()}
        (other,) = plots.draw_study(replace(found, **{side: half}), tmp_path / side)
        assert not np.array_equal(image.imread(other), pixels)


@every_study
def test_lines_have_a_key_and_panels_a_title(name):
    figure = load(name).draw(result(name))
    assert all(axes.get_title(loc="left") or axes.get_title() for axes in figure.axes)
    words = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    titles = [axes.get_title() + axes.get_ylabel() for axes in figure.axes]
    for side in ("scratch", "Keras"):
        assert side in words or any(side in title for title in titles)


# the command


def test_the_command_compares_draws_and_records(tmp_path, capsys):
    file, directory = tmp_path / "r.json", tmp_path / "plots"
    names = ["maps", "deep-stacks"]
    options = ["--seed", "3", "--json", str(file), "--plots", str(directory)]
    assert cli.run(["compare", *names, *options]) == 0
    out = capsys.readouterr().out
    assert "twofold compare deep-stacks --dtype float64 --seed 3\n" in out
    assert "twofold compare maps --dtype float64\n" in out
    assert "2 studies: 2 match\n" in out
    assert "10x121x30" in out
    studies = json.loads(file.read_text())["studies"]
    assert [(row["name"], row["seed"]) for row in studies] == [("deep-stacks", 3), ("maps", None)]
    assert {row["dtype"] for row in studies} == {"float64"}
    assert set(studies[0]["arrays"][0]) >= {"name", "max_error", "noise", "verdict"}
    assert sorted(p.name for p in directory.iterdir()) == [
        "deep-stacks-float64.png",
        "maps-float64.png",
    ]


def test_a_mismatch_is_told_with_its_cause_and_ends_with_status_1(monkeypatch, capsys):
    _rotated_to_the_right(monkeypatch)
    assert cli.run(["compare", "maps", "--dtype", "float32"]) == 1
    out = capsys.readouterr().out
    assert "\nmismatch\n" in out
    assert "  - rotated: at [" in out
    assert "twofold compare maps --dtype float32\n" in out
