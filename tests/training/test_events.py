"""What TensorBoard is given to show."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

import backproof as bp
from backproof.training.events import Events

pytest.importorskip("tensorboardX")
from tensorboardX.proto.event_pb2 import Event

NETWORK = bp.load("4-5:tanh-3:softmax", loss="cce")


def written(folder: Path) -> dict[tuple[str, int], float]:
    """The scalars in the events files of a folder: of each name and epoch the last."""
    found = {}
    for file in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns):
        content = file.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            event = Event.FromString(content[12 : 12 + length])  # type: ignore[attr-defined]
            found |= {(value.tag, event.step): value.simple_value for value in event.summary.value}
            content = content[12 + length + 4 :]
    return found


def test_all_that_is_told_of_an_epoch_is_written(tmp_path: Path) -> None:
    events = Events(tmp_path / "run")
    trained = bp.fit(
        NETWORK, "iris", epochs=3, validation=0.2, metrics="accuracy", norms=True, engine="numpy", told=events.add
    )
    events.close()
    found = written(tmp_path / "run")
    for epoch in trained.history:
        assert found["loss/training", epoch.number] == pytest.approx(epoch.loss, rel=1e-6)
        assert found["loss/validation", epoch.number] == pytest.approx(epoch.validation_loss, rel=1e-6)
        assert found["metrics/accuracy", epoch.number] == pytest.approx(epoch.metrics["accuracy"], rel=1e-6)
        assert found["norms/dW1", epoch.number] == pytest.approx(epoch.norms["dW[1]"], rel=1e-6)
        assert found["rate", epoch.number] == pytest.approx(epoch.rate, rel=1e-6)


def test_a_training_that_goes_on_does_so_in_the_same_folder(tmp_path: Path) -> None:
    for epochs in (2, 4):
        events = Events(tmp_path / "run")
        file = tmp_path / "state.safetensors"
        bp.fit(NETWORK, "iris", epochs=epochs, engine="numpy", told=events.add, checkpoint=file, resume=epochs > 2)
        events.close()
    assert {step for name, step in written(tmp_path / "run") if name == "rate"} == {1, 2, 3, 4}


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(bp.BackproofError, match="cannot be written to"):
        bp.fit(NETWORK, "iris", epochs=1, told=Events(tmp_path / "file" / "run").add)
