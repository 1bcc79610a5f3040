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
#include "common/base/ordered_pipeline.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr int64_t kBlock = 1 << 15;  // elements
constexpr int kThreads = 2;
constexpr uint64_t kWritebackBytes = 8 << 20;
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
    return ReadAt(fd_.get(), static_cast<uint64_t>(element) * sizeof(float),
                  reinterpret_cast<char*>(values.data()),
                  values.size() * sizeof(float), path_);
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
    HILUM_RETURN_IF_ERROR(WriteAt(fd_.get(), num_bytes_, bytes, path_));
    num_bytes_ += bytes.size();
    StartWriteback();
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
  // The disk works while we sum, so that the sync at the end is short.
  void StartWriteback() {
    if (num_bytes_ - started_ < kWritebackBytes) return;
    sync_file_range(fd_.get(), static_cast<off_t>(started_),
                    static_cast<off_t>(num_bytes_ - started_),
                    SYNC_FILE_RANGE_WRITE);
    started_ = num_bytes_;
  }

  std::string path_;
  std::string temporary_;
  ScopedFd fd_;
  Sha256 digest_;
  uint64_t num_bytes_ = 0;
  uint64_t started_ = 0;  // bytes whose writing the kernel has begun
};

absl::Status BadDelta(absl::string_view site, int track, int64_t element) {
  return absl::InvalidArgumentError(absl::StrCat(
      "site ", site, ": track ", track, ", element ", element,
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

// A run of elements within one track, and room to compute its mean.
struct Block {
  std::vector<float> values = std::vector<float>(kBlock);
  std::vector<float> delta = std::vector<float>(kBlock);
  std::vector<int64_t> sums = std::vector<int64_t>(kBlock);
  size_t size = 0;  // elements in use
};

// One call of AggregateUpdates.
class Aggregator {
 public:
  explicit Aggregator(const AggregateOptions& options) : options_(options) {}

  absl::StatusOr<AggregateResult> Run() {
    HILUM_RETURN_IF_ERROR(CheckUpdates(options_));
    HILUM_RETURN_IF_ERROR(OpenInputs());
    OutputFile output(options_.output_path);
    HILUM_RETURN_IF_ERROR(output.Create());
    const int64_t per_track = (options_.track_size + kBlock - 1) / kBlock;
    HILUM_RETURN_IF_ERROR(RunOrdered<Block>(
        per_track * options_.num_tracks, kThreads,
        [&](int64_t i, Block& block) {
          return MakeBlock(static_cast<int>(i / per_track),
                           i % per_track * kBlock, block);
        },
        [&](int64_t, Block& block) {
          return output.Append(absl::MakeSpan(block.values.data(), block.size));
        }));
    return output.Commit(options_.durability);
  }

 private:
  absl::Status OpenInputs() {
    const int64_t elements = options_.track_size * options_.num_tracks;
    for (int track = 0; track < options_.num_tracks; ++track) {
      HILUM_ASSIGN_OR_RETURN(uint64_t total, TotalExamples(options_, track));
      totals_.push_back(total);
    }
    HILUM_ASSIGN_OR_RETURN(BlobFile global,
                           BlobFile::Open(options_.global_path, elements));
    global_.push_back(std::move(global));
    for (const UpdateInput& update : options_.updates) {
      HILUM_ASSIGN_OR_RETURN(BlobFile delta,
                             BlobFile::Open(update.path, elements));
      deltas_.push_back(std::move(delta));
    }
    return absl::OkStatus();
  }

  absl::Status MakeBlock(int track, int64_t at, Block& block) const {
    block.size =
        static_cast<size_t>(std::min(kBlock, options_.track_size - at));
    absl::Span<float> values(block.values.data(), block.size);
    HILUM_RETURN_IF_ERROR(
        global_.front().Read(track * options_.track_size + at, values));
    const uint64_t total = totals_[static_cast<size_t>(track)];
    if (total == 0) return absl::OkStatus();
    HILUM_RETURN_IF_ERROR(SumBlock(track, at, block));
    ApplyMean(absl::MakeSpan(block.sums.data(), block.size), total, values);
    return absl::OkStatus();
  }

  absl::Status SumBlock(int track, int64_t at, Block& block) const {
    absl::Span<int64_t> sums(block.sums.data(), block.size);
    absl::Span<float> delta(block.delta.data(), block.size);
    std::fill(sums.begin(), sums.end(), 0);
    for (size_t s = 0; s < deltas_.size(); ++s) {
      const UpdateInput& update = options_.updates[s];
      const uint64_t examples = update.num_examples[static_cast<size_t>(track)];
      if (examples == 0) continue;
      HILUM_RETURN_IF_ERROR(
          deltas_[s].Read(track * options_.track_size + at, delta));
      const int64_t bad = FirstBadDelta(delta);
      if (bad >= 0) return BadDelta(update.site, track, at + bad);
      AccumulateDelta(delta, examples, sums);
    }
    return absl::OkStatus();
  }

  const AggregateOptions& options_;
  std::vector<uint64_t> totals_;  // examples, [num_tracks]
  std::vector<BlobFile> global_;  // one
  std::vector<BlobFile> deltas_;
};

}  // namespace

absl::StatusOr<AggregateResult> AggregateUpdates(
    const AggregateOptions& options) {
  return Aggregator(options).Run();
}

}  // namespace hilum
