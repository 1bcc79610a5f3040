// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_BLOB_TRANSFER_H_
#define HILUM_SITE_AGENT_GATEWAY_BLOB_TRANSFER_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "hilum/v1/federation.pb.h"
#include "site_agent/gateway/blob_cache.h"

namespace hilum {

// Moves blobs between the coordinator and this site, in chunks, several of
// which are in flight at a time to fill a link with a long delay. An up- or
// download goes on where a cut or a restart interrupted it. Stateless: one
// call, one blob.
class BlobTransfer {
 public:
  // One unary call to the coordinator. Used from several threads.
  using Call = std::function<absl::Status(
      absl::string_view method, const google::protobuf::Message& request,
      google::protobuf::Message* response)>;

  // `cache` outlives this object.
  BlobTransfer(Call call, const BlobCache& cache)
      : call_(std::move(call)), cache_(cache) {}

  // Returns the path of the blob in the cache; empty if the blob is empty.
  // Fails like BlobCache::Get.
  absl::StatusOr<std::string> Fetch(const v1::Header& header,
                                    const v1::BlobRef& blob) const;

  // Sends the file at `path`, which holds `blob`. DATA_LOSS: the coordinator
  // said several times in a row that it received other bytes.
  absl::Status Upload(const v1::Header& header, const v1::BlobRef& blob,
                      const std::string& path) const;

 private:
  absl::StatusOr<uint64_t> Stored(const v1::Header& header,
                                  const v1::BlobRef& blob) const;
  absl::Status UploadFrom(uint64_t start, const v1::Header& header,
                          const v1::BlobRef& blob, int fd,
                          const std::string& path) const;

  const Call call_;
  const BlobCache& cache_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_BLOB_TRANSFER_H_
