// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_BLOB_CACHE_H_
#define HILUM_SITE_AGENT_GATEWAY_BLOB_CACHE_H_

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// What the site has fetched, by SHA-256. What is here is not fetched again;
// what a cut or a crash left half is gone on with at its byte. What an earlier
// process left is hashed before it is used: it need not have reached the disk.
// The folder is bounded whatever a coordinator names: beside the blobs that
// KeepOnly kept and those that this program made itself it has the last
// kMostFetched that were fetched, and one unfinished one. What is removed to
// keep to that is fetched again where it is needed.
// Not thread-safe; one process a folder.
class BlobCache {
 public:
  // More than are read at one time, of a sum that is followed.
  static constexpr size_t kMostFetched = 4;

  // Makes the folder.
  static absl::StatusOr<BlobCache> Open(std::string directory);

  // Fetches `size` bytes from `offset` on. Called from several threads.
  using FetchChunk = std::function<absl::Status(
      uint64_t offset, uint32_t size, v1::FetchBlobResponse& response)>;

  // The path of the whole blob, fetched where it is not here. DATA_LOSS: the
  // coordinator sent other bytes; what was stored is dropped.
  // RESOURCE_EXHAUSTED: disk full. Else what `fetch` says; what came before
  // stays, until another blob is fetched.
  absl::StatusOr<std::string> Get(const v1::BlobRef& blob,
                                  const FetchChunk& fetch) const;

  // Whether the whole blob is here.
  bool Has(const v1::BlobRef& blob) const;
  // Where it is, or would be.
  std::string PathOf(const v1::BlobRef& blob) const;
  // Where this program writes what is to be adopted.
  std::string NewPath(absl::string_view name) const;
  // Takes over a file that this program has just written and hashed.
  absl::Status Adopt(const std::string& path, const v1::BlobRef& blob) const;

  // Removes every blob but these, and unfinished ones. These stay until the
  // next call, however many others are fetched.
  void KeepOnly(const std::vector<v1::BlobRef>& blobs) const;

 private:
  explicit BlobCache(std::string directory)
      : directory_(std::move(directory)) {}
  absl::Status Download(const v1::BlobRef& blob, const FetchChunk& fetch,
                        const std::string& part) const;

  // Notes that `blob` is fetched next, and removes what there is no room for.
  absl::Status MakeRoomFor(const v1::BlobRef& blob) const;
  // Where the names of fetched_ are, for the next process.
  std::string ListPath() const;
  absl::Status StoreList() const;

  // Whether the file is there with its bytes; removes it where they differ.
  bool IsWhole(const v1::BlobRef& blob, const std::string& path) const;

  std::string directory_;
  mutable std::set<std::string> verified_;  // hashed by this process
  // Names of files that came since KeepOnly, the oldest first.
  mutable std::deque<std::string> fetched_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_BLOB_CACHE_H_
