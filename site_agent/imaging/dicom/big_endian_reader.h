// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_BIG_ENDIAN_READER_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_BIG_ENDIAN_READER_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace hilum {

// Reads integers of the headers of JPEG and related formats. Past the end it
// gives zeros and ok() is false, so that a caller can read a header whole and
// check once.
class BigEndianReader {
 public:
  explicit BigEndianReader(absl::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  size_t position() const { return position_; }
  bool AtEnd() const { return position_ >= bytes_.size(); }

  uint32_t Read(int bytes) {
    uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) {
      ok_ = ok_ && position_ < bytes_.size();
      value = value << 8 | (ok_ ? static_cast<uint8_t>(bytes_[position_]) : 0u);
      ++position_;
    }
    return value;
  }
  void MoveTo(size_t position) {
    ok_ = ok_ && position <= bytes_.size();
    position_ = position;
  }

 private:
  absl::string_view bytes_;
  size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_BIG_ENDIAN_READER_H_
