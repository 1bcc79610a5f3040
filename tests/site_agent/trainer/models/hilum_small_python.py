# SPDX-License-Identifier: Apache-2.0
"""Runs coordinator/report/hilum_small.py, for python_model_test.cc.

CODE FOLDER    for NAME.pth, NAME in "plain units", writes NAME-truth.pth: an
               input and the logits
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
    torch.save({"input": x, "logits": logits}, f"{folder}/{name}-truth.pth")
