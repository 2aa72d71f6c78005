"""Two recurrent layers over one sequence: one reads it from the front, the other from the back."""

from scratch.merging import add, average, concatenate, multiply

from .layers import Recurrent
from .states import RunOfStates

_MERGES = {"concat": concatenate, "sum": add, "mul": multiply, "ave": average}


class Bidirectional(RunOfStates):
    """y = merge(forward_layer(x), backward_layer(x)), the second with its steps in the order of x.

    forward_layer is another layer of the settings of `layer`, and so is backward_layer, but for
    go_backwards, unless it is given. merge_mode is concat, sum, mul, ave, or None for a list of
    both. The states are those of the first, then those of the second. As in Keras, sequences are
    zero at masked steps. Source: Schuster and Paliwal, Bidirectional Recurrent Neural Networks.
    """

    def __init__(self, layer, merge_mode="concat", backward_layer=None, **kwargs):
        super().__init__(**kwargs)
        if merge_mode not in (*_MERGES, None):
            raise ValueError(f"merge_mode is concat, sum, mul, ave or None, not {merge_mode!r}")
        self.merge_mode = merge_mode
        self.number_of_outputs = 2 if merge_mode is None else 1
        name = _recurrent(layer).name
        self.forward_layer = layer.another(name=f"forward_{name.removeprefix('forward_')}")
        self.backward_layer = _recurrent(
            backward_layer
            or layer.another(name=f"backward_{name.removeprefix('backward_')}", go_backwards=True)
        )
        self.layers = [self.forward_layer, self.backward_layer]
        if self.forward_layer.go_backwards == self.backward_layer.go_backwards:
            raise ValueError("one of the two layers goes backwards, and the other does not")
        self.return_sequences = self._common("return_sequences")
        self.return_state = self._common("return_state")
        self.units = self.forward_layer.units
        self.width = self.units
        if merge_mode == "concat":
            self.width += self.backward_layer.units
        elif merge_mode is not None:
            self._common("units")
        self.number_of_states = 2 * self.forward_layer.number_of_states
        for each in self.layers:
            each.zero_output_for_mask = self.return_sequences

    def _common(self, name):
        ahead, back = (getattr(layer, name) for layer in self.layers)
        if ahead != back:
            raise ValueError(f"both layers have the same {name}, not {ahead} and {back}")
        return ahead

    def build(self, input_shape):
        for layer in self.layers:
            layer.ensure_built(input_shape)

    def check_input(self, x):
        self.forward_layer.check_input(x)

    def run(self, x, training, mask, initial_state):
        count = self.number_of_states // 2
        given = [None, None] if initial_state is None else _cut(initial_state, count)
        runs = [
            layer.run(x, training, mask, states)
            for layer, states in zip(self.layers, given, strict=True)
        ]
        ((y_ahead, *ahead), backward_ahead), ((y_back, *back), backward_back) = runs
        ys, backward_merge = self.merge(y_ahead, self.from_the_front(y_back))

        def backward(dys, needs_dx=True):
            dys, dstates = _cut(dys, len(ys))
            dy_ahead, dy_back = backward_merge(dys)
            dahead, dback = _cut(dstates, count)
            (dx, *dahead), of_ahead = backward_ahead([dy_ahead, *dahead], needs_dx)
            (more, *dback), of_back = backward_back(
                [self.from_the_front(dy_back), *dback], needs_dx
            )
            both = zip(self.layers, (of_ahead, of_back), strict=True)
            gradients = [each for layer, of in both if layer.trainable for each in of]
            return (dx + more if needs_dx else None, *dahead, *dback), gradients

        return [*ys, *ahead, *back], backward

    def from_the_front(self, y):
        """What begins with the last step, beginning with the first, and the other way round."""
        return y[:, ::-1] if self.return_sequences else y

    def merge(self, y_ahead, y_back):
        """(the list of outputs, backward)."""
        if self.merge_mode is None:
            return [y_ahead, y_back], lambda dys: dys
        y, backward = _MERGES[self.merge_mode](y_ahead, y_back)
        return [y], lambda dys: backward(*dys)


def _recurrent(layer):
    if not isinstance(layer, Recurrent):
        raise ValueError(f"Bidirectional takes a SimpleRNN, LSTM or GRU, not {layer!r}")
    return layer


def _cut(parts, count):
    return list(parts[:count]), list(parts[count:])
