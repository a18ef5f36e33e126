"""The losses that this project was made to replace, as the PyTorch modules they were."""

import torch
from torch import nn


class Loss(nn.Module):
    """Probabilities (N, C), after a sigmoid or softmax, against N class ids or a dense (N, C)."""

    def __init__(self, onehot=False, alpha=None, gamma=None):
        super().__init__()
        self.onehot, self.alpha, self.gamma = onehot, alpha, gamma

    def prepared(self, inputs, targets):
        inputs = torch.clamp(inputs, 0.001, 1.0)
        if not self.onehot:
            mask = torch.zeros_like(inputs)
            targets = mask.scatter_(1, targets.reshape(-1, 1), 1.0)
        return inputs, targets

    def balanced(self, positive, negative):
        if self.alpha is None:
            return positive + negative
        return self.alpha * positive + (1 - self.alpha) * negative


class NegativeLogLoss(Loss):
    def forward(self, inputs, targets):
        inputs, targets = self.prepared(inputs, targets)
        loss = -targets * torch.log(inputs)
        return loss.sum() / targets.sum()


class BinaryCrossEntropy(Loss):
    def forward(self, inputs, targets):
        inputs, targets = self.prepared(inputs, targets)
        positive = -targets * torch.log(inputs)
        negative = -(targets == 0).to(inputs.dtype) * torch.log(1 - inputs)
        return self.balanced(positive, negative).sum() / inputs.numel()


class BinaryFocalLoss(Loss):
    def forward(self, inputs, targets):
        inputs, targets = self.prepared(inputs, targets)
        positive = -targets * (1 - inputs) ** self.gamma * torch.log(inputs)
        negative = -(targets == 0).to(inputs.dtype) * inputs**self.gamma * torch.log(1 - inputs)
        return self.balanced(positive, negative).sum() / inputs.numel()


class CategoricalFocalLoss(Loss):
    def forward(self, inputs, targets):
        inputs, targets = self.prepared(inputs, targets)
        loss = -targets * (1 - inputs) ** self.gamma * torch.log(inputs)
        return loss / targets.sum()
