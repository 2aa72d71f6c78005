"""Recurrent layers: a cell that sees a sequence step by step, and the way back through time."""

from .bidirectional import Bidirectional
from .gates import gru_gates, gru_gates_reset_before, lstm_gates
from .layers import GRU, LSTM, SimpleRNN
from .steps import scan

__all__ = [
    "GRU",
    "LSTM",
    "Bidirectional",
    "SimpleRNN",
    "gru_gates",
    "gru_gates_reset_before",
    "lstm_gates",
    "scan",
]
