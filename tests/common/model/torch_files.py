# SPDX-License-Identifier: Apache-2.0
"""Files of Python's torch, and what is in them, for python_torch_test.cc.

make FOLDER    writes NAME.pth, and NAME.txt: "tensor;shape;values" lines
check FILE     opens FILE and prints such lines
"""
import sys
from collections import OrderedDict

import torch
from torch import nn


def lines(tensors):
    for name, tensor in tensors.items():
        values = tensor.detach().to(torch.float32).reshape(-1).tolist()
        yield "%s;%s;%s" % (name, ",".join(map(str, tensor.shape)),
                            ",".join("%.9g" % value for value in values))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, bias=False)
        self.norm = nn.BatchNorm2d(3)
        self.register_buffer("absent", None)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(Block(), nn.ReLU(), Block())
        self.classifier = nn.Linear(3, 4)
        self.act = nn.functional.relu
        self.layer_type = nn.BatchNorm2d
        self.pathologies = ["a", "b"]


def files():
    net = Net()
    state = net.state_dict()
    views = OrderedDict()
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    views["whole"] = base
    views["transposed"] = base.t()
    views["column"] = base[:, 2]
    views["step"] = base[1::2, ::3]
    views["last"] = torch.randn(2, 3, 4, 5).to(
        memory_format=torch.channels_last)
    views["scalar"] = torch.tensor(2.5)
    views["empty"] = torch.zeros(0, 3)
    types = OrderedDict(
        (str(t)[6:], torch.randn(3, 2).to(t)) for t in (
            torch.float16, torch.bfloat16, torch.float64, torch.int64))
    types["tiny"] = torch.tensor([6e-8, 1e-5, -65504.0]).to(torch.float16)
    parallel = nn.DataParallel(net)
    optimizer = torch.optim.Adam(net.parameters())
    sum(p.sum() for p in net.parameters()).backward()
    optimizer.step()
    state = net.state_dict()
    checkpoint = {"epoch": 3, "state_dict": parallel.state_dict(),
                  "optimizer": optimizer.state_dict(), "loss": float("nan"),
                  "rng": torch.get_rng_state(), "big": 1 << 100}
    parameters = OrderedDict(net.named_parameters())
    return {"state": (state, state), "views": (views, views),
            "types": (types, types), "module": (net, state),
            "parallel": (parallel, state), "checkpoint": (checkpoint, state),
            "model": ({"model": net}, state),
            "parameters": (parameters, parameters)}


def main():
    if sys.argv[1] == "make":
        torch.manual_seed(1)
        for name, (saved, tensors) in files().items():
            for kind in ("zip", "legacy"):
                path = "%s/%s-%s" % (sys.argv[2], name, kind)
                torch.save(saved, path + ".pth",
                           _use_new_zipfile_serialization=kind == "zip")
                with open(path + ".txt", "w") as text:
                    text.writelines(line + "\n" for line in lines(tensors))
        for protocol in (3, 4, 5):
            torch.save(files()["state"][0],
                       "%s/protocol%d.pth" % (sys.argv[2], protocol),
                       pickle_protocol=protocol)
    else:
        try:
            read = torch.load(sys.argv[2], weights_only=True)
        except TypeError:  # before torch 1.13
            read = torch.load(sys.argv[2])
        assert type(read) is OrderedDict
        print("\n".join(lines(read)))


main()
