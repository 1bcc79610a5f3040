# SPDX-License-Identifier: Apache-2.0
"""Runs coordinator/report/hilum_small.py, for python_model_test.cc.

CODE FOLDER    for NAME.pth, NAME in "plain units", writes NAME-truth.pth: an
               input and the logits, an image and the input made from it
"""
import importlib.util
import sys

import torch

code, folder = sys.argv[1:]
spec = importlib.util.spec_from_file_location("hilum_small", code)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)

for name, options in {
    "plain": {},
    "units": {"input_channels": 3, "head_units": 24},
}.items():
    torch.manual_seed(5)
    model = module.HilumSmall(4, **options).eval()
    model.load_state_dict(torch.load(f"{folder}/{name}.pth"))
    x = torch.randn(3, options.get("input_channels", 1), 72, 72)
    with torch.no_grad():
        logits = model(x)
    gray = torch.rand(*((90, 131) if name == "plain" else (41, 52)))
    torch.save({"input": x, "logits": logits, "gray": gray,
                "prepared": module.prepare(gray, 72)}, f"{folder}/{name}-truth.pth")
