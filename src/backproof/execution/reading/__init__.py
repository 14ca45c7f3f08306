"""Reading data: files, tables, arrays and labels, fitted to a network."""

from backproof.execution.reading.sources import Data, read_data

__all__ = ["Data", "read_data"]
