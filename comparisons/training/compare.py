"""One experiment on both sides: the free runs, lock step, Keras's own fit, and the verdict."""

import time
from collections.abc import Callable
from contextlib import contextmanager
from math import ceil

import numpy as np
from threadpoolctl import threadpool_limits

import scratch
from comparisons.experiments import Experiment
from comparisons.precision import floatx
from comparisons.report.plots import plane
from comparisons.results import Curves, ExperimentResult, GradientResult, Samples

from .divergence import FreeRuns, distance
from .first_step import check_first_step
from .lockstep import LockStepJudge, ReferenceStep
from .rounding import largest, nudge
from .setup import Task, prepare
from .state import state
from .verdict import causes, fell, verdict

Progress = Callable[[int, int, str], None]
SIDES = ("scratch", "reference", "keras")
MOST_TESTS = 50  # of all epochs, evenly spread, that end with a run over the test set
MAP_SIDE = 100


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a comparison; its text says how far it came."""


def compare(
    experiment: Experiment,
    *,
    data: str | None = None,
    dataset: str | None = None,
    seed: int = 0,
    dtype: str = "float32",
    epochs: int | None = None,
    progress: Progress | None = None,
) -> ExperimentResult:
    """Train the experiment's network with scratch, the GradientTape loop and Keras's fit.

    ValueError for settings and data that cannot be used; Interrupted on Ctrl-C.
    """
    return train(prepare(experiment, data, dataset, seed, dtype, epochs), progress)


def train(task: Task, progress: Progress | None = None) -> ExperimentResult:
    """Train what `prepare` made ready on both sides, and judge it; Interrupted on Ctrl-C."""
    # steps of NumPy and TensorFlow alternate: with two pools of threads each waits for the other's
    with floatx(task.dtype), threadpool_limits(1, "blas"), np.errstate(all="ignore"):
        return _Comparison(task, progress or (lambda done, total, text: None)).run()


class _ScratchFailed(Exception):
    """Scratch raised an error where the reference did its step."""


@contextmanager
def _blaming_scratch():
    try:
        yield
    except Exception as error:
        raise _ScratchFailed(f"scratch raised {type(error).__name__}: {error}") from error


class _Comparison:
    def __init__(self, task: Task, progress: Progress):
        import reference

        self.task = task
        self.progress = progress
        self.scratch = task.network(scratch)
        self.reference = task.network(reference)
        self.keras = task.network(reference)
        self.initial = self._initial_weights()
        nudged, stepped = task.network(scratch), task.network(scratch)
        generator = np.random.default_rng(task.seed)
        nudged.set_weights([nudge(weight, generator) for weight in self.scratch.weights])
        self.nudged = nudged
        self.free = FreeRuns(self.scratch, nudged, self.reference)
        self.lockstep = LockStepJudge(stepped, self.reference, task.seed)
        self.first_step = check_first_step(task, self.scratch, self.reference)
        self.state = state(self.reference)
        self.seconds: dict[str, float] = dict.fromkeys(SIDES, 0.0)
        self.curves = Curves(loss={"scratch": [], "reference": []})
        self.curves.history = {side: {} for side in SIDES}
        self.steps = 0
        self.failure: str | None = None

    def _initial_weights(self):
        """How many initial weights are identical bits; the comparison proceeds from scratch's."""
        here, there = self.scratch.get_weights(), self.reference.get_weights()
        same = sum(int(np.sum(h == t)) for h, t in zip(here, there, strict=True))
        counts = {"identical": same, "total": self.scratch.count_params()}
        if same < counts["total"]:
            self.reference.set_weights(here)
            self.keras.set_weights(here)
        return counts | {
            "max_difference": distance(here, there),
            "largest": max(map(largest, here)),
        }

    def run(self) -> ExperimentResult:
        try:
            for epoch, (x, y) in enumerate(self.task.epochs_of_batches()):
                self._train_epoch(epoch, x, y)
                self._fit_epoch(epoch, x, y)
        except KeyboardInterrupt:
            raise Interrupted(self._so_far()) from None
        except _ScratchFailed as failure:
            self.failure = f"step {self.steps}: {failure}"
        return self._result()

    def _train_epoch(self, epoch, x, y):
        for network in (self.scratch, self.reference, self.nudged):
            network.reset_metrics()
        total = self.task.epochs * self.task.steps_per_epoch
        text = f"{self.task.experiment.title}, epoch {epoch + 1} of {self.task.epochs}"
        logs = {}
        for batch in self.task.batches(x, y):
            logs = self._step(*batch)
            self.progress(self.steps, total, text)
        for side, values in logs.items():
            self._remember(side, values)

    def _step(self, x, y):
        """One step of every network but Keras's own; the metrics of the epoch so far."""
        before, here_before = self.state, state(self.scratch)
        there_loss, gradients, there = self._timed("reference", self.reference.step, x, y)
        self.state = after = state(self.reference)
        moved = self.reference.non_trainable_weights
        expected = [np.asarray(array) for array in (there_loss, *gradients, *moved)]
        with _blaming_scratch():
            self.lockstep.judge(self.steps, ReferenceStep(x, y, before, expected, after))
            loss, _, here = self._timed("scratch", self.scratch.step, x, y)
            self.nudged.step(x, y)
        self.free.follow(self.steps, x, here_before, before, after)
        self.curves.loss["scratch"].append(float(loss))
        self.curves.loss["reference"].append(float(there_loss))
        self.steps += 1
        return {"scratch": here, "reference": there}

    def _timed(self, side, work, *arguments, **settings):
        start = time.perf_counter()
        outcome = work(*arguments, **settings)
        self.seconds[side] += time.perf_counter() - start
        return outcome

    def _fit_epoch(self, epoch, x, y):
        import keras

        settings = {"batch_size": self.task.experiment.batch_size, "shuffle": False, "verbose": 0}
        settings |= {"epochs": epoch + 1, "initial_epoch": epoch}
        fitted = self._timed("keras", keras.Sequential.fit, self.keras, x, y, **settings)
        logs = {name: values[-1] for name, values in fitted.history.items()}
        self._remember("keras", logs)
        if (epoch + 1) % ceil(self.task.epochs / MOST_TESTS) and epoch + 1 < self.task.epochs:
            return
        self.curves.tested.append(epoch + 1)
        for side, network in zip(SIDES, self._networks(), strict=True):
            x_test, y_test = self.task.x_test, self.task.y_test
            scores = network.evaluate(x_test, y_test, batch_size=512, verbose=0, return_dict=True)
            self._remember(side, {f"val_{name}": value for name, value in scores.items()})

    def _networks(self):
        return self.scratch, self.reference, self.keras

    def _remember(self, side, logs):
        for name, value in logs.items():
            self.curves.history[side].setdefault(name, []).append(float(value))

    def _result(self) -> ExperimentResult:
        task, free, history = self.task, self.free, self.curves.history
        self.curves.weight_difference, self.curves.envelope = free.differences, free.envelope
        outputs = {} if self.failure else self._outputs()
        samples = Samples(task.x_test, task.test_labels, outputs)
        agreeing = 0
        if not self.failure:
            samples.map = self._map()
            agreeing = np.sum(samples.classes("scratch") == samples.classes("reference"))
        result = ExperimentResult(
            name=task.experiment.name,
            variant=task.experiment.variant,
            dataset=task.dataset,
            dataset_reason=task.reason,
            dtype=task.dtype,
            seed=task.seed,
            epochs=task.epochs,
            steps=self.steps,
            batch_size=task.experiment.batch_size,
            initial_weights_identical=self.initial["identical"] == self.initial["total"],
            initial_weights=self.initial,
            gradients=[GradientResult.of(row) for row in self.first_step.rows],
            max_weight_difference=max(free.differences, default=float("nan")),
            envelope=max(free.envelope, default=float("nan")),
            keras_weight_difference=distance(self.scratch.weights, self.keras.get_weights()),
            first_divergence=free.divergence,
            lock_step=self.lockstep.result(),
            test_examples=len(task.test_labels),
            predictions_agreeing=int(agreeing),
            accuracy={side: _last(history[side], "val_accuracy") for side in SIDES},
            loss={side: _last(history[side], "val_loss") for side in SIDES},
            seconds=self.seconds,
            learned=fell(self.curves.loss["scratch"]),
            curves=self.curves,
            samples=samples,
        )
        result.causes = _trained_on_one_side(self.scratch, self.reference)
        result.causes += [] if self.first_step.ok else self.first_step.causes
        result.causes += self.lockstep.causes
        result.causes += [self.failure] if self.failure else causes(result, task, free.outside)
        result.verdict = verdict(result)
        return result

    def _outputs(self):
        """Each side's outputs for the test set."""
        outputs = {}
        for side, network in zip(SIDES, self._networks(), strict=True):
            batches = self.task.batches(self.task.x_test, self.task.y_test)
            outputs[side] = np.concatenate(
                [np.asarray(network(x, training=False)) for x, _ in batches]
            )
        return outputs

    def _map(self):
        """Each side's outputs over the unit square, where the inputs are points in the plane."""
        if self.task.x_test.shape[1:] != (2,):
            return {}
        grid = plane(0, 1, MAP_SIDE).astype(self.task.dtype)
        return {
            side: np.asarray(network(grid, training=False)).reshape(MAP_SIDE, MAP_SIDE)
            for side, network in zip(SIDES, self._networks(), strict=True)
        }

    def _so_far(self):
        total = self.task.epochs * self.task.steps_per_epoch
        return f"interrupted after step {self.steps} of {total}"


def _last(history, name):
    return history.get(name, [float("nan")])[-1]


def _trained_on_one_side(network, reference) -> list[str]:
    """A sentence for each weight that is trained on one side and frozen on the other."""
    rows = zip(network.weight_paths(), _trains(network), _trains(reference), strict=True)
    return [
        f"{path} is trained in {'scratch' if here else 'the reference'} alone"
        for path, here, there in rows
        if here != there
    ]


def _trains(network) -> list[bool]:
    """Of each of a network's weights, whether it is trained."""
    trained = set(map(id, network.trainable_weights))
    return [id(weight) in trained for weight in network.weights]
