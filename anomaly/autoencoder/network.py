"""Reconstruction of windows by given weights, in NumPy: scoring needs no torch.

Reference: P. Malhotra et al., "LSTM-based Encoder-Decoder for Multi-sensor Anomaly Detection",
ICML 2016 workshop; S. Hochreiter and J. Schmidhuber, "Long Short-Term Memory", Neural Computation
1997. The decoder writes the window from its newest sample backwards, as theirs does.
"""

from __future__ import annotations

import numpy as np

from anomaly.autoencoder.weights import Matrix, Weights

ROWS_AT_ONCE = 16
"""Windows go through in blocks of exactly this many, the last one filled up: a product of another
shape rounds otherwise, and what is said of one series must not depend on how many others there
are."""


def reconstruct(weights: Weights, windows: Matrix) -> Matrix:
    """Return what the autoencoder makes of each window.

    Args:
        windows: rows x samples, without gaps, in robust spreads.
    """
    rows, samples = windows.shape
    blocks = -(-rows // ROWS_AT_ONCE)
    padded = np.zeros((blocks * ROWS_AT_ONCE, samples), dtype=np.float32)
    padded[:rows] = windows
    shaped = padded.reshape(blocks, ROWS_AT_ONCE, samples)
    written = _written(weights, _code(weights, shaped), samples)
    return written.reshape(-1, samples)[:rows]


def _code(weights: Weights, blocks: Matrix) -> Matrix:
    hidden: Matrix = np.zeros((*blocks.shape[:2], weights.units), dtype=np.float32)
    cell = np.zeros_like(hidden)
    for at in range(blocks.shape[2]):
        entry = blocks[:, :, at, None] * weights.encoder_input[0] + weights.encoder_bias
        hidden, cell = _step(entry + hidden @ weights.encoder_recurrent, cell)
    return hidden


def _written(weights: Weights, code: Matrix, samples: int) -> Matrix:
    driven: Matrix = code @ weights.decoder_input + weights.decoder_bias
    hidden, cell = np.zeros_like(code), np.zeros_like(code)
    written = np.empty((*code.shape[:2], samples), dtype=np.float32)
    for at in reversed(range(samples)):
        hidden, cell = _step(driven + hidden @ weights.decoder_recurrent, cell)
        written[:, :, at] = (hidden @ weights.readout)[:, :, 0] + weights.readout_bias
    return written


def _step(gates: Matrix, cell: Matrix) -> tuple[Matrix, Matrix]:
    units = cell.shape[-1]
    entry, keep = _sigmoid(gates[..., :units]), _sigmoid(gates[..., units : 2 * units])
    offered = np.tanh(gates[..., 2 * units : 3 * units])
    cell = keep * cell + entry * offered
    return _sigmoid(gates[..., 3 * units :]) * np.tanh(cell), cell


def _sigmoid(values: Matrix) -> Matrix:
    half = np.float32(0.5)
    squashed: Matrix = half * np.tanh(half * values) + half
    return squashed
