# SPDX-License-Identifier: Apache-2.0
"""Writes the outputs of torchvision's networks, for torchvision_test.cc.

NAME FOLDER    writes NAME.pth, random weights and statistics of five classes,
               and NAME-truth.pth: input, the logits when evaluating and when
               training (without dropout), what the latter leaves as running
               statistics (after.KEY), and the gradients of the logits' product
               with `slope` (gradient.KEY)
"""
import sys
import warnings

warnings.filterwarnings("ignore")  # of codecs for video that are not here

import torch
import torchvision
from torch import nn


def randomise(network):
    for module in network.modules():
        # Linear layers are random already, and large.
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.1)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        elif isinstance(module, nn.Dropout):
            module.p = 0.0


def main():
    name, folder = sys.argv[1:]
    torch.manual_seed(3)
    # Skips torchvision's own initialisation: randomise() replaces it.
    given = {"init_weights": False} if name.startswith("vgg") else {}
    network = getattr(torchvision.models, name)(num_classes=5, **given)
    randomise(network)
    torch.save(network.state_dict(), "%s/%s.pth" % (folder, name))
    truth = {"input": torch.randn(4, 3, 64, 64), "slope": torch.randn(4, 5)}
    network.eval()
    with torch.no_grad():
        truth["eval"] = network(truth["input"])
    parameters = list(network.named_parameters())
    compared = (parameters[0], parameters[-2])
    network.requires_grad_(False)
    for _, parameter in compared:
        parameter.requires_grad_(True)
    network.train()
    logits = network(truth["input"])
    truth["train"] = logits.detach()
    (logits * truth["slope"]).sum().backward()
    for key, buffer in network.named_buffers():
        if not key.endswith("num_batches_tracked"):
            truth["after." + key] = buffer
    for key, parameter in compared:
        truth["gradient." + key] = parameter.grad
    torch.save(truth, "%s/%s-truth.pth" % (folder, name))


main()
