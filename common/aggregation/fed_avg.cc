// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/fed_avg.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/aggregation/fixed_point.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr int64_t kBlock = 1 << 16;  // elements
constexpr int64_t kMaxElements = int64_t{1} << 40;

absl::Status CheckSizes(int64_t track_size, int num_tracks) {
  if (track_size > 0 && num_tracks > 0 &&
      track_size <= kMaxElements / num_tracks) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("cannot aggregate ", num_tracks, " tracks of ", track_size,
                   " elements; both must be positive"));
}

// A blob of known length, read piece by piece.
class BlobFile {
 public:
  static absl::StatusOr<BlobFile> Open(const std::string& path,
                                       int64_t elements) {
    ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
    struct stat info;
    if (fstat(fd.get(), &info) != 0) {
      return ErrnoStatus(errno, "cannot stat", path);
    }
    if (!S_ISREG(info.st_mode) || info.st_size != elements * 4) {
      return absl::InvalidArgumentError(absl::StrCat(
          path, ": ", info.st_size, " bytes, expected ", elements * 4));
    }
    return BlobFile(path, std::move(fd));
  }

  absl::Status Read(int64_t element, absl::Span<float> values) const {
    char* to = reinterpret_cast<char*>(values.data());
    size_t left = values.size() * sizeof(float);
    off_t offset = element * 4;
    while (left > 0) {
      ssize_t got = pread(fd_.get(), to, left, offset);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return ErrnoStatus(errno, "cannot read", path_);
      if (got == 0) {
        return absl::DataLossError(
            absl::StrCat(path_, ": became shorter while it was read"));
      }
      to += got;
      left -= static_cast<size_t>(got);
      offset += got;
    }
    return absl::OkStatus();
  }

 private:
  BlobFile(const std::string& path, ScopedFd fd)
      : path_(path), fd_(std::move(fd)) {}

  std::string path_;
  ScopedFd fd_;
};

