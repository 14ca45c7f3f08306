import numpy as np


class NeuralNetwork:
    """It updates its weights while it goes back."""

    def __init__(self):
        rng = np.random.default_rng(2)
        self.weights = [rng.normal(size=(4, 5)), rng.normal(size=(5, 2))]
        self.biases = [rng.normal(size=(1, 5)), rng.normal(size=(1, 2))]

    def feedforward(self, x):
        self.activations = [x]
        for w, b in zip(self.weights, self.biases):
            self.activations.append(1 / (1 + np.exp(-(self.activations[-1] @ w + b))))
        return self.activations[-1]

    def loss(self, output, y):
        return 0.5 * np.sum((output - y) ** 2)

    def backprop(self, y, learning_rate):
        output = self.activations[-1]
        delta = (output - y) * output * (1 - output)
        for l in reversed(range(2)):
            a = self.activations[l]
            dw = a.T @ delta
            db = delta.sum(axis=0, keepdims=True)
            delta = (delta @ self.weights[l].T) * a * (1 - a)
            self.weights[l] -= learning_rate * dw
            self.biases[l] -= learning_rate * db


def given(rng):
    return [NeuralNetwork()], dict(x=rng.normal(size=(6, 4)), y=rng.random(size=(6, 2)))
