# SPDX-License-Identifier: Apache-2.0
"""Reads the segmentation that dicom_segmentation_test wrote, with pydicom."""
import sys

import numpy
import pydicom

image = pydicom.dcmread(sys.argv[1])
assert image.SOPClassUID == "1.2.840.10008.5.1.4.1.1.66.4"
assert image.file_meta.MediaStorageSOPInstanceUID == image.SOPInstanceUID
assert image.Modality == "SEG" and image.SegmentationType == "BINARY"
assert image.StudyInstanceUID == "1.2.3" and image.PatientID == "P1"
assert image.ContentDate == "20200102"

whole = numpy.array([[0, 1, 0, 1, 0], [1, 1, 0, 1, 1], [1, 1, 0, 0, 1]])
right, left = whole.copy(), whole.copy()
right[:, 2:] = 0
left[:, :2] = 0
assert (image.pixel_array == numpy.array([right, left])).all()

codes = [s.SegmentedPropertyTypeCodeSequence[0] for s in image.SegmentSequence]
assert [(c.CodeValue, c.CodingSchemeDesignator) for c in codes] == [
    ("3341006", "SCT"), ("44029006", "SCT")]
assert [s.SegmentNumber for s in image.SegmentSequence] == [1, 2]

frames = image.PerFrameFunctionalGroupsSequence
named = [f.SegmentIdentificationSequence[0] for f in frames]
assert [f.ReferencedSegmentNumber for f in named] == [1, 2]
assert [f.FrameContentSequence[0].DimensionIndexValues for f in frames] == [1, 2]

index = image.DimensionIndexSequence[0]
assert index.DimensionIndexPointer == 0x0062000B
assert index.FunctionalGroupPointer == 0x0062000A
organization = image.DimensionOrganizationSequence[0]
assert (index.DimensionOrganizationUID ==
        organization.DimensionOrganizationUID)

series = image.ReferencedSeriesSequence[0]
assert series.SeriesInstanceUID == "1.2.3.5"
assert series.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == "1.2.3.4"
shared = image.SharedFunctionalGroupsSequence[0]
source = shared.DerivationImageSequence[0].SourceImageSequence[0]
assert source.ReferencedSOPInstanceUID == "1.2.3.4"
