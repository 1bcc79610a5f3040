// SPDX-License-Identifier: Apache-2.0
// Shared by all DICOM objects that Hilum derives from a radiograph.
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

// Writes elements into one item. It and the writers of its items store the
// first failure in `condition`, which outlives them. DCMTK's calls fail only if
// memory is short.
class DicomWriter {
 public:
  DicomWriter(DcmItem* item, OFCondition& condition)
      : item_(item), condition_(condition) {}

  void Text(DicomTag tag, DcmEVR vr, absl::string_view text);
  void Number(DicomTag tag, int value);     // US
  void Index(DicomTag tag, int value);      // UL
  void Pointer(DicomTag tag, DicomTag to);  // AT
  void Pixels(const std::vector<uint8_t>& bytes);
  // Adds an item to a sequence.
  DicomWriter Item(DicomTag tag);
  // Adds a code sequence with one item.
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
  bool required;  // type 2: present, possibly empty
};

// Returns an element's text; empty: none, or no source.
std::string TextIn(const DicomFile* source, DicomTag tag);
// Returns an element's UID; empty also if it is no UID (PS3.5 section 9.1;
// checks only what matters to an archive).
std::string UidIn(const DicomFile* source, DicomTag tag);

// Copies elements of the modules Patient and General Study (PS3.3 C.7.1.1,
// C.7.2.1), and `further` ones, from a source that may be null. Fills in the
// method of de-identification if the source says that it was done but not how.
// INVALID_ARGUMENT: an element of over 1024 bytes.
absl::Status CopyElements(const DicomFile* source,
                          absl::Span<const CopiedElement> further,
                          DicomWriter& writer);

// Returns the text as one value of an element: printable ASCII, '?' for what is
// not, '/' for a backslash, which parts values; cut at `most` characters.
std::string DicomText(absl::string_view text, size_t most);

// Returns "2.25." and the decimal number of a UUID (PS3.5 B.2; RFC 9562,
// version 8) made from SHA-256 of `bytes`.
std::string UidFromBytes(absl::string_view bytes);
// Returns the UID of a kind of object and parts. A length stands before each,
// so that different inputs give different bytes.
std::string UidOf(absl::string_view kind,
                  const std::vector<absl::string_view>& parts);

// Returns the file's bytes, explicit little-endian; about `payload` of them are
// pixels. INTERNAL: a failure in `condition`, or in DCMTK.
absl::StatusOr<std::string> EncodeDicom(DcmFileFormat& file,
                                        const OFCondition& condition,
                                        size_t payload);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_WRITE_DICOM_WRITER_H_