// The new blob: Create Append* Commit. Without Commit nothing stays.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path)
      : path_(path), temporary_(absl::StrCat(path, ".tmp.", getpid())) {}
  ~OutputFile() {
    if (fd_.get() >= 0) unlink(temporary_.c_str());
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  absl::Status Create() {
    fd_ = ScopedFd(open(temporary_.c_str(),
                        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (fd_.get() < 0) return ErrnoStatus(errno, "cannot create", temporary_);
    return absl::OkStatus();
  }

  absl::Status Append(absl::Span<const float> values) {
    absl::string_view bytes(reinterpret_cast<const char*>(values.data()),
                            values.size() * sizeof(float));
    digest_.Update(bytes);
    num_bytes_ += bytes.size();
    while (!bytes.empty()) {
      ssize_t put = write(fd_.get(), bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return ErrnoStatus(errno, "cannot write", path_);
      bytes.remove_prefix(static_cast<size_t>(put));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<AggregateResult> Commit(Durability durability) {
    const bool sync = durability == Durability::kSync;
    if (sync && fsync(fd_.get()) != 0) {
      return ErrnoStatus(errno, "cannot sync", path_);
    }
    if (rename(temporary_.c_str(), path_.c_str()) != 0) {
      return ErrnoStatus(errno, "cannot rename into place", path_);
    }
    fd_.Close();
    if (sync) {
      HILUM_RETURN_IF_ERROR(
          SyncDirectory(std::filesystem::path(path_).parent_path().string()));
    }
    return AggregateResult{digest_.Finish(), num_bytes_};
  }

 private:
  std::string path_;
  std::string temporary_;
  ScopedFd fd_;
  Sha256 digest_;
  uint64_t num_bytes_ = 0;
};

absl::Status BadDelta(absl::string_view whose, int track, int64_t element) {
  return absl::InvalidArgumentError(absl::StrCat(
      whose, ": track ", track, ", element ", element,
      " is NaN, infinite or over ", kMaxAbsDelta,
      "; training diverged: lower the learning rate or set a clipping norm"));
}

// Sum of the track's examples.
absl::StatusOr<uint64_t> TotalExamples(const AggregateOptions& options,
                                       int track) {
  uint64_t total = 0;
  for (const UpdateInput& update : options.updates) {
    const uint64_t examples = update.num_examples[static_cast<size_t>(track)];
    if (examples > kMaxTotalExamples - total) {
      return absl::InvalidArgumentError(
          absl::StrCat("track ", track, ": more than ", kMaxTotalExamples,
                       " examples in sum, at site ", update.site));
    }
    total += examples;
  }
  return total;
}

absl::Status CheckUpdates(const AggregateOptions& options) {
  HILUM_RETURN_IF_ERROR(CheckSizes(options.track_size, options.num_tracks));
  std::set<std::string> sites;
  for (const UpdateInput& update : options.updates) {
    if (!sites.insert(update.site).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("site ", update.site, " gives two updates to a round"));
    }
    if (update.num_examples.size() != static_cast<size_t>(options.num_tracks)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "site ", update.site, ": examples of ", update.num_examples.size(),
          " tracks, the study has ", options.num_tracks));
    }
  }
  return absl::OkStatus();
}

// One call of AggregateUpdates.
class Aggregator {
 public:
  explicit Aggregator(const AggregateOptions& options) : options_(options) {}

  absl::StatusOr<AggregateResult> Run() {
    HILUM_RETURN_IF_ERROR(CheckUpdates(options_));
    const int64_t elements = options_.track_size * options_.num_tracks;
    HILUM_ASSIGN_OR_RETURN(BlobFile global,
                           BlobFile::Open(options_.global_path, elements));
    for (const UpdateInput& update : options_.updates) {
      HILUM_ASSIGN_OR_RETURN(BlobFile delta,
                             BlobFile::Open(update.path, elements));
      deltas_.push_back(std::move(delta));
    }
    OutputFile output(options_.output_path);
    HILUM_RETURN_IF_ERROR(output.Create());
    for (int track = 0; track < options_.num_tracks; ++track) {
      HILUM_RETURN_IF_ERROR(RunTrack(track, global, output));
    }
    return output.Commit(options_.durability);
  }

 private:
  absl::Status RunTrack(int track, const BlobFile& global, OutputFile& output) {
    HILUM_ASSIGN_OR_RETURN(uint64_t total, TotalExamples(options_, track));
    for (int64_t at = 0; at < options_.track_size; at += kBlock) {
      const int64_t size = std::min(kBlock, options_.track_size - at);
      const int64_t first = track * options_.track_size + at;
      absl::Span<float> block(global_, static_cast<size_t>(size));
      HILUM_RETURN_IF_ERROR(global.Read(first, block));
      if (total > 0) {
        HILUM_RETURN_IF_ERROR(SumBlock(track, at, size));
        ApplyMean(absl::Span<const int64_t>(sums_, block.size()), total, block);
      }
      HILUM_RETURN_IF_ERROR(output.Append(block));
    }
    return absl::OkStatus();
  }

  absl::Status SumBlock(int track, int64_t at, int64_t size) {
    absl::Span<int64_t> sums(sums_, static_cast<size_t>(size));
    absl::Span<float> delta(delta_, sums.size());
    std::fill(sums.begin(), sums.end(), 0);
    for (size_t s = 0; s < deltas_.size(); ++s) {
      const UpdateInput& update = options_.updates[s];
      const uint64_t examples = update.num_examples[static_cast<size_t>(track)];
      if (examples == 0) continue;
      HILUM_RETURN_IF_ERROR(
          deltas_[s].Read(track * options_.track_size + at, delta));
      const int64_t bad = FirstBadDelta(delta);
      if (bad >= 0) {
        return BadDelta(absl::StrCat("site ", update.site), track, at + bad);
      }
      AccumulateDelta(delta, examples, sums);
    }
    return absl::OkStatus();
  }

  const AggregateOptions& options_;
  std::vector<BlobFile> deltas_;
  std::vector<float> global_storage_ = std::vector<float>(kBlock);
  std::vector<float> delta_storage_ = std::vector<float>(kBlock);
  std::vector<int64_t> sums_storage_ = std::vector<int64_t>(kBlock);
  float* global_ = global_storage_.data();
  float* delta_ = delta_storage_.data();
  int64_t* sums_ = sums_storage_.data();
};

}  // namespace

absl::StatusOr<AggregateResult> AggregateUpdates(
    const AggregateOptions& options) {
  return Aggregator(options).Run();
}

absl::Status CheckUpdateFile(const std::string& path, int64_t track_size,
                             int num_tracks) {
  HILUM_RETURN_IF_ERROR(CheckSizes(track_size, num_tracks));
  const int64_t elements = track_size * num_tracks;
  HILUM_ASSIGN_OR_RETURN(BlobFile file, BlobFile::Open(path, elements));
  std::vector<float> block(static_cast<size_t>(std::min(kBlock, elements)));
  for (int64_t at = 0; at < elements; at += kBlock) {
    absl::Span<float> values(
        block.data(), static_cast<size_t>(std::min(kBlock, elements - at)));
    HILUM_RETURN_IF_ERROR(file.Read(at, values));
    const int64_t bad = FirstBadDelta(values);
    if (bad >= 0) {
      return BadDelta("update", static_cast<int>((at + bad) / track_size),
                      (at + bad) % track_size);
    }
  }
  return absl::OkStatus();
}

}  // namespace hilum
