# SPDX-License-Identifier: Apache-2.0
"""Compares grays with those of pydicom, which shares no code with ours.

stdin: lines of `DICOM file<tab>raw file<tab>tolerance`; the raw file holds
what we made of it, row-major float32. A line is printed for each image, its
first word `same`, `differs` or `unread` (pydicom has no decoder for it).
"""
import sys

import numpy as np
import pydicom
from pydicom.pixel_data_handlers.util import (apply_modality_lut,
                                              apply_voi_lut)


def bits_range(ds):
    if "ModalityLUTSequence" in ds:
        bits = ds.ModalityLUTSequence[0].LUTDescriptor[2]
        return 0.0, 2.0**bits - 1
    low = -(2.0**(ds.BitsStored - 1)) if ds.PixelRepresentation else 0.0
    high = low + 2.0**ds.BitsStored - 1
    slope = float(ds.get("RescaleSlope") or 1)
    ends = [v * slope + float(ds.get("RescaleIntercept") or 0)
            for v in (low, high)]
    return min(ends), max(ends)


def stored_values(ds):
    """The stored bits alone; pydicom leaves the others in."""
    bits = ds.pixel_array.astype(np.int64) >> (ds.HighBit + 1 - ds.BitsStored)
    bits &= 2**ds.BitsStored - 1
    if ds.PixelRepresentation:
        bits[bits >= 2**(ds.BitsStored - 1)] -= 2**ds.BitsStored
    return bits


def grays(ds):
    stored = stored_values(ds)
    values = apply_modality_lut(stored, ds).astype(np.float64)
    low, high = bits_range(ds)
    if "VOILUTSequence" in ds:
        table = ds.VOILUTSequence[0].LUTDescriptor
        out = apply_voi_lut(values.astype(np.int64), ds) / (2.0**table[2] - 1)
    elif "WindowCenter" in ds:
        out = (apply_voi_lut(values, ds) - low) / (high - low)
    else:
        out = (values - low) / (high - low)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        out = 1 - out
    if "PixelPaddingValue" in ds:
        out[stored == ds.PixelPaddingValue] = 0
    across, down = ds.get("PatientOrientation") or ("L", "F")
    if across == "R":
        out = out[:, ::-1]
    if down == "H":
        out = out[::-1]
    return out


def compare(path, raw, tolerance):
    try:
        expected = grays(pydicom.dcmread(path))
    except Exception as error:
        return f"unread {path}: {error}".replace("\n", " ")
    ours = np.fromfile(raw, dtype="<f4")
    if ours.size != expected.size:
        return f"differs {path}: {ours.size} pixels"
    error = np.abs(ours - expected.ravel()).max()
    return f"{'same' if error <= tolerance else 'differs'} {path}: {error}"


for line in sys.stdin:
    path, raw, tolerance = line.rstrip("\n").split("\t")
    print(compare(path, raw, float(tolerance)))
