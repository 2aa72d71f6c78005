"""Bugs of dropout: what the mask is, and by how much what is left grows."""

from .bug import Bug

DROPOUT = {"inputs": {"inputs": "9x7"}, "arguments": {"rate": 0.3, "seed": 5}}
RETURN = "return drop(inputs), drop  # linear, each element by itself: its own backward"

BUGS = (
    Bug(
        name="dropout-not-scaled-in-backward",
        target="random.dropout",
        right=RETURN,
        wrong="return drop(inputs), lambda dy: np.where(keep, dy, 0)",
        story="Forward divides what it keeps by the share that is kept, backward only applies the "
        "mask. Layers in front of the dropout learn more slowly than those behind it.",
        symptom="The gradient is 1 - rate times what it should be.",
        cause="keep rate",
        source="a classic of inverted dropout",
        **DROPOUT,
        trains="dropout",
    ),
    Bug(
        name="dropout-not-masked-in-backward",
        target="random.dropout",
        right=RETURN,
        wrong="return drop(inputs), lambda dy: dy * scale",
        story="Backward scales and does not mask, so that units which did not speak are taught as "
        "if they had. The mask of the forward pass was not kept.",
        symptom="The gradient is wrong only where it should be zero.",
        cause="mask missing",
        source="ddbourgin/numpy-ml #94",
        **DROPOUT,
        trains="dropout",
    ),
    Bug(
        name="dropout-drawn-again",
        target="random.dropout",
        right=RETURN,
        wrong="return drop(inputs), lambda dy: dropout(dy, rate, noise_shape)[0]",
        story="Backward draws a mask of its own instead of using that of the forward pass. Most of "
        "what it returns belongs to units that were off.",
        symptom="Every call of backward gives another gradient.",
        cause="not repeatable",
        source="Benny-Nottonson/voodoo #19",
        **DROPOUT,
        trains="dropout",
    ),
    Bug(
        name="dropout-keeps-what-it-should-drop",
        target="random.dropout",
        right="u >= float(rate)",
        wrong="u < float(rate)",
        story="rate is taken for the share that is kept, as in TensorFlow 1. At 0.5 nobody "
        "notices.",
        symptom="A share of 1 - rate is zero, where it should be a share of rate.",
        cause="forward",
        source="the change from keep_prob to rate between TensorFlow 1 and 2",
        **DROPOUT,
        trains="dropout",
    ),
    Bug(
        name="dropout-mask-from-zeros",
        target="random.dropout",
        right=RETURN,
        wrong="return drop(inputs), lambda dy: np.where(inputs == 0, dy, drop(dy))",
        story="Backward recognises the units that were dropped by comparing output and input. An "
        "input of exactly 0 looks as if it had been kept.",
        symptom="The gradient is wrong only where the input is exactly 0.",
        cause="at zeros",
        source="kaldi-asr/kaldi #3890",
        inputs={"inputs": "9x7:ties"},
        arguments={"rate": 0.3, "seed": 5},
    ),
)
