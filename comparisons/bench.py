"""scratch timed beside Keras: rounds of training in turns, and the memory of each alone.

Four ways to train one network on the same batches: scratch's fit, Keras's model.fit, and the
GradientTape loop of reference.network, compiled by tf.function and eager.
"""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import scratch.config

from .experiments import EXPERIMENTS, Experiment
from .precision import floatx
from .results import versions
from .training.setup import Task, prepare

NAMES = ("mlp", "convnet", "deep-convnet", "lstm", "batch-norm")  # timed where none are named
MNIST_IMAGES, MNIST_FEATURES = 60_000, 784
# that a round has at least, so that what a call of fit costs is spread over them
STEPS = {"scratch": 200, "fit": 200, "compiled": 200, "eager": 20}
PAUSE = 0.05  # seconds, for the threads of the side before to go to sleep

Train = Callable[[], Any]
Progress = Callable[[int, int, str], None]


def measure(
    experiment: Experiment,
    *,
    data: str | None = None,
    dataset: str | None = None,
    dtype: str = "float32",
    rounds: int = 5,
    progress: Progress = lambda done, total, text: None,
) -> dict[str, Any]:
    """scratch's time and memory over Keras's, below 1 where scratch needs less.

    to_fit, to_compiled and to_eager compare the best round of each, `medians` the medians; spread
    is the range of scratch's time over model.fit's within a round, relative to its median.
    """
    task = workload(experiment, data, dataset, dtype)
    sides = ("scratch", "fit")
    progress(0, rounds + 1, f"{experiment.name}, memory of each side alone")
    memory = {side: peak_memory(side, experiment, data, dataset, dtype) for side in sides}
    with floatx(dtype):
        trainers = {side: prepared(shortened(task, side)) for side, prepared in TRAINERS.items()}
        seconds = interleaved(trainers, rounds, progress, experiment.name)
    return _entry(task, seconds, memory)


def workload(experiment: Experiment, data: str | None, dataset: str | None, dtype: str) -> Task:
    """The experiment's own data; random images of MNIST's shape where auto could not have MNIST."""
    task = prepare(experiment, data, dataset, dtype=dtype, epochs=1)
    if (dataset or experiment.dataset) != "auto" or task.dataset == "mnist":
        return task
    generator = np.random.default_rng(0)
    images = generator.random((MNIST_IMAGES, MNIST_FEATURES), np.float32).astype(dtype)
    labels = np.resize(task.y_train, (MNIST_IMAGES, *task.y_train.shape[1:]))
    reason = task.reason.replace("digits", "random images of MNIST's shape", 1)
    return replace(task, dataset="random", reason=reason, x_train=images, y_train=labels)


def shortened(task: Task, side: str) -> Task:
    """The task in the steps of a side's round: part of an epoch, or as many as it takes."""
    samples = STEPS[side] * task.experiment.batch_size
    part = replace(task, x_train=task.x_train[:samples], y_train=task.y_train[:samples])
    return replace(part, epochs=ceil(STEPS[side] / part.steps_per_epoch))


def _steps(task: Task, side: str) -> int:
    part = shortened(task, side)
    return part.steps_per_epoch * part.epochs


def _round(task: Task) -> dict[str, Any]:
    """The arguments of every fit: epochs in the order of the samples, in silence."""
    settings = {"batch_size": task.experiment.batch_size, "epochs": task.epochs, "verbose": 0}
    return {"x": task.x_train, "y": task.y_train, "shuffle": False, **settings}


def _scratch(task: Task) -> Train:
    return partial(task.network(scratch).fit, **_round(task))


def _fit(task: Task) -> Train:
    import keras

    import reference

    return partial(keras.Sequential.fit, task.network(reference), **_round(task))


def _compiled(task: Task) -> Train:
    import reference

    return partial(task.network(reference).fit, **_round(task))


def _eager(task: Task) -> Train:
    import reference

    return partial(task.network(reference, run_eagerly=True).fit, **_round(task))


TRAINERS = {"scratch": _scratch, "fit": _fit, "compiled": _compiled, "eager": _eager}


