# SPDX-License-Identifier: Apache-2.0
"""hilum_small, the small residual network of Hilum, in plain PyTorch.

Needs torch alone. Copy this file to where you use the weights beside it:

    model = HilumSmall(num_classes=4).eval()
    model.load_state_dict(torch.load("whole-final.pth"))
    x = (prepare(gray, 128)[None, None] - 0.5) / 0.25  # preprocessing: hilum
    probabilities = model(x).softmax(dim=1)

The model card in this folder says which size, preprocessing and classes the
weights have, and what they are not for.
"""
import torch
from torch import nn


class Block(nn.Module):
    """Two convolutions and a shortcut (He et al. 2016), with group norm."""

    def __init__(self, channels_in, channels_out):
        super().__init__()
        changes = channels_in != channels_out
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3,
                               stride=2 if changes else 1, padding=1, bias=False)
        self.norm1 = nn.GroupNorm(8, channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(8, channels_out)
        self.shortcut = nn.Identity()
        if changes:
            self.shortcut = nn.Conv2d(channels_in, channels_out, 1, stride=2, bias=False)

    def forward(self, x):
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class Stem(nn.Module):
    def __init__(self, channels_in, channels_out):
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, stride=2, padding=1, bias=False)
        self.norm = nn.GroupNorm(8, channels_out)

    def forward(self, x):
        return torch.relu(self.norm(self.conv(x)))


class HilumSmall(nn.Module):
    """Maps [n, input_channels, size, size], size >= 32, to logits [n, num_classes].

    head_units: as the model's file says; 0: the head is one linear layer.
    """

    def __init__(self, num_classes, input_channels=1, head_units=0):
        super().__init__()
        self.stem = Stem(input_channels, 16)
        self.stage1 = nn.Sequential(Block(16, 24))
        self.stage2 = nn.Sequential(Block(24, 48))
        self.stage3 = nn.Sequential(Block(48, 96), Block(96, 96))
        self.stage4 = nn.Sequential(Block(96, 160), Block(160, 160))
        self.head = nn.Linear(160, num_classes)
        if head_units > 0:
            self.head = nn.Sequential(nn.Linear(160, head_units), nn.ReLU(),
                                      nn.Dropout(0.5), nn.Linear(head_units, num_classes))

    def forward(self, x):
        x = self.stem(x)
        for stage in (self.stage1, self.stage2, self.stage3, self.stage4):
            x = stage(x)
        return self.head(x.mean(dim=(2, 3)))


def prepare(gray, size):
    """Returns the input of the arm `whole`, [size, size], 0 to 1, before preprocessing.

    gray: a whole radiograph [rows, columns], black is low: a tensor or an array.
    Stretches the 1st and 99th percentile to 0 and 1, then resizes.
    """
    gray = torch.as_tensor(gray).double()
    values = gray.flatten().sort().values
    low, high = (values[int(share * (len(values) - 1) + 0.5)] for share in (0.01, 0.99))
    gray = ((gray - low) / (high - low)).clamp(0, 1)
    rows, columns = (resize_weights(n, size) for n in gray.shape)
    return (rows @ gray @ columns.T).float()


def resize_weights(n, size):
    """Returns [size, n]: shrinking takes the mean of the covered pixels, enlarging is bilinear."""
    step = n / size
    at = torch.arange(size, dtype=torch.float64)[:, None]
    pixel = torch.arange(n, dtype=torch.float64)
    if step >= 1:
        covered = ((at + 1) * step).minimum(pixel + 1) - (at * step).maximum(pixel)
        return covered.clamp(min=0) / step
    centre = ((at + 0.5) * step - 0.5).clamp(0, n - 1)
    return (1 - (centre - pixel).abs()).clamp(min=0)
