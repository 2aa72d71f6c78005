"""Bugs of recurrent layers: what came back through time, what a gate lets through, what is kept."""

from .bug import Bug

SEQUENCE = {"x": "3x5x4"}
UNITS = {"units": 6}
LSTM = {"z": "3x20", "c": "3x5"}
GRU = {"x": "3x15", "inner": "3x15", "h": "3x5"}

BUGS = (
    Bug(
        name="time-without-its-way-back",
        target="recurrent.layers.Recurrent.step",
        checks="recurrent.SimpleRNN",
        right="return dx, [dh, *dothers]",
        wrong="return dx, [np.zeros_like(h), *dothers]",
        story="Each step is differentiated, and none hands its gradient to the step before. Only "
        "the last step learns.",
        symptom="The gradient of every input but the last is zero.",
        cause="zeroed rows",
        source="a classic of truncated backpropagation",
        inputs=SEQUENCE,
        arguments=UNITS,
    ),
    Bug(
        name="recurrent-kernel-sees-the-new-state",
        target="recurrent.layers.Recurrent.step",
        checks="recurrent.SimpleRNN",
        right="dweights = backward_product(dz, needs_dx)",
        wrong="dweights = product(x, states[0])[1](dz, needs_dx)",
        story="The recurrent kernel's gradient is made of each step's own h, where the product was "
        "with the h before it. All shapes fit, and all but this one gradient is right.",
        symptom="The gradient of recurrent_kernel is that of states one step too late.",
        cause="no simple pattern",
        source="a classic off-by-one of backpropagation through time",
        inputs=SEQUENCE,
        arguments=UNITS | {"return_sequences": True},
    ),
    Bug(
        name="lstm-forget-gate-without-its-derivative",
        target="recurrent.lstm_gates",
        right="back_f(dc * c)",
        wrong="dc * c",
        story="The gradient of the forget gate stops before its sigmoid. The other three gates "
        "have theirs, so that three quarters of it are right.",
        symptom="The gradient of z is wrong in the columns of one gate.",
        cause="some rows",
        source="a classic",
        inputs=LSTM,
    ),
    Bug(
        name="lstm-shows-its-cell-without-tanh-s-derivative",
        target="recurrent.lstm_gates",
        right="dc = dc + back_shown(dh * o)",
        wrong="dc = dc + dh * o",
        story="h = o * tanh(c), and its gradient comes to c as if h were o * c. Cells near zero "
        "hide it, because there the slope of tanh is one.",
        symptom="The gradient of c is too large.",
        cause="some rows",
        source="a classic",
        inputs=LSTM,
    ),
    Bug(
        name="lstm-gates-in-another-order",
        target="recurrent.lstm_gates",
        right="z_i, z_f, z_g, z_o = parts_of",
        wrong="z_i, z_f, z_o, z_g = parts_of",
        story="The columns of the kernels are read in the order i f o g, where Keras has i f g o. "
        "Training does not notice, and weights taken over from another library make nonsense.",
        symptom="Every output differs.",
        cause="forward",
        source="the order of ONNX, i o f c, and of PyTorch, i f g o",
        inputs=LSTM,
    ),
    Bug(
        name="gru-update-gate-the-other-way-round",
        target="recurrent.gru_gates",
        right="return z * h + (1 - z) * g",
        wrong="return (1 - z) * h + z * g",
        story="The update gate says what is new, where in Keras it says what is kept. Papers "
        "have it either way.",
        symptom="Every output differs, and so does every gradient.",
        cause="forward",
        source="Cho et al. (2014) and Chung et al. (2014), which differ in it",
        inputs=GRU,
    ),
    Bug(
        name="gru-reset-gate-forgotten-on-the-way-back",
        target="recurrent.gru_gates",
        right="dg * r], axis=-1)",
        wrong="dg], axis=-1)",
        story="In forward the reset gate scales what comes from h, and in backward it does not. An "
        "open gate hides it.",
        symptom="The gradient of inner lacks the factor r in the columns of g.",
        cause="wrong argument",
        source="a classic",
        inputs=GRU,
    ),
    Bug(
        name="gru-keeps-nothing-on-the-way-back",
        target="recurrent.gru_gates",
        right="dinner, dh * z",
        wrong="dinner, np.zeros_like(h)",
        story="h also goes straight into the mix of old and new, and that path of its gradient is "
        "left out. What is left are the paths through the gates.",
        symptom="The gradient of h is zero.",
        cause="zero gradient",
        source="a classic",
        inputs=GRU,
    ),
    Bug(
        name="padding-forgets-the-state",
        target="recurrent.steps._masked",
        checks="recurrent.SimpleRNN",
        right="np.where(mask, after, before)",
        wrong="np.where(mask, after, 0)",
        story="At a masked step the states are set to zero, where they should wait for the next "
        "step. Sequences padded behind come out as nothing.",
        symptom="The outputs after a masked step are those of a sequence that begins there.",
        cause="forward",
        source="keras-team/keras #3086, on masks in recurrent layers",
        inputs=SEQUENCE,
        arguments=UNITS,
        call={"mask": [[1, 1, 1, 0, 0], [1, 0, 1, 0, 1], [0, 1, 1, 1, 1]]},
    ),
    Bug(
        name="backwards-and-not-back-again",
        target="recurrent.layers.Recurrent.in_order_back",
        checks="recurrent.LSTM",
        right="dsteps[:: -1 if self.go_backwards else 1]",
        wrong="dsteps",
        story="The sequence is read from its end, and the gradient of its first step is handed to "
        "its last. The weights learn as they should, and so it goes unseen in a first layer.",
        symptom="The gradient of x has its steps in reverse.",
        cause="flipped",
        source="a classic of bidirectional layers",
        inputs=SEQUENCE,
        arguments=UNITS | {"go_backwards": True},
    ),
)
