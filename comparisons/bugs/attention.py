"""Bugs of attention: what scores are divided by, what they run over, and who may see whom."""

from .bug import Bug

HEADS = {"query": "2x4x3x5", "key": "2x7x3x5", "value": "2x7x3x6"}
OWN = {"query": "2x5x3x4", "key": "2x5x3x4", "value": "2x5x3x6"}

BUGS = (
    Bug(
        name="scores-not-divided-by-the-root",
        target="attention.dot_product_attention",
        right="1 / np.sqrt(np.float32(query.shape[-1])) if scale is None else np.float32(scale)",
        wrong="np.float32(1 if scale is None else scale)",
        story="The scores are not divided by √d. Wide queries and keys have large products, and "
        "the softmax saturates.",
        symptom="The weights are too near to 0 and 1.",
        cause="forward",
        source="a classic; Vaswani et al. tell why the root is there",
        inputs=HEADS,
    ),
    Bug(
        name="root-missing-on-the-way-back",
        target="attention.functions.attend",
        checks="attention.dot_product_attention",
        right="restore_query(dquery) * scale",
        wrong="restore_query(dquery)",
        story="The query was multiplied by 1 / √d before it met the keys, and its gradient is not. "
        "The outputs are right, and the network learns, with steps too large.",
        symptom="The gradient of the query is √d times too large.",
        cause="times sqrt(d)",
        source="our own",
        inputs=HEADS,
    ),
    Bug(
        name="softmax-over-the-queries",
        target="attention.functions.hidden_softmax",
        checks="attention.dot_product_attention",
        right="    weights /= weights.sum(-1, keepdims=True)\n",
        wrong="    weights /= weights.sum(-2, keepdims=True)\n",
        story="The weights are divided by their sum over the queries, not over the keys. Each key "
        "then gives itself away once, and a query may get nothing or everything.",
        symptom="The weights of a query do not sum to one.",
        cause="forward",
        source="a classic of dim=1 where dim=-1 belongs",
        inputs=HEADS,
    ),
    Bug(
        name="attention-without-the-row-sum",
        target="attention.functions._backward_softmax",
        checks="attention.masked_softmax",
        right='dweights - np.einsum("...s,...s->...", dweights, weights)[..., np.newaxis]',
        wrong="dweights.copy()",
        story="The softmax's backward is weights times dweights, without what all weights of a row "
        "have in common. A row's gradient should sum to zero, for a shift of its scores is not "
        "seen.",
        symptom="The gradient of a row of scores does not sum to zero.",
        cause="softmax sum missing",
        source="a classic",
        inputs={"scores": "2x5x7"},
    ),
    Bug(
        name="query-and-key-gradients-swapped",
        target="attention.dot_scores",
        right="dproducts @ key, _transposed(dproducts) @ query",
        wrong="_transposed(dproducts) @ query, dproducts @ key",
        story="Query and key get each other's gradient. In self-attention both have one shape, and "
        "nothing complains.",
        symptom="Two gradients of one shape stand in each other's place.",
        cause="swapped gradients",
        source="our own",
        inputs={"query": "2x5x3", "key": "2x5x3"},
    ),
    Bug(
        name="causal-off-by-one",
        target="attention.functions.causal",
        checks="attention.dot_product_attention",
        right="np.tri(queries, keys, dtype=bool)",
        wrong="np.tri(queries, keys, 1, dtype=bool)",
        story="Each step also sees the next one. A network that is to foretell it copies it, and "
        "its loss is wonderful.",
        symptom="The output of a step depends on the step after it.",
        cause="forward",
        source="a classic of triu(diagonal=2)",
        inputs=OWN,
        arguments={"is_causal": True},
    ),
    Bug(
        name="mask-the-other-way-round",
        target="attention.functions.hidden_softmax",
        checks="attention.dot_product_attention",
        right="np.where(mask, scores, HIDDEN)",
        wrong="np.where(mask, HIDDEN, scores)",
        story="The mask is True for what counts, and is read as True for what is hidden. Other "
        "libraries' masks mean the one, Keras's the other.",
        symptom="Queries see what they should not, and nothing else.",
        cause="forward",
        source="a classic of moving between libraries",
        inputs=OWN,
        arguments={"is_causal": True},
    ),
    Bug(
        name="heads-merged-in-the-wrong-order",
        target="attention.functions._steps_last",
        checks="attention.dot_product_attention",
        right="return y.reshape(*samples, *steps, y.shape[-1]).transpose(np.argsort(order))",
        wrong="return y.reshape(*(x.shape[i] for i in range(x.ndim - 1)), y.shape[-1])",
        story="The heads' outputs are reshaped to steps and heads where they should be transposed. "
        "The shape is right, and features of different steps stand side by side.",
        symptom="Numbers of one head and step turn up at another.",
        cause="forward",
        source="a classic: .view without .transpose",
        inputs=HEADS,
    ),
    Bug(
        name="positions-averaged-over-the-batch",
        target="attention.PositionEmbedding.call",
        right="dy.sum(axis=0)",
        wrong="dy.mean(axis=0)",
        story="Every sample adds the same positions, and their gradient is averaged over the "
        "samples. What is used n times has n times the gradient; the loss has done the averaging.",
        symptom="The gradient of the positions is 1/N of what it should be.",
        cause="divided by N",
        source="our own",
        inputs={"x": "5x4x3"},
    ),
)
