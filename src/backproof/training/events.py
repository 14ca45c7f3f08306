"""The course of a training where TensorBoard finds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backproof.ir.errors import BackproofError
from backproof.training.history import Epoch

BRACKETS = str.maketrans("", "", "[]")


class Events:
    """Writes what each epoch was like to an events file in a folder, which ``tensorboard --logdir`` shows.

    Its `add` is what `backproof.fit` tells of each epoch: ``fit(net, "iris", told=Events("runs/first").add)``. A
    training that is resumed goes on in the same folder; what was written of the epochs that are done again is not shown
    any more. Raises BackproofError where tensorboardX is missing, or the folder cannot be written to.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise BackproofError(
                "events for TensorBoard need tensorboardX", instead="pip install 'backproof[tensorboard]'"
            ) from None
        self._folder, self._make = Path(folder), SummaryWriter
        self._writer: Any = None

    def add(self, epoch: Epoch) -> None:
        """Writes the losses, metrics and lengths of gradients of an epoch, and its learning rate."""
        scalars: dict[str, Any] = {"loss/training": epoch.loss, "rate": epoch.rate}
        if epoch.validation_loss is not None:
            scalars["loss/validation"] = epoch.validation_loss
        scalars |= {f"metrics/{name}": value for name, value in epoch.metrics.items()}
        # TensorBoard takes no brackets: dW[1] is dW1, as in code.
        scalars |= {f"norms/{name.translate(BRACKETS)}": value for name, value in epoch.norms.items()}
        try:
            if self._writer is None:
                # The names of these files tell the second; one that goes on within the same one is another file.
                own = {"purge_step": epoch.number, "filename_suffix": f".{epoch.number}"}
                self._writer = self._make(str(self._folder), **own)
            for name, value in scalars.items():
                self._writer.add_scalar(name, value, epoch.number)
            self._writer.flush()
        except OSError as error:
            raise BackproofError(f"{self._folder} cannot be written to", why=f"{error.strerror or error}.") from error

    def close(self) -> None:
        """Ends the file."""
        if self._writer is not None:
            self._writer.close()
