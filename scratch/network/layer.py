"""What every layer is: weights under their own names, and a forward that returns its backward."""

import functools
import inspect
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from scratch import config, constraints, initializers, random, regularizers
from scratch.losses.loss import snake_case

from .penalties import penalize_output


def _marking_as_built(build):
    @functools.wraps(build)
    def marking(self, input_shape):
        build(self, input_shape)
        self.built = True

    return marking


class Layer:
    """Weights, and a forward pass (y, backward) that uses them.

    A subclass creates its weights in `build(input_shape)` and computes in `call(x, training)`,
    which returns y and its backward: backward(dy) is (dx, gradients), the gradients in the order
    of trainable_weights. The backward of a layer with weights takes needs_dx=False as well: then
    dx is None, which spares a network's first layer the largest product of its backward pass.

    A layer made of layers keeps them in `layers`. Their weights are weights of its own, after those
    that it adds itself, and its backward gives their gradients in that order.

    Real inputs are cast to `dtype`, the dtype of the weights; complex and longdouble ones pass.

    takes_list says that x may be a list of arrays, and is one array otherwise.

    A mask says which steps of x count, True for those; an Embedding with mask_zero makes one. A
    call with an argument `mask` is given that of x. supports_masking says that y has the mask of x;
    for all else, a layer defines compute_mask.

    by_sample says that y[i] depends on no sample but x[i], so that a batch may come in shards, and
    shard how many samples one holds at most, where the layer makes such shards.

    commutes_with_relu says that layer(relu(x)) is relu(layer(x)), gradients included.
    """

    activation: Callable | None = None
    seed_generator: random.SeedGenerator | None = None
    takes_list = False
    takes_mask = False
    supports_masking = False
    by_sample = False
    shard: int | None = None
    commutes_with_relu = False

    def __init_subclass__(cls):
        if "build" in vars(cls):
            cls.build = _marking_as_built(cls.build)
        cls.takes_mask = "mask" in inspect.signature(cls.call).parameters

    def __init__(self, *, activity_regularizer=None, trainable=True, dtype=None, name=None):
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._trainable = trainable
        self.dtype = np.dtype(dtype or config.floatx())
        self.name = name or snake_case(type(self).__name__)
        self.built = False
        self.layers: list[Any] = []
        self._trainable_names: list[str] = []
        self._non_trainable_names: list[str] = []
        self._regularizers: dict[str, regularizers.Regularizer | None] = {}
        self._constraints: dict[str, Callable | None] = {}
        self._choices: dict[str, dict[str, Any]] = {}

    @_marking_as_built
    def build(self, input_shape):
        """Create the weights for inputs of input_shape, whose first entry, the batch, is None.

        The layer is built then, whoever calls this.
        """

    def check_input(self, x):
        """Raise ValueError where x has not the shape that the layer was built for."""

    def call(self, x, training=False):
        raise NotImplementedError(f"{type(self).__name__} must define call(x, training)")

    def choose(self, weight, initializer, regularizer, constraint):
        """How the weight of that name will start, and what holds it: arguments of add_weight."""
        self._choices[weight] = {
            "initializer": initializers.get(initializer),
            "regularizer": regularizers.get(regularizer),
            "constraint": constraints.get(constraint),
        }

    def add_weight(
        self, shape, initializer, trainable=True, regularizer=None, constraint=None, *, name: str
    ):
        """Set self.<name> to an array of `shape` drawn from the initializer.

        A network's loss adds the regularizer's penalty on it, and each update ends with constraint.
        ValueError for a shape with None, which is an axis that the inputs do not tell the size of.
        """
        if None in shape:
            raise ValueError(
                f"{self.name} cannot make its {name} of shape {shape}: "
                "the inputs lack an axis behind that of the batch, or its size is unknown"
            )
        names = self._trainable_names if trainable else self._non_trainable_names
        names.append(name)
        self._regularizers[name] = regularizers.get(regularizer)
        self._constraints[name] = constraints.get(constraint)
        setattr(self, name, initializer(shape, dtype=self.dtype))

    def forward(self, x, training=False, **arguments) -> tuple[Any, Callable]:
        """(y, backward), building the layer on first use; arguments such as mask go to call."""
        x = self.prepare(x)
        y, backward = self.call(x, training, **arguments)
        return y, backward if self.trainable else without_gradients(backward)

    def penalized_forward(self, x, training=False, mask=None):
        """(y, penalty, backward, mask of y), penalty = activity_regularizer(y) / n for n samples.

        backward(dy, dpenalty) is (dx, gradients); as that of forward, it may take needs_dx=False.
        """
        y, backward = self.forward(x, training, **self.mask_argument(mask))
        penalized = penalize_output(self.activity_regularizer, y, backward)
        return *penalized, self.compute_mask(x, mask)

    def mask_argument(self, mask):
        """The arguments of call that a mask of x makes."""
        return {"mask": mask} if self.takes_mask else {}

    def compute_mask(self, inputs, mask=None):
        """The mask of y: that of the inputs, which is lost where the layer does not support it."""
        if mask is None or self.supports_masking:
            return mask
        warnings.warn(f"{self.name} does not support masking: the mask ends here", stacklevel=2)
        return None

    def __call__(self, *inputs, **arguments):
        return self.forward(*inputs, **arguments)[0]

    def prepare(self, x):
        """x, an array or a list of them, in the layer's dtype, and the layer built for it."""
        if isinstance(x, list | tuple):
            if not self.takes_list:
                raise ValueError(f"{self.name} takes one array, not a list of {len(x)}")
            x = [self._cast(part) for part in x]
            input_shape = [(None, *part.shape[1:]) for part in x]
        else:
            x = self._cast(x)
            if not x.ndim:
                raise ValueError(f"{self.name} takes an array of samples, not {x[()]!r}")
            input_shape = (None, *x.shape[1:])
        self.ensure_built(input_shape)
        self.check_input(x)
        return x

    def _cast(self, x):
        x = np.asarray(x)
        if x.dtype.kind not in "biufc":
            raise ValueError(f"{self.name} takes an array of numbers, not {x.tolist()!r:.60}")
        castable = x.dtype.kind in "biuf" and x.dtype.itemsize <= 8
        return x.astype(self.dtype, copy=False) if castable else x

    def ensure_built(self, input_shape):
        if not self.built:
            self.build(input_shape)

    def compute_output_shape(self, input_shape):
        return input_shape

    @property
    def trainable(self) -> bool:
        """Whether the weights are trained; to set it sets that of every layer inside too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = value
        for layer in self.layers:
            layer.trainable = value

    @property
    def trainable_weights(self) -> list[np.ndarray]:
        own = [getattr(self, name) for name in self._trainable_names]
        inner = [weight for layer in self.layers for weight in layer.trainable_weights]
        return own + inner if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[np.ndarray]:
        trained = {id(weight) for weight in self.trainable_weights}
        return [weight for weight in self.weights if id(weight) not in trained]

    @property
    def weights(self) -> list[np.ndarray]:
        own = [getattr(self, name) for name in self._trainable_names + self._non_trainable_names]
        return own + [weight for layer in self.layers for weight in layer.weights]

    def weight_paths(self) -> list[str]:
        """The names of `weights`, such as "dense/kernel" or "encoder/dense/kernel"."""
        names = self._trainable_names + self._non_trainable_names
        return self._below(names + self._paths_inside("weight_paths"))

    def trainable_paths(self) -> list[str]:
        """The names of `trainable_weights`, such as "dense/kernel" or "encoder/dense/kernel"."""
        paths = self._trainable_names + self._paths_inside("trainable_paths")
        return self._below(paths) if self.trainable else []

    def _below(self, paths):
        """The paths of weights with this layer's name before them."""
        return [f"{self.name}/{path}" for path in paths]

    def _paths_inside(self, method):
        """The paths that a method of every layer inside returns, as they read from here."""
        return [
            path for layer in self.layers for path in layer._from_outside(getattr(layer, method)())
        ]

    def _from_outside(self, paths):
        """The paths as a layer around this one has them, without its own name."""
        return paths

    @property
    def seed_states(self) -> list[np.ndarray]:
        """What every seed generator hands out next: with `weights`, a layer's whole state."""
        own = [self.seed_generator.state] if self.seed_generator else []
        return own + [state for layer in self.layers for state in layer.seed_states]

    def seed_paths(self) -> list[str]:
        """The names of `seed_states`, such as "dropout/seed_generator"."""
        own = ["seed_generator"] if self.seed_generator else []
        return self._below(own + self._paths_inside("seed_paths"))

    def trainable_regularizers(self) -> list[regularizers.Regularizer | None]:
        """The regularizer of each of `trainable_weights`, or None."""
        own = [self._regularizers.get(name) for name in self._trainable_names]
        return own + self._of_all("trainable_regularizers") if self.trainable else []

    def trainable_constraints(self) -> list[Callable | None]:
        """The constraint of each of `trainable_weights`, or None."""
        own = [self._constraints.get(name) for name in self._trainable_names]
        return own + self._of_all("trainable_constraints") if self.trainable else []

    def _hold(self, layer):
        """Add to layers, where its name gets a number if another has it: dense, dense_1, …"""
        if not isinstance(layer, Layer) or layer in self.layers:
            raise ValueError(f"{type(self).__name__} takes layers, each once, not {layer!r}")
        numbered = re.compile(rf"{re.escape(layer.name)}(_\d+)?")
        number = sum(bool(numbered.fullmatch(other.name)) for other in self.layers)
        layer.name += f"_{number}" if number else ""
        self.layers.append(layer)

    def _of_all(self, method):
        """What a method of every layer inside returns, in one list."""
        return [each for layer in self.layers for each in getattr(layer, method)()]

    def get_weights(self) -> list[np.ndarray]:
        return [weight.copy() for weight in self.weights]

    def set_weights(self, weights):
        """Copy arrays, in the order of `weights`, into this layer. ValueError on other shapes."""
        given, expected = [np.shape(w) for w in weights], [w.shape for w in self.weights]
        if given != expected:
            raise ValueError(f"{self.name} has weights of shapes {expected}, given were {given}")
        for weight, value in zip(self.weights, weights, strict=True):
            weight[...] = value

    def count_params(self) -> int:
        return sum(weight.size for weight in self.weights)


def activate(activation, z, backward_z):
    """(y, backward) of y = activation(z), given z with its own backward."""
    y, backward_activation = activation(z)

    def backward(dy, needs_dx=True):
        return backward_z(backward_activation(dy), needs_dx)

    return y, backward


def without_gradients(backward):
    """The backward of what has no trainable weights: (dx, []), or (None, []) without needs_dx."""
    return lambda *dy, needs_dx=True: (backward(*dy)[0] if needs_dx else None, [])


class Input:
    """The shape of one sample, as the first entry of a Sequential, which it builds."""

    def __init__(self, shape=None):
        if shape is None:
            raise ValueError("Input takes the shape of one sample, such as (784,)")
        self.shape = tuple(shape)
