// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_INCOMING_FILE_H_
#define HILUM_SITE_AGENT_INGEST_INCOMING_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file.h"

namespace hilum {

// UIDs of an object that is being received, from ObjectUid.
struct ObjectNames {
  std::string sop_class;
  std::string sop_instance;
  std::string transfer_syntax;
};

// Returns the Instance UID in an incoming file's name; empty: none.
std::string UidOfIncomingName(absl::string_view name);

// A DICOM file (PS3.10) that is written while its data set arrives. It is
// FOLDER/UID_PROCESS_NUMBER.part until it is complete and synced, then .dcm.
// Life: Create, Append any number of times, Finish. Without Finish the
// destructor removes the file; only a kill leaves it. Not thread-safe. Errors
// name the file; RESOURCE_EXHAUSTED: the disk is full.
class IncomingFile {
 public:
  static absl::StatusOr<IncomingFile> Create(const std::string& folder,
                                             const ObjectNames& names);
  IncomingFile(IncomingFile&& other) noexcept;
  IncomingFile& operator=(IncomingFile&&) = delete;
  ~IncomingFile();

  // Errors: OUT_OF_RANGE: over kMaxImageFileBytes.
  absl::Status Append(absl::string_view data);
  // Returns the file's name in the folder.
  absl::StatusOr<std::string> Finish();

 private:
  IncomingFile(std::string folder, std::string name, ScopedFd fd);
  std::string PartPath() const;

  std::string folder_;
  std::string name_;  // without its ending; empty: finished, or moved from
  ScopedFd fd_;
  uint64_t size_ = 0;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_INCOMING_FILE_H_
