// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/patient_orientation.h"

#include <algorithm>
#include <optional>
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

// Returns the principal direction, the first letter: "LF", for example, is from
// a detector held at an angle. 0: no direction.
char Principal(const std::string& text) {
  if (text.empty() || text.size() > 3 ||
      text.find_first_not_of("LRHFAP") != std::string::npos) {
    return 0;
  }
  return text[0];
}

// The directions along a row and down a column.
struct Directions {
  char along_row;
  char down;
};

bool IsPlain(const Directions& of) {
  return IsSideways(of.along_row) && IsUpright(of.down);
}

bool IsTransposed(const Directions& of) {
  return IsUpright(of.along_row) && IsSideways(of.down);
}

bool IsSideView(const Directions& of) {
  const auto front_or_back = [](char d) { return d == 'A' || d == 'P'; };
  return front_or_back(of.along_row) != front_or_back(of.down);
}

// nullopt: none is given, or it does not name two directions of a patient.
std::optional<Directions> Read(const DicomElements& elements) {
  const std::vector<std::string> texts = elements.Texts(kPatientOrientation);
  if (texts.size() != 2) return std::nullopt;
  const Directions read{Principal(texts[0]), Principal(texts[1])};
  if (read.along_row == 0 || read.down == 0) return std::nullopt;
  if (IsPlain(read) || IsTransposed(read) || IsSideView(read)) return read;
  return std::nullopt;
}

}  // namespace

bool SaysOrientation(const DicomElements& elements) {
  return Read(elements).has_value();
}

std::string OrientationNote(const DicomElements& elements) {
  const std::vector<std::string> texts = elements.Texts(kPatientOrientation);
  const bool given =
      std::any_of(texts.begin(), texts.end(),
                  [](const std::string& text) { return !text.empty(); });
  if (!given || SaysOrientation(elements)) return "";
  return "the Patient Orientation is not used: it is not two directions";
}

absl::StatusOr<Orientation> ReadOrientation(const DicomElements& elements) {
  Orientation orientation;
  const std::optional<Directions> read = Read(elements);
  if (!read.has_value()) return orientation;
  const auto [along_row, down] = *read;
  if (IsSideView(*read)) {
    return absl::FailedPreconditionError(
        absl::StrCat("not a frontal view: its orientation is ",
                     std::string(1, along_row), " and ", std::string(1, down)));
  }
  orientation.transposed = IsTransposed(*read);
  const char sideways = orientation.transposed ? down : along_row;
  const char upright = orientation.transposed ? along_row : down;
  orientation.left_right = sideways == 'R';
  orientation.up_down = upright == 'H';
  return orientation;
}

GrayImage Orient(GrayImage image, const Orientation& orientation) {
  if (!orientation.transposed && !orientation.left_right &&
      !orientation.up_down) {
    return image;
  }
  GrayImage out = image;  // keeps the sizes in mm
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
