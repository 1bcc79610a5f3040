// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/update_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/aggregation/fixed_point.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/model/blobs.h"

namespace hilum {
namespace {

absl::Status ReadTrack(int fd, const std::string& path, off_t offset,
                       std::vector<float>& values) {
  char* to = reinterpret_cast<char*>(values.data());
  size_t size = values.size() * sizeof(float);
  size_t have = 0;
  while (have < size) {
    ssize_t got =
        pread(fd, to + have, size - have, offset + static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return ErrnoStatus(errno, "cannot read", path);
    have += static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

absl::Status WriteBytes(int fd, const std::string& path, off_t offset,
                        absl::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t wrote = pwrite(fd, bytes.data(), bytes.size(), offset);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return ErrnoStatus(errno, "cannot write", path);
    bytes.remove_prefix(static_cast<size_t>(wrote));
    offset += wrote;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::BlobRef> FinishUpdateFile(const std::string& path,
                                             int64_t track_size, int num_tracks,
                                             double clipping_norm) {
  ScopedFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  struct stat info;
  if (fd.get() < 0 || fstat(fd.get(), &info) != 0) {
    return ErrnoStatus(errno, "cannot open the trainer's update", path);
  }
  int64_t track_bytes = track_size * static_cast<int64_t>(sizeof(float));
  if (info.st_size != track_bytes * num_tracks) {
    return absl::InvalidArgumentError(
        absl::StrCat("the trainer's update has ", info.st_size,
                     " bytes, the study's has ", track_bytes * num_tracks));
  }
  Sha256 sha;
  std::vector<float> values(static_cast<size_t>(track_size));
  for (int track = 0; track < num_tracks; ++track) {
    off_t offset = track * track_bytes;
    HILUM_RETURN_IF_ERROR(ReadTrack(fd.get(), path, offset, values));
    int64_t bad = FirstBadDelta(values);
    if (bad >= 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("the trainer's update of track ", track,
                       " has NaN, Inf or an absurd value at element ", bad,
                       "; a smaller learning rate may help"));
    }
    HILUM_ASSIGN_OR_RETURN(double norm,
                           ClipDelta(absl::MakeSpan(values), clipping_norm));
    if (clipping_norm > 0 && norm > clipping_norm) {
      HILUM_RETURN_IF_ERROR(
          WriteBytes(fd.get(), path, offset, BlobBytes(values)));
    }
    sha.Update(BlobBytes(values));
  }
  v1::BlobRef ref;
  ref.set_sha256(sha.Finish());
  ref.set_size(static_cast<uint64_t>(info.st_size));
  return ref;
}

absl::StatusOr<v1::BlobRef> WriteZeroUpdate(const std::string& path,
                                            uint64_t num_bytes) {
  ScopedFd fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot write", path);
  const std::string zeros(1 << 20, '\0');
  Sha256 sha;
  for (uint64_t done = 0; done < num_bytes;) {
    absl::string_view block(zeros.data(),
                            std::min<uint64_t>(zeros.size(), num_bytes - done));
    HILUM_RETURN_IF_ERROR(
        WriteBytes(fd.get(), path, static_cast<off_t>(done), block));
    sha.Update(block);
    done += block.size();
  }
  v1::BlobRef ref;
  ref.set_sha256(sha.Finish());
  ref.set_size(num_bytes);
  return ref;
}

}  // namespace hilum
