"""Bugs of the embedding: what becomes of a row that is looked up more than once."""

from .bug import Bug

INPUTS = {"indices": "4x5:int:6", "embeddings": "6x3"}

BUGS = (
    Bug(
        name="repeated-indices-overwrite",
        target="embedding.embedding",
        right="np.add.at(dembeddings, places.reshape(-1), dy.reshape(-1))",
        wrong="dembeddings[places.reshape(-1)] += dy.reshape(-1)",
        story="d[indices] += dy adds each index once, however often it occurs: NumPy reads, adds "
        "and writes back. A word that is said twice is learnt from one of the places.",
        symptom="The gradient is wrong only in the rows that are looked up more than once.",
        cause="duplicate indices",
        source="HIPS/autograd #39; apache/mxnet #9172",
        inputs=INPUTS,
    ),
    Bug(
        name="looked-up-rows-averaged",
        target="embedding.embedding",
        right="return dembeddings.reshape(rows, width)",
        wrong="counts = np.bincount(indices.reshape(-1), minlength=rows)\n"
        "        return dembeddings.reshape(rows, width) / np.maximum(counts, 1)[:, np.newaxis]",
        story="The gradient of a row is divided by how often the row was looked up. Frequent words "
        "then learn no faster than rare ones.",
        symptom="Every row has a factor of its own, one over the number of its places.",
        cause="duplicate indices",
        source="PyTorch's scale_grad_by_freq, which does so on request",
        inputs=INPUTS,
    ),
    Bug(
        name="row-before-the-right-one",
        target="embedding.embedding",
        right="indices.reshape(-1, 1) * width",
        wrong="(indices.reshape(-1, 1) - 1) % rows * width",
        story="Words are numbered from 1 in backward and from 0 in forward. Every vector learns "
        "what the next one should, and index -1 is the last row.",
        symptom="The gradient is rolled by one row.",
        cause="rolled",
        source="our own",
        inputs=INPUTS,
    ),
    Bug(
        name="gradient-of-the-rows-looked-up",
        target="embedding.embedding",
        right="return dembeddings.reshape(rows, width)",
        wrong="return dy.reshape(-1, width)",
        story="The gradient of the vectors that were looked up is returned in place of that of the "
        "table. It has a row per place, not per word.",
        symptom="The gradient has the shape of the output.",
        cause="shape",
        source="our own",
        inputs=INPUTS,
    ),
)
