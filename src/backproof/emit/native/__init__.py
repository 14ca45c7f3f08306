"""Graphs as native code, through LLVM."""
