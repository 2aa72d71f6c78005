"""Branches: layers side by side, each with an input of its own or all with one, and then merged."""

import keras


@keras.saving.register_keras_serializable("reference")
class Branches(keras.layers.Layer):
    """y = merge([layer(x_i) for each of the layers]), for a list x of one input for each layer.

    Where x is one tensor, all layers see it.
    """

    def __init__(self, layers, merge, **kwargs):
        super().__init__(**kwargs)
        self.branches = list(layers)
        self.merge = merge

    def call(self, x, training=None):
        inputs = x if isinstance(x, list | tuple) else [x] * len(self.branches)
        pairs = zip(self.branches, inputs, strict=True)
        return _called(self.merge, [_called(*pair, training) for pair in pairs], training)

    def compute_output_shape(self, input_shape):
        has_one = not isinstance(input_shape[0], list | tuple)
        shapes = [input_shape] * len(self.branches) if has_one else input_shape
        pairs = zip(self.branches, shapes, strict=True)
        return self.merge.compute_output_shape([b.compute_output_shape(s) for b, s in pairs])

    def get_config(self):
        inside = {"layers": self.branches, "merge": self.merge}
        return super().get_config() | keras.saving.serialize_keras_object(inside)

    @classmethod
    def from_config(cls, config):
        inside = {name: config[name] for name in ("layers", "merge")}
        return cls(**config | keras.saving.deserialize_keras_object(inside))


def _called(layer, x, training):
    """layer(x), told whether it is in training where it makes a difference."""
    return layer(x, training=training) if layer._call_has_training_arg else layer(x)
