"""The operations of networks in plain NumPy: to be called as they are, and to be derived with the code around them.

A function that calls them is followed into them, as into the user's own code: their variables name the quantities, and
their lines stand beside the steps.
"""

from backproof.nn.activations import gelu, log_softmax, relu, sigmoid, silu, softmax, softplus
from backproof.nn.attention import attention, multi_head_attention, positional_encoding, rotary_embedding
from backproof.nn.convolution import conv1d, conv2d
from backproof.nn.layers import dropout, embedding, linear
from backproof.nn.losses import bce_with_logits, cross_entropy, mse
from backproof.nn.normalisation import (
    batch_norm,
    batch_norm_inference,
    group_norm,
    instance_norm,
    layer_norm,
    rms_norm,
)
from backproof.nn.pooling import avg_pool1d, avg_pool2d, global_avg_pool, max_pool1d, max_pool2d
from backproof.nn.recurrent import gru, gru_cell, lstm, lstm_cell, rnn, rnn_cell

__all__ = [
    "attention",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "batch_norm_inference",
    "bce_with_logits",
    "conv1d",
    "conv2d",
    "cross_entropy",
    "dropout",
    "embedding",
    "gelu",
    "global_avg_pool",
    "group_norm",
    "gru",
    "gru_cell",
    "instance_norm",
    "layer_norm",
    "linear",
    "log_softmax",
    "lstm",
    "lstm_cell",
    "max_pool1d",
    "max_pool2d",
    "mse",
    "multi_head_attention",
    "positional_encoding",
    "relu",
    "rms_norm",
    "rnn",
    "rnn_cell",
    "rotary_embedding",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
]
