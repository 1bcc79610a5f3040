// SPDX-License-Identifier: Apache-2.0
// What all DICOM objects that Hilum derives from a radiograph have in common.
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_WRITE_DICOM_WRITER_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_WRITE_DICOM_WRITER_H_

#include <dcmtk/config/osconfig.h>
// osconfig.h comes first.
#include <dcmtk/dcmdata/dcfilefo.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "site_agent/imaging/dicom/dicom_file.h"

namespace hilum {

// Writes elements into one item. Its items and itself collect the first
// failure in `condition`, which outlives them; DCMTK's calls fail for want of
// memory alone.
class DicomWriter {
 public:
  DicomWriter(DcmItem* item, OFCondition& condition)
      : item_(item), condition_(condition) {}

  void Text(DicomTag tag, DcmEVR vr, absl::string_view text);
  void Number(DicomTag tag, int value);     // US
  void Index(DicomTag tag, int value);      // UL
  void Pointer(DicomTag tag, DicomTag to);  // AT
  void Pixels(const std::vector<uint8_t>& bytes);
  // Another item of a sequence.
  DicomWriter Item(DicomTag tag);
  // A code sequence with one item.
  void Code(DicomTag tag, absl::string_view value, absl::string_view scheme,
            absl::string_view meaning);

 private:
  void Note(const OFCondition& condition);

  DcmItem* item_;
  OFCondition& condition_;
};

struct CopiedElement {
  DicomTag tag;
  DcmEVR vr;
  bool required;  // type 2: there, be it empty
};

// Text of an element; empty: none, or no source.
std::string TextIn(const DicomFile* source, DicomTag tag);
// The same of a UID, where it is one (PS3.5 section 9.1, as far as it matters
// to who stores it).
std::string UidIn(const DicomFile* source, DicomTag tag);

// Of the modules Patient and General Study (PS3.3 C.7.1.1, C.7.2.1), and
// `further` ones, from a source that may be null. Method of de-identification
// is said where the source says that it was done and not how.
// INVALID_ARGUMENT: an element of over 1024 bytes.
absl::Status CopyElements(const DicomFile* source,
                          absl::Span<const CopiedElement> further,
                          DicomWriter& writer);

// Returns the text as one value of an element: printable ASCII, '?' for what is
// not, '/' for a backslash, which parts values; cut at `most` characters.
std::string DicomText(absl::string_view text, size_t most);

// "2.25." and the decimal number of a UUID (PS3.5 B.2; RFC 9562, version 8)
// made of SHA-256 of `bytes`.
std::string UidFromBytes(absl::string_view bytes);
// The same of a kind of object and parts, each behind its length, so that no
// two inputs are the same bytes.
std::string UidOf(absl::string_view kind,
                  const std::vector<absl::string_view>& parts);

// The file's bytes, explicit little-endian; about `payload` of them are
// pixels. INTERNAL: what `condition` says, or DCMTK.
absl::StatusOr<std::string> EncodeDicom(DcmFileFormat& file,
                                        const OFCondition& condition,
                                        size_t payload);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_WRITE_DICOM_WRITER_H_
