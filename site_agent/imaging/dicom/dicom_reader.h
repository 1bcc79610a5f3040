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

// PS3.5 section 6.2.2, note 2: what has the VR UN is implicit inside.
inline constexpr DicomEncoding kUnknownVrEncoding = {false, false};

// Sequences with the VR UN that are written as no UN is: each costs a second
// walk, so that a file may have only so many.
inline constexpr int kMaxSecondTries = 16;

// Fragments of a frame's pixels, items of a sequence that is looked at.
inline constexpr size_t kMaxDicomItems = 1 << 16;

// Walks over encoded elements (PS3.5 sections 7.1 to 7.5), front to back. It
// copies nothing; `bytes` outlives it. After an error it is of no use.
// Errors are as DicomElements::Parse's.
class DicomReader {
 public:
  DicomReader(absl::string_view bytes, DicomEncoding encoding, int depth = 0)
      : bytes_(bytes), encoding_(encoding), depth_(depth) {}
  DicomReader(const DicomReader&) = delete;
  DicomReader& operator=(const DicomReader&) = delete;

  bool AtEnd() const { return position_ == bytes_.size(); }
  size_t position() const { return position_; }

  absl::StatusOr<DicomTag> PeekTag();
  // The element at hand, whose tag PeekTag gave.
  absl::Status ReadElement(DicomTag tag, DicomElement& element);
  // The next item of a sequence whose value these bytes are; false: it ends.
  absl::StatusOr<bool> ReadItem(absl::string_view& item);

 private:
  absl::StatusOr<uint64_t> ReadInteger(int bytes);
  absl::StatusOr<uint32_t> ReadLength(DicomTag tag, DicomElement& element);
  // The length of an element whose VR is none of the standard's.
  absl::StatusOr<uint32_t> ReadUnknownLength(DicomTag tag,
                                             absl::string_view vr);
  // Whether an element of `tag` may end at `end`: where the bytes do, or where
  // an element with a higher tag and a VR begins.
  bool IsPlausibleEnd(DicomTag tag, uint64_t end) const;
  // Past a sequence that this element is, of undefined length.
  absl::Status ReadSequence(DicomElement& element);
  absl::Status SkipInside(DicomEncoding encoding, DicomElement& element);
  absl::StatusOr<absl::string_view> Take(uint32_t length, DicomTag tag);
  // Past a sequence of undefined length, its delimiter included.
  absl::Status SkipSequence();
  absl::Status SkipItem();
  absl::Status ReadFragments(DicomElement& element);

  absl::string_view bytes_;
  DicomEncoding encoding_;
  int depth_;
  size_t position_ = 0;
  // How many more sequences may be read a second time, by the other encoding.
  int second_tries_ = kMaxSecondTries;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_READER_H_
