# SPDX-License-Identifier: Apache-2.0
"""Checks with pydicom that a file is a Secondary Capture (PS3.3 A.8.1).

The argument is the file; its picture must be the red, the green and the dark
pixel of secondary_capture_test.cc. Prints what is wrong and ends with 1.
"""
import sys
import warnings

import pydicom
from pydicom.uid import UID

# Values: type 1. Present, may be empty: type 2 and 2C.
TYPE_1 = """SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID
Modality ConversionType ImageType SamplesPerPixel PhotometricInterpretation
PlanarConfiguration Rows Columns BitsAllocated BitsStored HighBit
PixelRepresentation PixelData""".split()
TYPE_2 = """PatientName PatientID PatientBirthDate PatientSex StudyDate
StudyTime ReferringPhysicianName StudyID AccessionNumber SeriesNumber
Manufacturer InstanceNumber PatientOrientation""".split()

warnings.simplefilter("error")
ds = pydicom.dcmread(sys.argv[1])
wrong = [f"{name} has no value" for name in TYPE_1 if ds.get(name) in (None, "")]
wrong += [f"{name} is missing" for name in TYPE_2 if name not in ds]
if ds.SOPClassUID != "1.2.840.10008.5.1.4.1.1.7":
    wrong.append("SOPClassUID")
if ds.file_meta.MediaStorageSOPInstanceUID != ds.SOPInstanceUID:
    wrong.append("the header names another instance")
for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
    if not UID(ds[name].value).is_valid:
        wrong.append(f"{name} is no UID")
for element in ds.iterall():
    if element.VR == "UN":
        wrong.append(f"{element.tag} has no VR")
if ds.pixel_array.tolist() != [[[255, 0, 0], [0, 255, 0], [1, 2, 3]]]:
    wrong.append("other pixels")
if "SourceImageSequence" in ds and str(ds.PatientName) != "Müller^Anna":
    wrong.append("the name's characters")
print("\n".join(wrong), end="")
sys.exit(1 if wrong else 0)
