"""The numbers of a recurrent autoencoder, and how they are kept: arrays by name, never pickle."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from anomaly.models import UnreadableModelError

Matrix = npt.NDArray[np.float32]

FORMAT = 1
"""Of the bytes; a reader refuses any other."""

DAMAGE = (
    EOFError, IndexError, KeyError, NotImplementedError, OSError, SyntaxError, TypeError,
    ValueError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What NumPy and zipfile raise over bytes that are no archive, or a damaged one."""


@dataclass(frozen=True, slots=True)
class Weights:
    """An LSTM that reads a window into a code, one that writes it back, and a read-out.

    Gates lie beside each other in the order input, forget, cell, output; every array has inputs in
    rows, so that a step is a product from the left.

    Attributes:
        encoder_input: 1 x 4 units. encoder_recurrent: units x 4 units. encoder_bias: 4 units.
        decoder_input: units x 4 units, applied to the code at every step.
        decoder_recurrent: units x 4 units. decoder_bias: 4 units.
        readout: units x 1. readout_bias: 1.
    """

    encoder_input: Matrix
    encoder_recurrent: Matrix
    encoder_bias: Matrix
    decoder_input: Matrix
    decoder_recurrent: Matrix
    decoder_bias: Matrix
    readout: Matrix
    readout_bias: Matrix

    @property
    def units(self) -> int:
        """Return the length of the code."""
        return len(self.readout)

    def to_bytes(self) -> bytes:
        """Return an npz archive of the arrays."""
        buffer = io.BytesIO()
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        np.savez(buffer, format=np.array(FORMAT), **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Weights:
        """Read what ``to_bytes`` wrote.

        Raises:
            UnreadableModelError: another format, a missing or misshapen array, or no archive.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                if archive["format"] != FORMAT:
                    raise UnreadableModelError(f"expected format {FORMAT}, got {archive['format']}")
                arrays = {
                    field.name: archive[field.name].astype(np.float32) for field in fields(cls)
                }
        except DAMAGE as error:
            raise UnreadableModelError(f"not the weights of an autoencoder: {error}") from error
        units = arrays["readout"].shape[0] if arrays["readout"].ndim else 0
        for name, shape in shapes(units).items():
            found = arrays[name].shape
            if found != shape or not np.isfinite(arrays[name]).all():
                raise UnreadableModelError(f"{name}: expected finite numbers of shape {shape}")
        return cls(**arrays)


def shapes(units: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every array of an autoencoder with a code of that length."""
    return {
        "encoder_input": (1, 4 * units),
        "encoder_recurrent": (units, 4 * units),
        "encoder_bias": (4 * units,),
        "decoder_input": (units, 4 * units),
        "decoder_recurrent": (units, 4 * units),
        "decoder_bias": (4 * units,),
        "readout": (units, 1),
        "readout_bias": (1,),
    }


def initial_weights(units: int, seed: int) -> Weights:
    """Return weights to begin training with: uniform, as wide as 1 / sqrt(units).

    Reference: the default of torch.nn.LSTM; the forget gates begin open (F. Gers et al., "Learning
    to Forget", Neural Computation 2000).
    """
    random = np.random.default_rng(seed)
    width = 1 / np.sqrt(units)
    arrays = {
        name: random.uniform(-width, width, shape).astype(np.float32)
        for name, shape in shapes(units).items()
    }
    for name in ("encoder_bias", "decoder_bias"):
        arrays[name][units : 2 * units] = 1.0
    return Weights(**arrays)