def interleaved(
    trainers: dict[str, Train], rounds: int, progress: Progress, name: str
) -> dict[str, list[float]]:
    """The seconds of each trainer by round, in turns, after a warm-up that compiles and traces."""
    seconds: dict[str, list[float]] = {side: [] for side in trainers}
    done = 0
    try:
        for done in range(rounds + 1):
            progress(
                done, rounds + 1, f"{name}, " + (f"round {done} of {rounds}" if done else "warm-up")
            )
            for side, train in trainers.items():
                seconds[side].append(_seconds(train))
    except KeyboardInterrupt:
        had = f"{name}: interrupted after {max(done - 1, 0)} of {rounds} rounds"
        raise KeyboardInterrupt(had) from None
    return {side: measured[1:] for side, measured in seconds.items()}


def _seconds(train: Train) -> float:
    time.sleep(PAUSE)
    start = time.perf_counter()
    train()
    return time.perf_counter() - start


def _entry(task: Task, seconds: dict[str, list[float]], memory: dict[str, int]) -> dict[str, Any]:
    best = {side: min(values) / _steps(task, side) for side, values in seconds.items()}
    middle = {side: median(values) / _steps(task, side) for side, values in seconds.items()}
    by_round = [s / f for s, f in zip(seconds["scratch"], seconds["fit"], strict=True)]
    return {
        "name": task.experiment.name,
        "dtype": task.dtype,
        **_ratios(best),
        "memory": memory["scratch"] / memory["fit"],
        "spread": (max(by_round) - min(by_round)) / median(by_round),
        "medians": _ratios(middle),
        "milliseconds": {side: 1e3 * value for side, value in best.items()},
        "median_milliseconds": {side: 1e3 * value for side, value in middle.items()},
        "megabytes": {side: value / 1e6 for side, value in memory.items()},
        "dataset": task.dataset,
        "dataset_reason": task.reason,
        "batch_size": task.experiment.batch_size,
        "steps": _steps(task, "scratch"),
        "rounds": len(by_round),
    }


def _ratios(seconds: dict[str, float]) -> dict[str, float]:
    others = ("fit", "compiled", "eager")
    return {f"to_{side}": seconds["scratch"] / seconds[side] for side in others}


def peak_memory(
    side: str, experiment: Experiment, data: str | None, dataset: str | None, dtype: str
) -> int:
    """Bytes that a process of its own held at most, in which one side trains for a round."""
    arguments = (side, experiment.name, data, dataset, dtype)
    code = f"from comparisons import bench; bench.train_alone{arguments!r}"
    child = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    if child.returncode:
        raise RuntimeError(f"training {side} alone failed:\n{child.stderr}")
    return int(child.stdout)


def train_alone(side: str, name: str, data: str | None, dataset: str | None, dtype: str) -> None:
    """Train one side for a round and print the bytes that this process held at most."""
    prepared, experiment = TRAINERS[side], next(row for row in EXPERIMENTS if row.name == name)
    task = workload(experiment, data, dataset, dtype)
    scratch.config.set_floatx(dtype)
    if side != "scratch":
        import keras

        keras.config.set_floatx(dtype)
    prepared(shortened(task, side))()
    print(_peak_bytes())


def _peak_bytes() -> int:
    """The largest resident set: of this process alone, where Linux tells (ru_maxrss begins with
    that of the process that started it)."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return 1024 * int(lines["VmHWM"].split()[0])
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def environment() -> dict[str, Any]:
    """What the figures depend on: versions, processor, its load by now, and NumPy's BLAS."""
    settings = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OMP_NUM_THREADS")
    machine = {"platform": platform.platform(), "cpu": _cpu(), "cores": os.cpu_count()}
    machine["load"] = os.getloadavg()[0]
    chosen = {name: os.environ.get(name) for name in settings}
    return versions() | machine | {"blas": _blas()} | chosen


def _cpu() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _blas() -> str:
    """Such as "openblas 0.3.31, SkylakeX, 2 threads"."""
    from threadpoolctl import threadpool_info

    for library in threadpool_info():
        if library["user_api"] == "blas" and "numpy" in library["filepath"]:
            kernels = library.get("architecture", "unknown kernels")
            threads = f"{library['num_threads']} threads"
            return f"{library['internal_api']} {library['version']}, {kernels}, {threads}"
    return "unknown"
