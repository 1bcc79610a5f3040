// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/patient_orientation.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

constexpr DicomTag kPatientOrientation = 0x00200020;

bool IsSideways(char direction) { return direction == 'L' || direction == 'R'; }

bool IsUpright(char direction) { return direction == 'H' || direction == 'F'; }

// "L", or "LF" for a detector held at an angle: the first letter is the
// principal direction. 0: no direction.
char Principal(const std::string& text) {
  if (text.empty() || text.size() > 3 ||
      text.find_first_not_of("LRHFAP") != std::string::npos) {
    return 0;
  }
  return text[0];
}

}  // namespace

bool SaysOrientation(const DicomElements& elements) {
  return !elements.Texts(kPatientOrientation).empty();
}

absl::StatusOr<Orientation> ReadOrientation(const DicomElements& elements) {
  Orientation orientation;
  const std::vector<std::string> texts = elements.Texts(kPatientOrientation);
  if (texts.empty()) return orientation;
  const char along_row = Principal(texts[0]);
  const char down = texts.size() == 2 ? Principal(texts[1]) : 0;
  if (along_row == 0 || down == 0) {
    return absl::InvalidArgumentError(
        "DICOM: the patient orientation is not two directions");
  }
  const bool plain = IsSideways(along_row) && IsUpright(down);
  orientation.transposed = IsUpright(along_row) && IsSideways(down);
  if (!plain && !orientation.transposed) {
    return absl::FailedPreconditionError(
        absl::StrCat("not a frontal view: its orientation is ",
                     std::string(1, along_row), " and ", std::string(1, down)));
  }
  const char sideways = plain ? along_row : down;
  const char upright = plain ? down : along_row;
  orientation.left_right = sideways == 'R';
  orientation.up_down = upright == 'H';
  return orientation;
}

GrayImage Orient(GrayImage image, const Orientation& orientation) {
  if (!orientation.transposed && !orientation.left_right &&
      !orientation.up_down) {
    return image;
  }
  GrayImage out = image;  // for its size in mm and that of its pixels
  if (orientation.transposed) {
    std::swap(out.rows, out.columns);
    std::swap(out.row_mm, out.column_mm);
  }
  for (int row = 0; row < out.rows; ++row) {
    for (int column = 0; column < out.columns; ++column) {
      int r = orientation.up_down ? out.rows - 1 - row : row;
      int c = orientation.left_right ? out.columns - 1 - column : column;
      if (orientation.transposed) std::swap(r, c);
      out.at(row, column) = image.at(r, c);
    }
  }
  return out;
}

}  // namespace hilum
