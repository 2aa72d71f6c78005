from .pair import Pair


def rows() -> tuple[Pair, ...]:
    two = {"x1": "3x5", "x2": "3x5"}
    repeated = {"x1": "3x5x7", "x2": "3x1x7"}
    three = {"x1": "5x7", "x2": "5x7", "x3": "5x7"}  # with each the largest somewhere
    several = ("add", "multiply", "average", "maximum", "minimum")
    apart = {"x1": "3x5x2", "x2": "3x4x5"}
    return (
        *(Pair("merging", name, three) for name in several),
        *(Pair("merging", name, repeated, case="repeated") for name in several),
        Pair("merging", "subtract", two),
        Pair("merging", "subtract", repeated, case="repeated"),
        Pair("merging", "concatenate", {"x1": "3x5", "x2": "3x2"}),
        Pair("merging", "concatenate", {"x1": "3x5x7", "x2": "3x2x7"}, {"axis": 1}, "axis 1"),
        Pair("merging", "dot", two),
        Pair("merging", "dot", apart, {"axes": (1, 2)}, "matrices"),
        Pair("merging", "dot", apart, {"axes": (1, 2), "normalize": True}, "cosines"),
        *(Pair("merging", name.title(), three, {}, "", "layer") for name in several),
        Pair("merging", "Add", {"x1": "3x5x7", "x2": "3x1x7"}, {}, "repeated", "layer"),
        Pair("merging", "Subtract", two, {}, "", "layer"),
        Pair("merging", "Concatenate", {"x1": "3x5x7", "x2": "3x2x7"}, {"axis": 1}, "", "layer"),
        Pair("merging", "Dot", two, {"axes": 1}, "", "layer"),
        Pair("merging", "Dot", apart, {"axes": (1, 2), "normalize": True}, "cosines", "layer"),
    )
