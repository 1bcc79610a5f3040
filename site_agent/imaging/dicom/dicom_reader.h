// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_READER_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_READER_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/dicom/dicom_elements.h"

namespace hilum {

// The content of a VR UN is implicit (PS3.5 section 6.2.2, note 2).
inline constexpr DicomEncoding kUnknownVrEncoding = {false, false};

// Limit of sequences in a file that are marked UN but encoded differently: each
// costs a second walk.
inline constexpr int kMaxSecondTries = 16;

// Limit of fragments of a frame's pixels, and of items of a sequence.
inline constexpr size_t kMaxDicomItems = 1 << 16;

// Reads encoded elements (PS3.5 sections 7.1 to 7.5) from front to back. Copies
// nothing; `bytes` outlives it. Useless after an error. Errors as
// DicomElements::Parse.
class DicomReader {
 public:
  DicomReader(absl::string_view bytes, DicomEncoding encoding, int depth = 0)
      : bytes_(bytes), encoding_(encoding), depth_(depth) {}
  DicomReader(const DicomReader&) = delete;
  DicomReader& operator=(const DicomReader&) = delete;

  bool AtEnd() const { return position_ == bytes_.size(); }
  size_t position() const { return position_; }

  absl::StatusOr<DicomTag> PeekTag();
  // Reads the element whose tag PeekTag gave.
  absl::Status ReadElement(DicomTag tag, DicomElement& element);
  // Reads the next item of a sequence's value; false: the sequence ends.
  absl::StatusOr<bool> ReadItem(absl::string_view& item);

 private:
  absl::StatusOr<uint64_t> ReadInteger(int bytes);
  absl::StatusOr<uint32_t> ReadLength(DicomTag tag, DicomElement& element);
  // Reads the length of an element whose VR is not in the standard.
  absl::StatusOr<uint32_t> ReadUnknownLength(DicomTag tag,
                                             absl::string_view vr);
  // Returns whether an element of `tag` may end at `end`: the bytes end there,
  // or an element with a higher tag and a VR begins.
  bool IsPlausibleEnd(DicomTag tag, uint64_t end) const;
  // Skips the element, a sequence of undefined length.
  absl::Status ReadSequence(DicomElement& element);
  absl::Status SkipInside(DicomEncoding encoding, DicomElement& element);
  absl::StatusOr<absl::string_view> Take(uint32_t length, DicomTag tag);
  // Skips a sequence of undefined length, with its delimiter.
  absl::Status SkipSequence();
  absl::Status SkipItem();
  absl::Status ReadFragments(DicomElement& element);

  absl::string_view bytes_;
  DicomEncoding encoding_;
  int depth_;
  size_t position_ = 0;
  // How many more sequences may be read again, in the other encoding.
  int second_tries_ = kMaxSecondTries;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_READER_H_
