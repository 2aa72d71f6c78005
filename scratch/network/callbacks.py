"""What fit, evaluate and predict call as they go: hooks, the history and the progress shown."""

import sys


class Callback:
    """Hooks that fit, evaluate and predict call; `model` is the network, `params` its settings."""

    def __init__(self):
        self.model = None
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
        self.callbacks = list(callbacks)
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
    """A line per epoch with its quantities, on a terminal renewed as the steps go by."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        every = max(1, self.params["steps"] // 50)
        if sys.stdout.isatty() and self.params["verbose"] != 2 and batch % every == 0:
            print(f"\r{self._line(batch + 1, logs)}", end="", flush=True)

    def on_epoch_end(self, epoch, logs=None):
        start = "\r" if sys.stdout.isatty() else ""
        print(f"{start}{self._line(self.params['steps'], logs)}")

    def _line(self, step, logs):
        epochs, steps = self.params["epochs"], self.params["steps"]
        return f"Epoch {self.epoch + 1}/{epochs} {step}/{steps} - {listed(logs)}"


def listed(logs):
    """{"loss": 0.5, "accuracy": 1.0} as "loss: 0.5000 - accuracy: 1.0000"."""
    return " - ".join(f"{name}: {value:.4f}" for name, value in logs.items())
