"""Bugs of residual blocks: what takes the shortcut forth has to take it back."""

from .bug import Bug

IMAGES = {"x": "2x5x7x3"}

BUGS = (
    Bug(
        name="shortcut-has-no-way-back",
        target="residual.ResidualBlock.preactivation",
        right="dx + dx_kept",
        wrong="dx",
        story="The gradient comes back through the convolutions alone. The shortcut is there for "
        "its sake: without it the first blocks of a deep network hardly learn.",
        symptom="The block's own weights are right, and dx lacks the upstream gradient.",
        cause="path missing",
        source="a classic of residual networks",
        inputs=IMAGES,
        arguments={"filters": 3},
    ),
    Bug(
        name="shortcut-overwrites-the-gradient",
        target="residual.ResidualBlock.preactivation",
        right="dx + dx_kept",
        wrong="dx_kept",
        story="The second gradient of x takes the place of the first instead of being added to it. "
        "What is used twice has two gradients.",
        symptom="dx is that of the shortcut alone, which is dy behind the last relu.",
        cause="another activation",
        source="a classic: grad = … where grad += … belongs",
        inputs=IMAGES,
        arguments={"filters": 3},
    ),
    Bug(
        name="shortcut-past-the-last-relu",
        target="residual.ResidualBlock.call",
        right="return activate(self.activation, *self.preactivation(x))",
        wrong="""\
self.second.activation = self.activation
    return self.preactivation(x)""",
        story="The relu stands before the sum, not after it. What is added can then never be "
        "negative, and activations grow from block to block.",
        symptom="The output is never smaller than x.",
        cause="forward",
        source="He et al., Identity Mappings in Deep Residual Networks, where it is measured",
        inputs=IMAGES,
        arguments={"filters": 3},
    ),
    Bug(
        name="projection-learns-nothing",
        target="residual.ResidualBlock._shortcut",
        right="return self.projection.forward(x)",
        wrong="""\
y, backward = self.projection.forward(x)
    return y, lambda dy, needs_dx=True: (backward(dy)[0], [0 * self.projection.kernel])""",
        story="The projection was added for the shapes' sake, and its kernel has no gradient. It "
        "stays as it was drawn, and training works around it.",
        symptom="The gradient of the projection's kernel is zero.",
        cause="zero gradient",
        source="a classic of layers that are not registered",
        inputs=IMAGES,
        arguments={"filters": 4},
    ),
)
