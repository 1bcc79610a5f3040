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

// The blobs that the site has fetched, by SHA-256. A blob that is here is not
// fetched again; a download that a cut or a crash interrupted goes on at its
// byte. Hashes a file of an earlier process before use, since a crash may have
// lost some of its bytes. Bounds the folder, whatever a coordinator names: it
// keeps the blobs named in KeepOnly, the files that this program made itself,
// the last kMostFetched fetched blobs and one unfinished blob. A removed blob
// is fetched again when it is needed.
// Not thread-safe; one process a folder.
class BlobCache {
 public:
  // More blobs than following one sum reads at one time.
  static constexpr size_t kMostFetched = 5;

  // Makes the folder.
  static absl::StatusOr<BlobCache> Open(std::string directory);

  // Fetches `size` bytes from `offset` on. Called from several threads.
  using FetchChunk = std::function<absl::Status(
      uint64_t offset, uint32_t size, v1::FetchBlobResponse& response)>;

  // Returns the path of the whole blob; fetches the blob if it is not here.
  // DATA_LOSS: the coordinator sent other bytes; the stored bytes are dropped.
  // RESOURCE_EXHAUSTED: disk full. Other errors are those of `fetch`; the bytes
  // that came before stay until another blob is fetched.
  absl::StatusOr<std::string> Get(const v1::BlobRef& blob,
                                  const FetchChunk& fetch) const;

  // Whether the whole blob is here.
  bool Has(const v1::BlobRef& blob) const;
  // Returns the path at which the blob is stored once it is here.
  std::string PathOf(const v1::BlobRef& blob) const;
  // Returns the path at which this program writes a file for Adopt.
  std::string NewPath(absl::string_view name) const;
  // Takes over a file that this program has just written and hashed.
  absl::Status Adopt(const std::string& path, const v1::BlobRef& blob) const;

  // Removes every blob but these, and all unfinished blobs. These blobs stay
  // until the next call, however many others are fetched.
  void KeepOnly(const std::vector<v1::BlobRef>& blobs) const;

 private:
  explicit BlobCache(std::string directory)
      : directory_(std::move(directory)) {}
  absl::Status Download(const v1::BlobRef& blob, const FetchChunk& fetch,
                        const std::string& part) const;

  // Notes that `blob` is fetched next, and removes the blobs beyond
  // kMostFetched.
  absl::Status MakeRoomFor(const v1::BlobRef& blob) const;
  // Returns the path of the file that keeps the names in fetched_ for the next
  // process.
  std::string ListPath() const;
  absl::Status StoreList() const;

  // Whether the file exists and has the blob's bytes. Removes it if they
  // differ.
  bool IsWhole(const v1::BlobRef& blob, const std::string& path) const;

  std::string directory_;
  mutable std::set<std::string> verified_;  // hashed by this process
  // Names of the files that were fetched since KeepOnly, the oldest first.
  mutable std::deque<std::string> fetched_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_BLOB_CACHE_H_
