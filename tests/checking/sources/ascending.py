import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_derivative(x):
    return x * (1 - x)


class NeuralNetwork:
    """Its derivatives are those of -loss, and are added to the weights."""

    def __init__(self, x, y):
        self.x = x
        self.weights1 = np.random.default_rng(0).random((x.shape[1], 4))
        self.weights2 = np.random.default_rng(1).random((4, 1))
        self.y = y
        self.output = np.zeros(y.shape)

    def feedforward(self):
        self.layer1 = sigmoid(np.dot(self.x, self.weights1))
        self.output = sigmoid(np.dot(self.layer1, self.weights2))

    def loss(self, output, y):
        return np.sum((y - output) ** 2)

    def backprop(self):
        slope = 2 * (self.y - self.output) * sigmoid_derivative(self.output)
        d_weights2 = np.dot(self.layer1.T, slope)
        d_weights1 = np.dot(self.x.T, np.dot(slope, self.weights2.T) * sigmoid_derivative(self.layer1))
        self.weights1 += d_weights1
        self.weights2 += d_weights2


def given(rng):
    return [NeuralNetwork(rng.random((5, 3)), rng.random((5, 1)))], {}
