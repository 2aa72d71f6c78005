"""A chain of layers: forwards in order, backwards in reverse, and the loop that trains it."""

import functools
import itertools
from typing import Any

import numpy as np

from scratch import activations, losses, metrics, optimizers

from .batches import Batches, weigh
from .callbacks import CallbackList, History, ProgbarLogger, listed
from .chain import chain
from .layer import Input, Layer, without_gradients
from .penalties import behind, penalize_output, penalize_weights


class Sequential(Layer):
    """y = layers[-1](… layers[0](x)).

    backward hands each layer the gradient of its output, last layer first. Layers of one kind are
    told apart by number: dense, dense_1, … ValueError for what is no layer.

    x is a list of several inputs where the first layer takes a list, such as Branches.

    As in Keras, a mask that a layer makes, such as an Embedding with mask_zero, goes on from layer
    to layer as each says with compute_mask. Where it reaches the output, masked steps count
    neither in the loss, whose mean is that of the others, nor in metrics that are means of a
    function.
    """

    optimizer: Any = None
    loss: Any = None
    metrics: Any = None

    def __init__(self, layers=None, trainable=True, name=None):
        super().__init__(trainable=trainable, name=name)
        self.input_shape = None
        for layer in layers or []:
            self.add(layer, rebuild=False)
        self._build_if_shape_is_known()

    def add(self, layer, rebuild=True):
        if isinstance(layer, Input):
            self.input_shape = (None, *layer.shape)
        else:
            self._hold(layer)
        if rebuild:
            self._build_if_shape_is_known()

    @property
    def takes_list(self) -> bool:
        return bool(self.layers) and self.layers[0].takes_list

    def _build_if_shape_is_known(self):
        if self.input_shape is not None:
            self.build(self.input_shape)

    def build(self, input_shape):
        self.input_shape = input_shape
        for layer in self.layers:
            layer.ensure_built(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape):
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def call(self, x, training=False, mask=None):
        y, _, backward, _ = chain(self.layers, self._forwards(), x, training, mask)
        return y, lambda dy, needs_dx=True: backward(dy, 0.0, needs_dx=needs_dx)

    def penalized_forward(self, x, training=False, mask=None):
        """(y, penalty, backward, mask of y), where penalty is the sum of those of all layers."""
        forwards, x = self._forwards(), self.prepare(x)
        y, penalty, backward, mask = chain(self.layers, forwards, x, training, mask)
        return y, penalty, backward if self.trainable else without_gradients(backward), mask

    def _forwards(self):
        """penalized_forward of every layer, with ReLUs moved behind the pooling that follows.

        The largest of what passes is what passes of the largest, so both orders give the same
        numbers and gradients, and the later ReLU has fewer of them to look at.
        """
        forwards = [layer.penalized_forward for layer in self.layers]
        for place, (layer, pooling) in enumerate(itertools.pairwise(self.layers)):
            if pooling.commutes_with_relu and _ends_in_relu(layer):
                forwards[place] = functools.partial(_penalized_preactivation, layer)
                forwards[place + 1] = functools.partial(_penalized_relu_of, pooling)
        return forwards

    def _below(self, paths):
        """The paths alone: the name of a network stands in those of a layer around it only."""
        return paths

    def _from_outside(self, paths):
        return super()._below(paths)

    def compile(self, optimizer="rmsprop", loss=None, metrics=None):
        """Choose how to train: names or objects of optimizers, losses and metrics.

        A cross-entropy of a network that ends in softmax or sigmoid is computed from the logits
        behind that activation, as in Keras: log(softmax(x)) loses digits that x still has.
        """
        self.optimizer = optimizers.get(optimizer)
        self.loss = losses.get(loss)
        self.metric_names = list(metrics or [])
        self.metrics = None
        self.stop_training = False

    def _loss_on_logits(self):
        """The loss on the logits behind the last activation, or None where Keras takes the output.

        Keras loses sight of the logits where it casts the output to another dtype for the loss.
        """
        last = self.layers[-1]
        probabilities = activations.softmax, activations.sigmoid
        has_logits = hasattr(last, "preactivation") and last.activation in probabilities
        if not has_logits or self.loss.dtype != last.dtype:
            return None
        return self.loss.on_logits(last.activation)

    def forward_loss(self, x, y, sample_weight, training):
        """(loss with all penalties, y_pred, backward, mask of y_pred) of one batch.

        ValueError before compile.
        """
        if self.loss is None:
            raise ValueError("compile(optimizer, loss) comes before training and evaluation")
        from_logits = self._loss_on_logits()
        if from_logits is None:
            y_pred, penalty, backward_network, mask = self.penalized_forward(x, training)
            loss, backward_loss = self.loss.forward(y, y_pred, sample_weight, mask)
        else:
            logits, penalty, backward_network, mask = self._forward_logits(x, training)
            y_pred, _ = self.layers[-1].activation(logits)
            loss, backward_loss = from_logits.forward(y, logits, sample_weight, mask)

        regularizers, weights = self.trainable_regularizers(), self.trainable_weights
        weight_penalty, backward_weights = penalize_weights(regularizers, weights)

        def backward(dloss):
            _, gradients = backward_network(backward_loss(dloss), dloss, needs_dx=False)
            return backward_weights(dloss, gradients)

        return loss + penalty + weight_penalty, y_pred, backward, mask

    def _forward_logits(self, x, training):
        last = functools.partial(_penalized_preactivation, self.layers[-1])
        forwards = [*self._forwards()[:-1], last]
        return chain(self.layers, forwards, self.prepare(x), training)

    def loss_and_gradients(self, x, y, sample_weight=None):
        """(loss, y_pred, gradients) of one batch, gradients in the order of trainable_weights."""
        return self._loss_gradients_and_mask(x, y, sample_weight)[:3]

    def _loss_gradients_and_mask(self, x, y, sample_weight):
        loss, y_pred, backward, mask = self.forward_loss(x, y, sample_weight, training=True)
        return loss, y_pred, backward(np.ones_like(loss)), mask

    def step(self, x, y, sample_weight=None):
        """Move the weights by one step of the optimizer; (loss, gradients, metrics)."""
        loss, y_pred, gradients, mask = self._loss_gradients_and_mask(x, y, sample_weight)
        self.apply_gradients(gradients)
        return loss, gradients, self._measure(loss, y, y_pred, mask)

    def apply_gradients(self, gradients):
        """Move the weights by one step of the optimizer, then to what their constraints allow."""
        weights = self.trainable_weights
        if not self.optimizer.built:
            self.optimizer.build(weights, self.trainable_paths())
        self.optimizer.apply(gradients, weights, self.trainable_constraints())

    def train_on_batch(self, x, y, sample_weight=None, class_weight=None, return_dict=False):
        """One step of the optimizer; what evaluate returns of this batch, seen before the step."""
        self.reset_metrics()
        *_, logs = self.step(x, y, weigh(y, sample_weight, class_weight))
        return logs if return_dict else _values(logs)

    def test_on_batch(self, x, y, sample_weight=None, return_dict=False):
        """What evaluate returns, of this batch."""
        self.reset_metrics()
        logs = self._test(x, y, sample_weight)
        return logs if return_dict else _values(logs)

    def _test(self, x, y, sample_weight=None):
        loss, y_pred, _, mask = self.forward_loss(x, y, sample_weight, training=False)
        return self._measure(loss, y, y_pred, mask)

    def _measure(self, loss, y, y_pred, mask):
        if self.metrics is None:
            self.metrics = [metrics.Mean(name="loss")]
            self.metrics += [_metric(name, y, y_pred) for name in self.metric_names]
        self.metrics[0].update_state(loss, sample_weight=len(y))
        for metric in self.metrics[1:]:
            heeds_mask = isinstance(metric, metrics.MeanMetricWrapper)
            metric.update_state(y, y_pred, **({"sample_weight": mask} if heeds_mask else {}))
        return self._results()

    def _results(self):
        """{name: result} of the loss and the metrics; where names repeat accuracy, accuracy_1, …"""
        loss, *others = self.metrics
        results = {loss.name: _plain(loss.result())}
        names = [metric.name for metric in others]
        for place, (name, metric) in enumerate(zip(names, others, strict=True)):
            number = names[:place].count(name)
            results[f"{name}_{number}" if number else name] = _plain(metric.result())
        return results

    def reset_metrics(self):
        for metric in self.metrics or []:
            metric.reset_state()

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose: str | int = "auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        validation_batch_size=None,
        validation_freq=1,
    ):
        """Train for epochs - initial_epoch epochs; returns the History.

        x is an array, or a list of arrays where the first layer takes several inputs.
        validation_split keeps the last part of the samples, before shuffling, for validation,
        which class_weight does not weigh.
        Shuffling draws from the global seed generator, as keras.random.shuffle does.
        """
        batches = Batches(x, y, sample_weight, batch_size)
        if validation_split and validation_data is None:
            batches, validation_data = batches.split(validation_split)
        batches = batches.weighed(class_weight)
        history = History()
        calls = [callbacks, history, ProgbarLogger() if verbose else []]
        calls = CallbackList(calls, self, epochs=epochs, steps=len(batches), verbose=verbose)
        self.stop_training = False
        calls.on_train_begin()
        logs = {}
        for epoch in range(initial_epoch, epochs):
            calls.on_epoch_begin(epoch)
            logs = self._fit_epoch(batches.shuffled() if shuffle else batches, calls)
            if validation_data is not None and _is_due(epoch + 1, validation_freq):
                logs |= self._validate(validation_data, validation_batch_size or batch_size, calls)
            calls.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        self.optimizer.finalize_variable_values(self.trainable_weights)
        calls.on_train_end(logs)
        return history

    def _fit_epoch(self, batches, calls):
        self.reset_metrics()
        logs = {}
        for step, batch in enumerate(batches):
            calls.on_train_batch_begin(step)
            *_, logs = self.step(*batch)
            calls.on_train_batch_end(step, logs)
            if self.stop_training:
                break
        return logs

    def _validate(self, validation_data, batch_size, calls):
        x, y, *weight = validation_data
        batches = Batches(x, y, weight[0] if weight else None, batch_size)
        logs = self._evaluate(batches, calls)
        return {f"val_{name}": value for name, value in logs.items()}

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose: str | int = "auto",
        sample_weight=None,
        callbacks=None,
        return_dict=False,
    ):
        """[loss, *metrics] over all samples, without training; the loss alone without metrics."""
        batches = Batches(x, y, sample_weight, batch_size)
        logs = self._evaluate(batches, CallbackList(callbacks, self, steps=len(batches)))
        if verbose:
            print(listed(logs))
        return logs if return_dict else _values(logs)

    def _evaluate(self, batches, calls):
        self.reset_metrics()
        calls.on_test_begin()
        logs = {}
        for step, batch in enumerate(batches):
            calls.on_test_batch_begin(step)
            logs = self._test(*batch)
            calls.on_test_batch_end(step, logs)
        calls.on_test_end(logs)
        return logs

    def predict(self, x, batch_size=None, verbose: str | int = "auto", callbacks=None):
        """The outputs for all samples, computed batch by batch."""
        batches = Batches(x, batch_size=batch_size)
        calls = [callbacks, ProgbarLogger() if verbose else []]
        calls = CallbackList(calls, self, steps=len(batches), verbose=verbose)
        calls.on_predict_begin()
        outputs = []
        for step, (batch, *_) in enumerate(batches):
            calls.on_predict_batch_begin(step)
            outputs.append(self(batch))
            calls.on_predict_batch_end(step, {"outputs": outputs[-1]})
        calls.on_predict_end()
        return np.concatenate(outputs)

    def summary(self, print_fn=print):
        """Print a line per layer: name, type, output shape and number of weights."""
        shape = self.input_shape
        print_fn(f"{'Layer (type)':<34}{'Output shape':<24}{'Param #':>12}")
        for layer in self.layers:
            shape = None if shape is None else layer.compute_output_shape(shape)
            title = f"{layer.name} ({type(layer).__name__})"
            print_fn(f"{title:<34}{shape!s:<24}{layer.count_params():>12,}")
        print_fn(f"Total params: {self.count_params():,}")


