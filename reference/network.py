"""Keras's layers chained into a network, and the GradientTape loop that trains it."""

import functools
import math

import keras
import numpy as np
import tensorflow as tf

Callback = keras.callbacks.Callback
EarlyStopping = keras.callbacks.EarlyStopping
History = keras.callbacks.History
Input = keras.Input
Layer = keras.layers.Layer
ProgbarLogger = keras.callbacks.ProgbarLogger


@keras.saving.register_keras_serializable("reference")
class Sequential(keras.Sequential):
    """keras.Sequential, whose fit is a loop over tf.GradientTape that hides nothing.

    The step is compiled with tf.function unless compile was given run_eagerly=True. Keras's own
    loop stays within reach as keras.Sequential.fit(network, …).
    """

    def loss_and_gradients(self, x, y, sample_weight=None):
        """(loss, y_pred, gradients) of one batch, gradients in the order of trainable_weights."""
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight)
        return loss, y_pred, tape.gradient(loss, self.trainable_weights)

    def step(self, x, y, sample_weight=None):
        """Move the weights by one step of the optimizer; (loss, gradients, metrics)."""
        loss, y_pred, gradients = self.loss_and_gradients(x, y, sample_weight)
        self.optimizer.apply(gradients, self.trainable_weights)
        self._loss_tracker.update_state(loss, sample_weight=tf.shape(y)[0])
        return loss, gradients, self.compute_metrics(x, y, y_pred, sample_weight)

    def compile(self, optimizer="rmsprop", loss=None, metrics=None, run_eagerly=False):
        """Choose how to train: names or objects of optimizers, losses and metrics."""
        super().compile(
            optimizer, loss, metrics=metrics, run_eagerly=run_eagerly, jit_compile=False
        )
        step = functools.partial(Sequential.step, self)
        self.step = step if run_eagerly else tf.function(step, reduce_retracing=True)

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_data=None,
        shuffle=True,
        sample_weight=None,
        initial_epoch=0,
    ):
        """Train for epochs - initial_epoch epochs; returns the History.

        x is an array, or a list of arrays where the first layer takes several inputs.
        """
        batch_size = batch_size or 32
        samples = _length(x, y)
        calls = keras.callbacks.CallbackList(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            model=self,
            verbose=verbose,
            epochs=epochs,
            steps=math.ceil(samples / batch_size),
        )
        self.stop_training = False
        calls.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            calls.on_epoch_begin(epoch)
            order = np.arange(samples)
            order = keras.ops.convert_to_numpy(keras.random.shuffle(order)) if shuffle else order
            for step, start in enumerate(range(0, samples, batch_size)):
                rows = order[start : start + batch_size]
                weight = None if sample_weight is None else sample_weight[rows]
                calls.on_train_batch_begin(step)
                *_, logs = self.step(_rows(x, rows), y[rows], weight)
                calls.on_train_batch_end(step, logs)
            if validation_data is not None:
                validation = self.evaluate(*validation_data, batch_size, 0, return_dict=True)
                logs |= {f"val_{name}": value for name, value in validation.items()}
            calls.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        self.optimizer.finalize_variable_values(self.trainable_weights)
        calls.on_train_end(logs)
        return self.history


def _length(x, y):
    """The number of samples, the same in all inputs and labels."""
    lengths = {len(array) for array in keras.tree.flatten([x, y])}
    if len(lengths) != 1:
        raise ValueError(f"x and y need one length, not {sorted(lengths)}")
    return lengths.pop()


def _rows(x, rows):
    """These rows of x, or of each of several inputs."""
    return keras.tree.map_structure(lambda array: array[rows], x)
