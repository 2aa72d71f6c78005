"""What fit, evaluate and predict call as they go: hooks, the history and the progress shown."""

import sys
import warnings
from typing import Any

import numpy as np

RISING = ("Accuracy", "AUC", "Precision", "Recall", "Score", "Similarity")
FALLING = ("Error", "Crossentropy", "Divergence", "Hinge", "Poisson")


class Callback:
    """Hooks that fit, evaluate and predict call; `model` is the network, `params` its settings."""

    def __init__(self):
        self.model: Any = None
        self.params = {}

    def set_model(self, model):
        self.model = model

    def set_params(self, params):
        self.params = params

    def on_train_begin(self, logs=None): ...
    def on_train_end(self, logs=None): ...
    def on_epoch_begin(self, epoch, logs=None): ...
    def on_epoch_end(self, epoch, logs=None): ...
    def on_train_batch_begin(self, batch, logs=None): ...
    def on_train_batch_end(self, batch, logs=None): ...
    def on_test_begin(self, logs=None): ...
    def on_test_end(self, logs=None): ...
    def on_test_batch_begin(self, batch, logs=None): ...
    def on_test_batch_end(self, batch, logs=None): ...
    def on_predict_begin(self, logs=None): ...
    def on_predict_end(self, logs=None): ...
    def on_predict_batch_begin(self, batch, logs=None): ...
    def on_predict_batch_end(self, batch, logs=None): ...


class CallbackList:
    """Passes every hook on to each of `callbacks`."""

    def __init__(self, callbacks, model, **params):
        self.callbacks = _in_one_list(callbacks)
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params(params)

    def __getattr__(self, hook):
        def call_each(*args):
            for callback in self.callbacks:
                getattr(callback, hook)(*args)

        return call_each


class History(Callback):
    """history: a list per quantity with a value per epoch; epoch: the epochs' numbers."""

    def __init__(self):
        super().__init__()
        self.history = {}

    def on_train_begin(self, logs=None):
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class ProgbarLogger(Callback):
    """A line per epoch with its quantities, and one for predict, which a terminal sees grow."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self._renew(batch, self._epoch(batch + 1, logs))

    def on_epoch_end(self, epoch, logs=None):
        self._end(self._epoch(self.params["steps"], logs))

    def on_predict_batch_end(self, batch, logs=None):
        self._renew(batch, self._steps(batch + 1))

    def on_predict_end(self, logs=None):
        self._end(self._steps(self.params["steps"]))

    def _renew(self, batch, line):
        every = max(1, self.params["steps"] // 50)
        if sys.stdout.isatty() and self.params["verbose"] != 2 and batch % every == 0:
            print(f"\r{line}", end="", flush=True)

    def _end(self, line):
        start = "\r" if sys.stdout.isatty() else ""
        print(f"{start}{line}")

    def _epoch(self, step, logs):
        return (
            f"Epoch {self.epoch + 1}/{self.params['epochs']} {self._steps(step)} - {listed(logs)}"
        )

    def _steps(self, step):
        return f"{step}/{self.params['steps']}"


class EarlyStopping(Callback):
    """Stop once `monitor` has not got better by more than min_delta for `patience` epochs.

    Better is less with mode "min" and more with "max"; "auto" knows the loss and the metrics whose
    classes say it (…Accuracy, …Error). A baseline has to be beaten as well, the first
    start_from_epoch epochs do not count, and restore_best_weights goes back to the best epoch's
    weights at the end. ValueError for another mode, where Keras warns and takes "auto", and for
    "auto" on a quantity it does not know.
    """

    def __init__(
        self,
        monitor="val_loss",
        min_delta=0,
        patience=0,
        verbose=0,
        mode="auto",
        baseline=None,
        restore_best_weights=False,
        start_from_epoch=0,
    ):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"mode is 'auto', 'min' or 'max', not {mode!r}")
        self.monitor = monitor
        self.min_delta = abs(min_delta)
        self.patience = patience
        self.verbose = verbose
        self.mode = mode
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch

    def on_train_begin(self, logs=None):
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = self.best_weights = None

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(f"no {self.monitor!r} to stop early by: {listed(logs)}", stacklevel=2)
        elif epoch >= self.start_from_epoch:
            self.wait += 1
            if self._is_better(value, self.best):
                self._keep(epoch, value)
            elif self.wait >= self.patience and epoch > 0:
                self.stopped_epoch = epoch
                self.model.stop_training = True

    def _keep(self, epoch, value):
        self.best, self.best_epoch = value, epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()
        if self._is_better(value, self.baseline):
            self.wait = 0

    def _is_better(self, value, than):
        falls = self.mode == "min" or (self.mode == "auto" and self._falls())
        if than is None:
            return True
        return value + self.min_delta < than if falls else value - self.min_delta > than

    def _falls(self):
        """Whether the monitored quantity should fall. ValueError where its metric does not tell."""
        name = self.monitor.removeprefix("val_")
        kinds = [type(metric).__name__ for metric in self.model.metrics if metric.name == name]
        if name == "loss" or any(kind.endswith(FALLING) for kind in kinds):
            return True
        if any(kind.endswith(RISING) for kind in kinds):
            return False
        raise ValueError(f"whether {self.monitor!r} should rise or fall is for mode to say")

    def on_train_end(self, logs=None):
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                print(f"Restoring the weights of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


def _in_one_list(callbacks):
    """The callbacks in a list, or in lists of lists, or alone, as one list; None is none."""
    if callbacks is None:
        return []
    if not isinstance(callbacks, list | tuple):
        return [callbacks]
    return [each for part in callbacks for each in _in_one_list(part)]


def listed(logs):
    """{"loss": 0.5, "f1_score": [1.0, 0.5]} as "loss: 0.5000 - f1_score: [1.0000 0.5000]"."""
    return " - ".join(f"{name}: {_rounded(value)}" for name, value in logs.items())


def _rounded(value):
    return np.array2string(np.asarray(value), formatter={"float_kind": "{:.4f}".format})
