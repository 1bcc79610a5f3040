# SPDX-License-Identifier: Apache-2.0
"""Measures images a second of training steps in Python's eager loop, with
torchvision's network, for comparison with hilum-bench-train. Takes the same
arguments; `head` freezes all but the last layer, with batch normalisation in
evaluation mode, and runs the trunk without gradients."""
import sys
import time

import torch
import torchvision

name, trainable = sys.argv[1:3]
batch, size, steps = [int(a) for a in (sys.argv[3:6] + [8, 224, 6][len(sys.argv[3:6]):])]
bfloat16 = len(sys.argv) > 6 and sys.argv[6] == "bfloat16"
channels_last = "channels_last" in sys.argv

torch.set_num_threads(2)
torch.manual_seed(1)
model = getattr(torchvision.models, name)(weights=None, num_classes=4)
model.train()
if trainable == "head":
    model.eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    head = list(model.modules())[-1]
    for parameter in head.parameters():
        parameter.requires_grad_(True)
if channels_last:
    model = model.to(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(
    [p for p in model.parameters() if p.requires_grad], lr=1e-4, momentum=0.9)
criterion = torch.nn.CrossEntropyLoss()
for step in range(steps):
    images = torch.rand(batch, 3, size, size)
    if channels_last:
        images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.arange(batch) % 4
    start = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
        loss = criterion(model(images), labels)
    loss.backward()
    optimizer.step()
    loss.item()
    if step > 0:
        print(batch / (time.perf_counter() - start), flush=True)
