// SPDX-License-Identifier: Apache-2.0
// Reads the cases of a store that hilum-ingest keeps, for training.
#ifndef HILUM_SITE_AGENT_IMAGING_CASE_STORE_CASE_STORE_READER_H_
#define HILUM_SITE_AGENT_IMAGING_CASE_STORE_CASE_STORE_READER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/mapped_file.h"
#include "site_agent/imaging/case_store/case_record.h"
#include "site_agent/imaging/prepare.h"

namespace hilum {

// A manifest's entry "STORE#CASE" for a case of a store; STORE is the store's
// folder.
struct CaseEntry {
  std::string store;
  std::string case_id;
};

// nullopt: the path is a file's name.
std::optional<CaseEntry> ParseCaseEntry(absl::string_view path);

// A store's mapped shards. One object sees the store as it was at Open; the
// store may grow meanwhile. Needs no database and no network. Thread-safe.
class CaseStoreReader {
 public:
  // Reads the records' headers of the store in `folder`. If a case is there
  // twice, the later record counts. Ignores a torn tail of a shard, as a crash
  // leaves it. Stops at a damaged header; later cases of that shard are then
  // missing, and only Read of a missing case reports the damage. NOT_FOUND: no
  // store there. FAILED_PRECONDITION: a newer version. Messages name the file.
  static absl::StatusOr<CaseStoreReader> Open(const std::string& folder);

  // Returns the ids in ascending order.
  std::vector<std::string> CaseIds() const;

  // Returns whether the case has a lung mask; false also: no such case.
  bool HasLungs(absl::string_view case_id) const;

  // Returns views that are valid as long as the reader. NOT_FOUND: no such
  // case. DATA_LOSS: its pixels have changed since they were written, or its
  // record may be behind a damaged header.
  absl::StatusOr<CaseRecord> Read(absl::string_view case_id) const;

 private:
  struct Place {
    size_t shard;
    uint64_t payload;  // offset
    RecordHeader header;
  };

  absl::Status AddShard(const std::string& path);

  std::string folder_;
  std::vector<std::string> paths_;
  std::vector<MappedFile> shards_;
  std::vector<absl::Status> damage_;
  std::map<std::string, Place, std::less<>> places_;
};

// Returns the plane at [size * size], equal up to rounding to PrepareWhole or
// PrepareSegmented of the image. INVALID_ARGUMENT: an empty plane.
absl::StatusOr<Plane> ResizePlane(const PlaneView& plane, int size);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_CASE_STORE_CASE_STORE_READER_H_
