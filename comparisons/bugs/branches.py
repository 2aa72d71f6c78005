"""Bugs of branches: every branch has its own gradients, and one input those of all."""

from comparisons.pairs import Pair

from .bug import Bug

TWO = {"x1": "5x3", "x2": "5x3"}
TANH = {"units": 3, "activation": "tanh", "name": "tanh"}
SIGMOID = {"units": 3, "activation": "sigmoid", "name": "sigmoid"}
SIDE_BY_SIDE = {
    "layers": [Pair("dense", "Dense", arguments=how) for how in (TANH, SIGMOID)],
    "merge": Pair("merging", "Concatenate"),
}
AROUND = {
    "layers": [
        Pair("dense", "Activation", arguments={"activation": "linear"}),
        Pair("dense", "Dense", arguments=TANH),
    ],
    "merge": Pair("merging", "Add"),
}

BUGS = (
    Bug(
        name="last-branch-overwrites-dx",
        target="branches._sum",
        checks="branches.Branches",
        right="functools.reduce(np.add, given)",
        wrong="given[-1]",
        story="All branches see one input, and the gradient of each takes the place of the one "
        "before. What is used twice has two gradients.",
        symptom="dx is that of the last branch alone.",
        cause="path missing",
        source="a classic: grad = … where grad += … belongs",
        inputs={"x": "5x3"},
        arguments=AROUND,
    ),
    Bug(
        name="branches-collected-backwards",
        target="branches.Branches._merged",
        checks="branches.Branches",
        right="(*of_branches, of_merge)",
        wrong="(*of_branches[::-1], of_merge)",
        story="The gradients are collected from the last branch to the first, as those of a chain "
        "are. Branches of one width, the usual ones, take whatever they are given.",
        symptom="The weights of each branch have the gradients of the other's.",
        cause="swapped gradients",
        source="our own",
        inputs=TWO,
        arguments=SIDE_BY_SIDE,
    ),
)
