"""Training an autoencoder with torch, the only module that needs it (extra ``deep``).

A training is carried along a few steps at a time, so that whoever scores meanwhile never waits for
the whole of it; how many steps there are is fixed, not how long they take, so a replay trains
exactly as the live service did.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from anomaly.autoencoder.weights import Matrix, Weights

BATCH_WINDOWS = 64
LEARNING_RATE = 3e-2
LARGEST_GRADIENT = 1.0
"""Norm beyond which a gradient is cut, as is usual with recurrent networks (R. Pascanu et al., "On
the difficulty of training recurrent neural networks", ICML 2013)."""

torch.set_num_threads(1)  # sums of several threads differ in the last digit from run to run


class Training:
    """Weights on their way to reconstruct given windows.

    Args:
        weights: to begin with.
        windows: rows x samples, without gaps, in robust spreads.
        steps: of gradient descent in all; the rate falls to zero over them, on a cosine.
        seed: of the order in which windows are drawn.
    """

    def __init__(self, weights: Weights, windows: Matrix, *, steps: int, seed: int) -> None:
        self._windows = torch.from_numpy(np.ascontiguousarray(windows, dtype=np.float32))
        self._random = np.random.default_rng(seed)
        self._network = Network(weights)
        self._optimizer = torch.optim.Adam(self._network.trained(), lr=LEARNING_RATE)
        self._steps = steps
        self._done = 0

    def advance(self, steps: int) -> bool:
        """Take that many steps, or what is left, and return whether training is over."""
        for _ in range(min(steps, self._steps - self._done)):
            self._take_step()
        return self._done >= self._steps

    def weights(self) -> Weights:
        """Return the weights reached."""
        return self._network.weights()

    def _take_step(self) -> None:
        rows = self._random.integers(0, len(self._windows), BATCH_WINDOWS)
        batch = self._windows[torch.from_numpy(rows)]
        for group in self._optimizer.param_groups:
            group["lr"] = LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * self._done / self._steps))
        self._optimizer.zero_grad()
        # Huber's loss: the few strange windows among what is learned must not be worth a code.
        loss = torch.nn.functional.smooth_l1_loss(self._network(batch), batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._network.trained(), LARGEST_GRADIENT)
        self._optimizer.step()
        self._done += 1


class Network(torch.nn.Module):  # type: ignore[misc]  # torch is not looked into
    """What ``network.reconstruct`` does, such that torch can differentiate it.

    Args:
        weights: to begin with.
    """

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        units = weights.units
        self._encoder = torch.nn.LSTM(1, units, batch_first=True)
        self._decoder = torch.nn.LSTM(units, units, batch_first=True)
        self._readout = torch.nn.Linear(units, 1)
        with torch.no_grad():
            for name, tensor in self._tensors().items():
                tensor.copy_(torch.from_numpy(getattr(weights, name).T.copy()))
            for part in (self._encoder, self._decoder):
                part.bias_hh_l0.zero_()  # a second bias adds nothing
                part.bias_hh_l0.requires_grad_(requires_grad=False)

    def trained(self) -> list[Tensor]:
        """Return what gradient descent moves."""
        return list(self._tensors().values())

    def weights(self) -> Weights:
        """Return a copy of the weights as they are."""
        found = self._tensors().items()
        return Weights(**{name: one.detach().numpy().T.copy() for name, one in found})

    def forward(self, windows: Tensor) -> Tensor:
        """Return what is made of each window, rows x samples."""
        _, (code, _) = self._encoder(windows[:, :, None])
        repeated = code[0][:, None, :].expand(-1, windows.shape[1], -1)
        written, _ = self._decoder(repeated)
        return torch.flip(self._readout(written)[:, :, 0], dims=(1,))

    def _tensors(self) -> dict[str, Tensor]:
        encoder, decoder = self._encoder, self._decoder
        return {
            "encoder_input": encoder.weight_ih_l0,
            "encoder_recurrent": encoder.weight_hh_l0,
            "encoder_bias": encoder.bias_ih_l0,
            "decoder_input": decoder.weight_ih_l0,
            "decoder_recurrent": decoder.weight_hh_l0,
            "decoder_bias": decoder.bias_ih_l0,
            "readout": self._readout.weight,
            "readout_bias": self._readout.bias,
        }
