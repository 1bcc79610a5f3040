// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/blob_transfer.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "common/base/file.h"
#include "common/base/ordered_pipeline.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr uint64_t kChunkBytes = 1 << 20;
constexpr int kInFlight = 3;
constexpr int kMostRestarts = 3;  // of one upload

struct UploadChunk {
  v1::UploadChunkRequest request;
  v1::UploadChunkResponse response;
};

}  // namespace

absl::StatusOr<std::string> BlobTransfer::Fetch(const v1::Header& header,
                                                const v1::BlobRef& blob) const {
  if (blob.size() == 0) return std::string();
  return cache_.Get(blob, [&](uint64_t offset, uint32_t size,
                              v1::FetchBlobResponse& response) {
    v1::FetchBlobRequest request;
    *request.mutable_header() = header;
    request.set_sha256(blob.sha256());
    request.set_offset(offset);
    request.set_max_bytes(size);
    return call_("FetchBlob", request, &response);
  });
}

absl::StatusOr<uint64_t> BlobTransfer::Stored(const v1::Header& header,
                                              const v1::BlobRef& blob) const {
  v1::UploadChunkRequest request;
  *request.mutable_header() = header;
  *request.mutable_blob() = blob;
  v1::UploadChunkResponse response;
  HILUM_RETURN_IF_ERROR(call_("UploadChunk", request, &response));
  if (response.stored() <= blob.size() &&
      response.stored() % sizeof(uint32_t) == 0) {
    return response.stored();
  }
  return absl::DataLossError("the coordinator's upload has an absurd length");
}

absl::Status BlobTransfer::UploadFrom(uint64_t start, const v1::Header& header,
                                      const v1::BlobRef& blob, int fd,
                                      const std::string& path) const {
  auto begin_of = [&](int64_t i) {
    return start + static_cast<uint64_t>(i) * kChunkBytes;
  };
  auto end_of = [&](int64_t i) {
    return std::min(begin_of(i) + kChunkBytes, blob.size());
  };
  return RunOrdered<UploadChunk>(
      static_cast<int64_t>((blob.size() - start + kChunkBytes - 1) /
                           kChunkBytes),
      kInFlight,
      [&](int64_t i, UploadChunk& chunk) -> absl::Status {
        *chunk.request.mutable_header() = header;
        *chunk.request.mutable_blob() = blob;
        chunk.request.set_offset(begin_of(i));
        std::string& data = *chunk.request.mutable_data();
        data.resize(end_of(i) - begin_of(i));
        HILUM_RETURN_IF_ERROR(
            ReadAt(fd, begin_of(i), data.data(), data.size(), path));
        return call_("UploadChunk", chunk.request, &chunk.response);
      },
      [&](int64_t i, UploadChunk& chunk) -> absl::Status {
        if (chunk.response.stored() >= end_of(i)) return absl::OkStatus();
        return absl::DataLossError(
            "the coordinator has lost a part of the upload");
      });
}

absl::Status BlobTransfer::Upload(const v1::Header& header,
                                  const v1::BlobRef& blob,
                                  const std::string& path) const {
  ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  absl::Status sent;
  for (int i = 0; i <= kMostRestarts; ++i) {
    // Goes on where the coordinator's copy ends.
    absl::StatusOr<uint64_t> stored = Stored(header, blob);
    sent = stored.status();
    if (stored.ok()) sent = UploadFrom(*stored, header, blob, fd.get(), path);
    if (!absl::IsDataLoss(sent)) break;
  }
  return sent;
}

}  // namespace hilum
