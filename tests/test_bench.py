"""The benchmark: what it times, in which order, and the ratios it makes of it."""

import json
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pytest

from comparisons import bench, cli
from comparisons.experiments import EXPERIMENTS
from comparisons.report import terminal
from comparisons.training import setup

MLP = EXPERIMENTS[0]
SECONDS = {
    "scratch": [2.0, 1.0, 1.5],
    "fit": [2.0, 4.0, 3.0],
    "compiled": [2.0, 2.0, 2.0],
    "eager": [0.9, 1.0, 0.8],  # of a round with fewer steps
}
MEMORY = {"scratch": 150_000_000, "fit": 600_000_000}
DIGITS = next(row for row in EXPERIMENTS if row.name == "digits")


@pytest.fixture
def offline(monkeypatch):
    """auto finds no MNIST."""
    load = setup.datasets.load

    def load_offline(name, data=None):
        dataset = load("digits" if name == "auto" else name, data)
        dataset.reason = "digits, because there is no network"
        return dataset

    monkeypatch.setattr(setup.datasets, "load", load_offline)


def test_sides_take_turns_after_a_warm_up_that_does_not_count(monkeypatch):
    turns, shown = [], []
    monkeypatch.setattr(bench, "PAUSE", 0.0)
    trainers = {side: lambda side=side: turns.append(side) for side in "abc"}
    seconds = bench.interleaved(trainers, 2, lambda *progress: shown.append(progress), "mlp")
    assert "".join(turns) == "abc" * 3
    assert {side: len(values) for side, values in seconds.items()} == {"a": 2, "b": 2, "c": 2}
    assert shown == [
        (0, 3, "mlp, warm-up"),
        (1, 3, "mlp, round 1 of 2"),
        (2, 3, "mlp, round 2 of 2"),
    ]


def test_an_interrupted_benchmark_says_how_many_rounds_it_had(monkeypatch):
    monkeypatch.setattr(bench, "PAUSE", 0.0)
    calls = iter([None, None])

    def train():
        if next(calls, "end") == "end":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="mlp: interrupted after 1 of 5 rounds"):
        bench.interleaved({"scratch": train}, 5, lambda *progress: None, "mlp")


def test_ratios_are_of_the_best_rounds_and_of_the_medians(offline):
    task = bench.workload(DIGITS, None, None, "float32")
    entry = bench._entry(task, SECONDS, MEMORY)
    assert (entry["name"], entry["dtype"], entry["rounds"]) == ("digits", "float32", 3)
    eager = (1 / 225) / (0.8 / 20), (1.5 / 225) / (0.9 / 20)
    ratios = [entry[key] for key in ("to_fit", "to_compiled", "to_eager")]
    assert ratios == pytest.approx([0.5, 0.5, eager[0]])
    medians = {"to_fit": 0.5, "to_compiled": 0.75, "to_eager": eager[1]}
    assert entry["medians"] == pytest.approx(medians)
    assert entry["memory"] == 0.25
    assert entry["spread"] == (1.0 - 0.25) / 0.5
    assert entry["steps"] == 5 * 45
    assert entry["milliseconds"]["scratch"] == 1e3 / entry["steps"]


def test_a_round_has_its_number_of_steps_and_hardly_more(offline):
    mlp, digits = (bench.workload(row, None, None, "float32") for row in (MLP, DIGITS))
    rounds = [bench.shortened(mlp, "fit"), bench.shortened(digits, "fit")]
    assert [(part.steps_per_epoch, part.epochs) for part in rounds] == [(200, 1), (45, 5)]
    eager = bench.shortened(digits, "eager")
    assert (eager.steps_per_epoch, eager.epochs) == (20, 1)


def test_without_mnist_images_of_its_shape_are_drawn_at_random(offline):
    task = bench.workload(replace(MLP, one_hot=True), None, None, "float32")
    assert (task.x_train.shape, task.x_train.dtype) == ((60000, 784), np.float32)
    assert 0 <= task.x_train.min() < task.x_train.max() <= 1
    assert task.y_train.shape == (60000, 10)
    assert task.reason == "random images of MNIST's shape, because there is no network"


def test_a_data_set_that_was_named_is_used(offline):
    assert bench.workload(DIGITS, None, None, "float64").x_train.shape == (1437, 64)
    assert bench.workload(MLP, None, "digits", "float64").x_train.shape == (1437, 64)


def test_memory_is_of_a_process_of_its_own():
    held = np.ones(60_000_000)  # 480 MB, which ru_maxrss of a child would include
    megabytes = bench.peak_memory("scratch", DIGITS, None, None, "float32") / 1e6
    assert 20 < megabytes < held.nbytes / 1e6


def test_a_side_that_fails_alone_shows_why():
    with pytest.raises(RuntimeError, match="KeyError: 'nobody'"):
        bench.peak_memory("nobody", DIGITS, None, None, "float32")


def test_only_the_compiled_tape_loop_is_compiled():
    task = bench.workload(DIGITS, None, None, "float32")
    compiled, eager = (train(task).func.__self__ for train in (bench._compiled, bench._eager))
    assert hasattr(compiled.step, "get_concrete_function")
    assert eager.run_eagerly
    assert not hasattr(eager.step, "get_concrete_function")


def test_the_environment_names_the_machine():
    environment = bench.environment()
    assert {"python", "numpy", "tensorflow", "keras", "cpu", "cores", "blas"} <= set(environment)
    assert "OPENBLAS_CORETYPE" in environment
    assert all(environment[name] for name in ("cpu", "cores", "blas"))


def test_the_command_prints_ratios_and_writes_them(offline, monkeypatch, tmp_path, capsys):
    def measure(experiment, dtype, rounds, progress):
        return bench._entry(bench.workload(experiment, None, None, dtype), SECONDS, MEMORY)

    monkeypatch.setattr(terminal, "start_tensorflow", lambda: None)
    monkeypatch.setattr(bench, "measure", measure)
    file = tmp_path / "bench.json"
    assert cli.run(["bench", "digits", "--json", str(file), "--dtype", "float64"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "digits, because there is no network"
    row = next(line for line in out if line.startswith("  digits"))
    assert row.split() == ["digits", "float64", "0.50", "0.50", "0.11", "0.25", "150%"]
    record = json.loads(file.read_text())
    assert record["bench"][0]["to_fit"] == 0.5
    assert record["twofold"] == version("twofold")
    assert record["environment"]["cpu"] in "\n".join(out)


def test_without_names_the_command_times_one_network_of_each_kind(offline, monkeypatch):
    timed = []

    def measure(experiment, dtype, rounds, progress):
        timed.append(experiment.name)
        return bench._entry(bench.workload(DIGITS, None, None, dtype), SECONDS, MEMORY)

    monkeypatch.setattr(terminal, "start_tensorflow", lambda: None)
    monkeypatch.setattr(bench, "measure", measure)
    assert cli.run(["bench"]) == 0
    assert {"mlp", "convnet", "lstm"} <= set(timed) <= set(bench.NAMES)


@pytest.mark.slow
def test_a_real_benchmark_of_a_small_network():
    entry = bench.measure(DIGITS, rounds=2)
    assert 0 < entry["to_eager"] < 1
    assert 0 < entry["memory"] < 1
    assert set(entry["milliseconds"]) == {"scratch", "fit", "compiled", "eager"}
