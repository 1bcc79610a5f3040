// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/update_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "common/aggregation/fixed_point.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/model/blobs.h"

namespace hilum {
namespace {

constexpr int64_t kBlock = 1 << 16;  // elements

// The trainer's file, track by track.
class DeltaFile {
 public:
  DeltaFile(const std::string& path, int64_t track_size)
      : path_(path),
        track_size_(track_size),
        fd_(open(path.c_str(), O_RDWR | O_CLOEXEC)) {}

  absl::Status CheckSize(int num_tracks) const {
    struct stat info;
    if (fd_.get() < 0 || fstat(fd_.get(), &info) != 0) {
      return ErrnoStatus(errno, "cannot open the trainer's update", path_);
    }
    const int64_t wanted = track_size_ * num_tracks * kElement;
    if (info.st_size == wanted) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("the trainer's update has ", info.st_size,
                     " bytes, the study's has ", wanted));
  }

  // What to multiply the track with to clip it.
  absl::StatusOr<double> Factor(int track, double clipping_norm) {
    double squares = 0;
    HILUM_RETURN_IF_ERROR(ForEachBlock(track, [&](uint64_t) {
      AddSquares(block_, squares);
      return absl::OkStatus();
    }));
    return ClipFactor(squares, clipping_norm);
  }

  absl::Status Finish(int track, double factor, Sha256& sha) {
    return ForEachBlock(track, [&](uint64_t offset) -> absl::Status {
      if (factor != 1) {
        ScaleDelta(absl::MakeSpan(block_), factor);
        HILUM_RETURN_IF_ERROR(
            WriteAt(fd_.get(), offset, BlobBytes(block_), path_));
      }
      sha.Update(BlobBytes(block_));
      return absl::OkStatus();
    });
  }

 private:
  static constexpr int64_t kElement = sizeof(float);

  // `use` finds the values in block_ and is given their place in the file.
  absl::Status ForEachBlock(int track,
                            absl::FunctionRef<absl::Status(uint64_t)> use) {
    for (int64_t at = 0; at < track_size_; at += kBlock) {
      block_.resize(static_cast<size_t>(std::min(kBlock, track_size_ - at)));
      uint64_t offset =
          static_cast<uint64_t>((track * track_size_ + at) * kElement);
      HILUM_RETURN_IF_ERROR(ReadAt(fd_.get(), offset,
                                   reinterpret_cast<char*>(block_.data()),
                                   block_.size() * kElement, path_));
      int64_t bad = FirstBadDelta(block_);
      if (bad >= 0) {
        return absl::InvalidArgumentError(
            absl::StrCat("the trainer's update of track ", track,
                         " has NaN, Inf or an absurd value at element ",
                         at + bad, "; a smaller learning rate may help"));
      }
      HILUM_RETURN_IF_ERROR(use(offset));
    }
    return absl::OkStatus();
  }

  const std::string& path_;
  const int64_t track_size_;
  const ScopedFd fd_;
  std::vector<float> block_;
};

}  // namespace

absl::StatusOr<v1::BlobRef> FinishUpdateFile(const std::string& path,
                                             int64_t track_size, int num_tracks,
                                             double clipping_norm) {
  DeltaFile file(path, track_size);
  HILUM_RETURN_IF_ERROR(file.CheckSize(num_tracks));
  Sha256 sha;
  for (int track = 0; track < num_tracks; ++track) {
    double factor = 1;
    if (clipping_norm != 0) {
      HILUM_ASSIGN_OR_RETURN(factor, file.Factor(track, clipping_norm));
    }
    HILUM_RETURN_IF_ERROR(file.Finish(track, factor, sha));
  }
  v1::BlobRef ref;
  ref.set_sha256(sha.Finish());
  ref.set_size(static_cast<uint64_t>(track_size) *
               static_cast<uint64_t>(num_tracks) * sizeof(float));
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
    HILUM_RETURN_IF_ERROR(WriteAt(fd.get(), done, block, path));
    sha.Update(block);
    done += block.size();
  }
  v1::BlobRef ref;
  ref.set_sha256(sha.Finish());
  ref.set_size(num_bytes);
  return ref;
}

}  // namespace hilum