def _penalized_preactivation(layer, x, training, mask):
    """penalized_forward, but for z in place of y = activation(z)."""
    z, backward = layer.preactivation(layer.prepare(x), training, **layer.mask_argument(mask))
    backward = backward if layer.trainable else without_gradients(backward)
    regularizer = behind(layer.activation, layer.activity_regularizer)
    return *penalize_output(regularizer, z, backward), layer.compute_mask(x, mask)


def _ends_in_relu(layer):
    return hasattr(layer, "preactivation") and layer.activation is activations.relu


def _penalized_relu_of(pooling, x, training, mask):
    """The penalized_forward of y = relu(pooling(x))."""
    z, backward_pooling = pooling.forward(x, training, **pooling.mask_argument(mask))
    y, backward_relu = activations.relu(z)
    penalized = penalize_output(
        pooling.activity_regularizer, y, lambda dy: backward_pooling(backward_relu(dy))
    )
    return *penalized, pooling.compute_mask(x, mask)


def _is_due(epoch, frequency):
    """Whether validation follows an epoch, counted from 1: each frequency-th, or those listed."""
    if isinstance(frequency, list):
        return epoch in frequency
    if not isinstance(frequency, int):
        raise ValueError(f"validation_freq is an integer or a list, not {frequency!r}")
    return epoch % frequency == 0


def _metric(identifier, y, y_pred):
    """The metric, under the name given; "accuracy" is the one that suits labels and outputs."""
    if identifier is None:
        raise ValueError("metrics are names, classes, functions or objects, not None")
    if str(identifier).lower() in ("accuracy", "acc"):
        return metrics._resolve_accuracy(y, y_pred, identifier)
    metric: Any = metrics.get(identifier)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


def _plain(result):
    """A float, or the array of a metric that has a result per class."""
    return result if np.ndim(result) else float(result)


def _values(logs):
    """The values of logs in a list, or the only value there is."""
    return list(logs.values()) if len(logs) > 1 else logs["loss"]
