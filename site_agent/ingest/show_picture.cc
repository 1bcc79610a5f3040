// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/show_picture.h"

#include <cstdint>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/case_store/case_store_reader.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/ingest/read_image.h"

namespace hilum {
namespace {

absl::Status Write(const PlaneView& plane, const std::string& to) {
  if (!absl::EndsWith(to, ".png")) {
    return absl::InvalidArgumentError(absl::StrCat(to, ": name it .png"));
  }
  std::vector<uint8_t> grays;
  grays.reserve(plane.pixels.size());
  for (uint16_t gray : plane.pixels) {
    grays.push_back(static_cast<uint8_t>(gray >> 8));
  }
  HILUM_ASSIGN_OR_RETURN(const std::string png,
                         EncodePng8(plane.rows, plane.columns, grays));
  return WriteFileAtomically(to, png, Durability::kSync, 0600);
}

}  // namespace

absl::Status WriteCasePicture(const std::string& store,
                              absl::string_view case_id,
                              const std::string& to) {
  HILUM_ASSIGN_OR_RETURN(const CaseStoreReader reader,
                         CaseStoreReader::Open(store));
  HILUM_ASSIGN_OR_RETURN(const CaseRecord record, reader.Read(case_id));
  return Write(record.whole, to);
}

absl::Status WriteFilePicture(const std::string& file, const std::string& to) {
  HILUM_ASSIGN_OR_RETURN(const std::string bytes,
                         ReadFile(file, kMaxImageFileBytes));
  HILUM_ASSIGN_OR_RETURN(const GrayImage image, DecodeImage(bytes));
  HILUM_ASSIGN_OR_RETURN(const SizedPlane whole,
                         PrepareWholeWithin(image, kKeptSide));
  return Write({whole.rows, whole.columns, whole.pixels}, to);
}

}  // namespace hilum
