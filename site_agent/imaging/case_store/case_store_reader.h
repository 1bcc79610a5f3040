// SPDX-License-Identifier: Apache-2.0
// The cases of a store that hilum-ingest keeps, for whoever trains on them.
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

// A manifest's entry for a case of a store: "STORE#CASE", where STORE is the
// store's folder.
struct CaseEntry {
  std::string store;
  std::string case_id;
};

// nullopt: not such an entry but a file's name.
std::optional<CaseEntry> ParseCaseEntry(absl::string_view path);

// A store's shards, mapped. One object sees the store as it was at Open; the
// store may grow meanwhile. Needs no database and no network. Thread-safe.
class CaseStoreReader {
 public:
  // `folder`: the store's. Reads the records' headers. Of a case that is there
  // twice the later record counts. A shard is read up to its torn tail, as a
  // crash leaves one, or to a damaged header, which is an error only for who
  // asks for a case that is not found. NOT_FOUND: no store there.
  // FAILED_PRECONDITION: of a newer version. Messages name the file.
  static absl::StatusOr<CaseStoreReader> Open(const std::string& folder);

  // In the order of their ids.
  std::vector<std::string> CaseIds() const;

  // Views stay valid as long as the reader. NOT_FOUND: no such case.
  // DATA_LOSS: its pixels are not what was written, or it may have been behind
  // a damaged header.
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

// What PrepareWhole or PrepareSegmented would give of the image, but for
// rounding: [size * size]. INVALID_ARGUMENT: an empty plane.
absl::StatusOr<Plane> ResizePlane(const PlaneView& plane, int size);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_CASE_STORE_CASE_STORE_READER_H_
