"""Results as a run would have them, made up, for tests of how results are shown."""

import numpy as np

from comparisons.results import (
    ArrayResult,
    Curves,
    Divergence,
    ExperimentResult,
    GradientResult,
    LockStep,
    PairResult,
    Samples,
    StudyResult,
)

SIDES = ("scratch", "reference", "keras")


def experiment_result(
    name="mlp", dtype="float32", epochs=5, steps_per_epoch=469, side=28, seed=0, **changes
) -> ExperimentResult:
    """A float32 run that parts by a ReLU flip, or a float64 run that stays together."""
    generator = np.random.default_rng(seed)
    steps = epochs * steps_per_epoch
    parts = steps // 3 if dtype == "float32" else None
    fields = {
        "name": name,
        "dataset": "mnist",
        "dataset_reason": "mnist from /data/mnist.npz",
        "dtype": dtype,
        "seed": seed,
        "epochs": epochs,
        "steps": steps,
        "batch_size": 128,
        "initial_weights_identical": True,
        "initial_weights": {
            "identical": 407050,
            "total": 407050,
            "max_difference": 0.0,
            "largest": 0.1,
        },
        "gradients": [
            GradientResult("dense/kernel", 1.2e-7, 3.4e-7, "match"),
            GradientResult("dense/bias", 0.0, 2.1e-7, "identical"),
            GradientResult("dense_1/kernel", 9.1e-8, 3.0e-7, "match"),
            GradientResult("dense_1/bias", 5.2e-8, 1.1e-7, "match"),
        ],
        "max_weight_difference": 3.2e-3 if parts else 7.1e-16,
        "envelope": 2.9e-3 if parts else 9.3e-16,
        "keras_weight_difference": 4.1e-3 if parts else 8.0e-16,
        "first_divergence": _flip(parts) if parts else None,
        "lock_step": LockStep(1.7, 311, "dense/kernel", 14 if parts else 0, 16.0),
        "test_examples": 10000,
        "predictions_agreeing": 9987 if parts else 10000,
        "accuracy": dict.fromkeys(SIDES, 0.9811),
        "loss": dict.fromkeys(SIDES, 0.0652),
        "seconds": {"scratch": 3.1, "reference": 4.4, "keras": 5.0},
        "learned": True,
        "curves": _curves(steps, epochs, parts, generator),
        "samples": _samples(side, generator),
        "command": f"twofold compare {name} --dtype {dtype} --seed {seed} --epochs {epochs}",
    }
    return ExperimentResult(**fields | changes)


def _flip(step):
    words = f"step {step}, sample 57: hidden unit 201 is on either side of zero, a ReLU flip"
    return Divergence(step, "dense", (57, 201), -3.1e-9, 1.2e-9, words)


def _curves(steps, epochs, parts, generator):
    step = np.arange(1, steps + 1)
    rounding = 1e-7 if parts else 1e-16
    envelope = rounding * (1 + np.sqrt(step)) * np.exp(generator.normal(0, 0.1, steps))
    difference = envelope * np.exp(generator.normal(-0.3, 0.2, steps))
    difference[:2] = 0.0
    if parts:
        growth = 1 + 20 * np.maximum(step - parts, 0) ** 0.9
        difference, envelope = (
            difference * growth,
            envelope * np.concatenate([np.ones(40), growth])[:steps],
        )
    losses = 0.05 + 0.9 * np.exp(-step / steps * 9) + np.abs(generator.normal(0, 0.04, steps))
    by_epoch = np.arange(1, epochs + 1)
    history = {
        "loss": list(0.03 + 0.45 * np.exp(-by_epoch / 1.3)),
        "accuracy": list(0.99 - 0.12 * np.exp(-by_epoch / 1.3)),
        "val_loss": list(0.06 + 0.25 * np.exp(-by_epoch / 1.3)),
        "val_accuracy": list(0.981 - 0.07 * np.exp(-by_epoch / 1.3)),
    }
    drift = {"scratch": 0.0, "reference": 2e-4 if parts else 0.0, "keras": 3e-4 if parts else 0.0}
    return Curves(
        loss={side: list(losses + drift[side]) for side in ("scratch", "reference")},
        weight_difference=list(difference),
        envelope=list(envelope),
        history={
            side: {
                name: [value + drift[side] for value in values] for name, values in history.items()
            }
            for side in SIDES
        },
        tested=list(range(1, epochs + 1)),
    )


def _samples(side, generator):
    labels = np.array([7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    rows, columns = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    ring = np.exp(-((np.hypot(rows, columns) - 0.5) ** 2) * 30)
    features = np.stack([(ring * generator.random(ring.shape)).ravel() for _ in labels])
    probabilities = 0.97 * np.eye(10)[labels] + 0.003
    probabilities[8] = 0.05
    probabilities[8, [5, 6]] = 0.31, 0.29
    other = probabilities.copy()
    other[8, [5, 6]] = 0.29, 0.31
    outputs = {"scratch": probabilities, "reference": other, "keras": other.copy()}
    return Samples(features, labels, outputs)


def pair_result(topic="activations", name="softmax", verdict="match", **changes) -> PairResult:
    fields = {"dtype": "float64", "max_error": 1.1e-16, "noise": 2.2e-16, "verdict": verdict}
    return PairResult(topic, name, **fields | changes)


def study_result(name="bowl", verdict="match", dtype="float64", seed=None) -> StudyResult:
    rows = [("SGD", 0.0, "identical"), ("Adam", 1.1e-16, verdict)]
    cause = "at [3, 1] scratch has 1, the reference 2" if verdict == "mismatch" else None
    arrays = [ArrayResult(row, (31, 2), error, 2e-15, v, cause) for row, error, v in rows]
    paths = {row: np.zeros((31, 2), dtype) for row, *_ in rows}
    return StudyResult(name, dtype, seed, arrays, paths, paths, {})
