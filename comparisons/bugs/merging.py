"""Bugs where branches meet: who gets the gradient, with which sign, and in which shape."""

from .bug import Bug

TWO = {"x1": "5x3", "x2": "5x3"}
BROADCAST = {"x1": "5x3", "x2": "1x3"}

BUGS = (
    Bug(
        name="one-branch-forgotten",
        target="merging.add",
        right="lambda dy: tuple(_summed_back(dy, x) for x in inputs)",
        wrong="lambda dy: (dy, *(np.zeros_like(x) for x in inputs[1:]))",
        story="The gradient of a sum goes down the first branch only. The other branch stays as it "
        "was drawn, and training works without it.",
        symptom="The gradient of the second input is zero.",
        cause="zero gradient",
        source="a classic of residual networks",
        inputs=TWO,
    ),
    Bug(
        name="difference-without-its-minus",
        target="merging.subtract",
        right="_summed_back(-dy, x2)",
        wrong="_summed_back(dy, x2)",
        story="Both inputs of a difference get the same gradient. The second is pushed the wrong "
        "way.",
        symptom="The gradient of the second input has the wrong sign.",
        cause="sign",
        source="a classic",
        inputs=TWO,
    ),
    Bug(
        name="product-with-itself",
        target="merging.multiply",
        right="[*inputs[:i], *inputs[i + 1 :]]",
        wrong="[inputs[i]]",
        story="Each factor's gradient is multiplied by that factor, not by the other one. The "
        "multiply node must keep both, and hand them over crosswise.",
        symptom="Each gradient has the factor of the other.",
        cause="swapped gradients",
        source="a classic of computation graphs",
        inputs=TWO,
    ),
    Bug(
        name="average-of-branches-not-divided",
        target="merging.average",
        right="backward(dy / len(inputs))",
        wrong="backward(dy)",
        story="Forward averages the branches, backward hands each the full gradient. It is the "
        "backward of a sum.",
        symptom="Both gradients are twice what they should be.",
        cause="times 2",
        source="a classic",
        inputs=TWO,
    ),
    Bug(
        name="broadcast-not-summed-back",
        target="merging._summed_back",
        checks="merging.add",
        right="return backward(d)",
        wrong="return d",
        story="One row was added to every row, and its gradient comes back once per row. NumPy "
        "broadcasts the update as well, and the row grows into a matrix.",
        symptom="The gradient of the row has the shape of the output.",
        cause="shape",
        source="a classic of broadcasting",
        inputs=BROADCAST,
    ),
    Bug(
        name="broadcast-averaged-back",
        target="merging._summed_back",
        checks="merging.add",
        right="return backward(d)",
        wrong="return backward(d) * x.size / d.size",
        story="The gradient of a row that was added to every row is averaged to get its shape "
        "back. What is used n times has n times the gradient, not their mean.",
        symptom="The gradient of the row is 1/N of what it should be.",
        cause="divided by N",
        source="a classic of broadcasting",
        inputs=BROADCAST,
    ),
    Bug(
        name="maximum-pays-both",
        target="merging.maximum",
        right="            rest = rest - share\n",
        wrong="",
        story="Where two inputs are equal, both get the gradient of the larger one. It is then "
        "counted twice.",
        symptom="The gradient of the second input is wrong only where both are equal.",
        cause="at ties",
        source="our own",
        inputs={"x1": "5x3:ties", "x2": "5x3:ties"},
    ),
    Bug(
        name="maximum-shares-its-ties",
        target="merging.maximum",
        right="share = rest * (x == y)",
        wrong="share = dy * (x == y) / sum(z == y for z in inputs)",
        story="Where two inputs are equal, each gets half, as in TensorFlow's reduce_max. "
        "TensorFlow's maximum gives all to the first: two conventions of one library.",
        symptom="A difference only at ties, and none in their sum: another convention.",
        cause="tie",
        source="tensorflow #4886 and #51682",
        inputs={"x1": "5x3:ties", "x2": "5x3:ties"},
    ),
    Bug(
        name="parts-handed-back-in-reverse",
        target="merging.concatenate",
        right="tuple(np.split(dy, ends, axis))",
        wrong="tuple(np.split(dy, ends, axis))[::-1]",
        story="The parts of the gradient are handed back to the inputs in reverse. Inputs of one "
        "width, the usual ones, take whatever they are given.",
        symptom="Two gradients of one shape stand in each other's place.",
        cause="swapped gradients",
        source="our own",
        inputs=TWO,
    ),
)
