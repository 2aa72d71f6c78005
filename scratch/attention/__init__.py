"""Attention: every step of a sequence takes from the others what is alike to what it asks for."""

from .encoder import PositionEmbedding, TransformerEncoder
from .functions import (
    additive_scores,
    concat_scores,
    dot_product_attention,
    dot_scores,
    masked_softmax,
)
from .heads import MultiHeadAttention
from .layers import AdditiveAttention, Attention

__all__ = [
    "AdditiveAttention",
    "Attention",
    "MultiHeadAttention",
    "PositionEmbedding",
    "TransformerEncoder",
    "additive_scores",
    "concat_scores",
    "dot_product_attention",
    "dot_scores",
    "masked_softmax",
]
