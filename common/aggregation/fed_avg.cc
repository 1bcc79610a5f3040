// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/fed_avg.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/aggregation/blob_file.h"
#include "common/base/ordered_pipeline.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr int64_t kBlock = 1 << 15;  // elements
constexpr int kThreads = 2;
constexpr uint64_t kWritebackBytes = 8 << 20;
constexpr int64_t kMaxElements = int64_t{1} << 40;
static_assert(kBlock % 4 == 0, "where masks begin");

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

  absl::Status Commit(Durability durability, AggregateResult& result) {
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
    result.sha256 = digest_.Finish();
    result.num_bytes = num_bytes_;
    return absl::OkStatus();
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

absl::Status CheckSizes(const AggregateOptions& options) {
  const VectorLayout& layout = options.layout;
  if (layout.track_size > 0 && layout.num_tracks > 0 &&
      layout.track_size <= kMaxElements / layout.num_tracks &&
      options.total_examples.size() == static_cast<size_t>(layout.num_tracks) &&
      options.updates.size() <= kMaxSites) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "cannot aggregate ", options.updates.size(), " updates of ",
      layout.num_tracks, " tracks of ", layout.track_size,
      " elements with the examples of ", options.total_examples.size()));
}

absl::Status CheckSites(const std::vector<UpdateInput>& updates) {
  std::set<std::string> sites;
  for (const UpdateInput& update : updates) {
    if (!sites.insert(update.site).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("site ", update.site, " gives two updates to a round"));
    }
  }
  return absl::OkStatus();
}

// A run of elements, and room to compute their mean.
struct Block {
  std::vector<float> values = std::vector<float>(kBlock);
  std::vector<uint32_t> words = std::vector<uint32_t>(kBlock);
  std::vector<uint32_t> sums = std::vector<uint32_t>(kBlock);
  size_t size = 0;  // elements in use
};

// One call of AggregateUpdates.
class Aggregator {
 public:
  explicit Aggregator(const AggregateOptions& options) : options_(options) {}

  absl::StatusOr<AggregateResult> Run() {
    HILUM_RETURN_IF_ERROR(CheckSizes(options_));
    HILUM_RETURN_IF_ERROR(CheckSites(options_.updates));
    HILUM_RETURN_IF_ERROR(OpenInputs());
    AggregateResult result;
    HILUM_ASSIGN_OR_RETURN(result.tracks, SumTail());
    OutputFile output(options_.output_path);
    HILUM_RETURN_IF_ERROR(output.Create());
    HILUM_RETURN_IF_ERROR(RunOrdered<Block>(
        (layout_.tail() + kBlock - 1) / kBlock, kThreads,
        [&](int64_t i, Block& block) { return MakeBlock(i * kBlock, block); },
        [&](int64_t i, Block& block) {
          absl::Span<float> values(block.values.data(), block.size);
          if (options_.unmask) Unmask(i * kBlock, block);
          return output.Append(values);
        }));
    HILUM_RETURN_IF_ERROR(output.Commit(options_.durability, result));
    return result;
  }

 private:
  absl::Status OpenInputs() {
    HILUM_ASSIGN_OR_RETURN(
        BlobFile global, BlobFile::Open(options_.global_path, layout_.tail()));
    global_.push_back(std::move(global));
    for (const UpdateInput& update : options_.updates) {
      HILUM_ASSIGN_OR_RETURN(BlobFile vector,
                             BlobFile::Open(update.path, layout_.size()));
      updates_.push_back(std::move(vector));
    }
    return absl::OkStatus();
  }

  // sums = the updates' elements from `at` on; `words` is room for one's.
  absl::Status Sum(int64_t at, absl::Span<uint32_t> words,
                   absl::Span<uint32_t> sums) const {
    std::fill(sums.begin(), sums.end(), 0);
    for (const BlobFile& update : updates_) {
      HILUM_RETURN_IF_ERROR(update.Read(at, words));
      AddWords(words, sums);
    }
    return absl::OkStatus();
  }

  // Counts and losses, from which each track's step follows.
  absl::StatusOr<std::vector<TrackTotals>> SumTail() {
    const int64_t start = layout_.tail() / 4 * 4;  // where a mask may begin
    std::vector<uint32_t> sums(static_cast<size_t>(layout_.size() - start));
    std::vector<uint32_t> words(sums.size());
    HILUM_RETURN_IF_ERROR(
        Sum(start, absl::MakeSpan(words), absl::MakeSpan(sums)));
    if (options_.unmask) {
      options_.unmask(static_cast<uint64_t>(start), absl::MakeSpan(sums));
    }
    const uint32_t* tail = sums.data() + (layout_.tail() - start);
    std::vector<TrackTotals> totals;
    for (int track = 0; track < layout_.num_tracks; ++track) {
      HILUM_ASSIGN_OR_RETURN(TrackTotals total, TotalsOf(track, tail));
      tail += layout_.tail_words();
      totals.push_back(total);
      steps_.push_back(
          total.num_examples == 0 ? 0 : StepOf(track, total.num_examples));
    }
    return totals;
  }

  // `words`: the track's in the tail, tail_words().
  absl::StatusOr<TrackTotals> TotalsOf(int track, const uint32_t* words) const {
    const uint64_t most = options_.total_examples[static_cast<size_t>(track)];
    TrackTotals totals{.num_examples = words[0],
                       .mean_loss = MeanLoss(words[1], words[0], most),
                       .validation_loss = std::nan("")};
    if (layout_.validates) {
      totals.validation_examples = words[2];
      totals.validation_loss = MeanLoss(words[3], words[2], most);
    }
    const uint64_t examples = totals.num_examples + totals.validation_examples;
    if (examples > most) {
      return Absurd(track, absl::StrCat(examples, " examples"),
                    absl::StrCat(", the whole cohort has ", most));
    }
    if (IsAbsurd(totals, most)) {
      return Absurd(
          track, absl::StrCat("a validation loss of ", totals.validation_loss),
          " a case");
    }
    return totals;
  }

  // NaN: of nobody.
  static double MeanLoss(uint32_t sum, uint64_t examples, uint64_t total) {
    return examples == 0 ? std::nan("") : DecodeLoss(sum, examples, total);
  }

  // A loss that chooses models must be one. Room is twice what rounding adds.
  bool IsAbsurd(const TrackTotals& totals, uint64_t total_examples) const {
    if (totals.validation_examples == 0) return false;
    const double rounding = static_cast<double>(options_.updates.size()) *
                            0x1p-24 * static_cast<double>(total_examples) /
                            static_cast<double>(totals.validation_examples);
    return totals.validation_loss < 0 ||
           totals.validation_loss > kMaxLoss + rounding;
  }

  static absl::Status Absurd(int track, absl::string_view what,
                             absl::string_view than) {
    return absl::AbortedError(
        absl::StrCat("the updates' sum has ", what, " of track ", track, than,
                     "; a site's update is damaged or not of this round"));
  }

  // What the sums' unit is in the mean.
  double StepOf(int track, uint64_t examples) const {
    const uint64_t total = options_.total_examples[static_cast<size_t>(track)];
    return std::ldexp(
        static_cast<double>(total) / static_cast<double>(examples),
        -options_.fraction_bits);
  }

  absl::Status MakeBlock(int64_t at, Block& block) const {
    block.size = static_cast<size_t>(std::min(kBlock, layout_.tail() - at));
    HILUM_RETURN_IF_ERROR(global_.front().Read(
        at, absl::MakeSpan(block.values.data(), block.size)));
    HILUM_RETURN_IF_ERROR(Sum(at,
                              absl::MakeSpan(block.words.data(), block.size),
                              absl::MakeSpan(block.sums.data(), block.size)));
    // Masks know one thread only.
    if (!options_.unmask) ApplySums(at, block);
    return absl::OkStatus();
  }

  void Unmask(int64_t at, Block& block) const {
    options_.unmask(static_cast<uint64_t>(at),
                    absl::MakeSpan(block.sums.data(), block.size));
    ApplySums(at, block);
  }

  // A block may hold the end of a track and the start of others.
  void ApplySums(int64_t at, Block& block) const {
    const int64_t end = at + static_cast<int64_t>(block.size);
    for (int64_t from = at; from < end;) {
      const int64_t track = from / layout_.track_size;
      const int64_t to = std::min(end, (track + 1) * layout_.track_size);
      const double step = steps_[static_cast<size_t>(track)];
      const auto offset = static_cast<size_t>(from - at);
      const auto size = static_cast<size_t>(to - from);
      if (step != 0) {
        ApplyMean(absl::MakeSpan(block.sums.data() + offset, size), step,
                  absl::MakeSpan(block.values.data() + offset, size));
      }
      from = to;
    }
  }

  const AggregateOptions& options_;
  const VectorLayout& layout_ = options_.layout;
  std::vector<double> steps_;     // [num_tracks]; 0: nobody trained it
  std::vector<BlobFile> global_;  // one
  std::vector<BlobFile> updates_;
};

}  // namespace

absl::StatusOr<AggregateResult> AggregateUpdates(
    const AggregateOptions& options) {
  return Aggregator(options).Run();
}

}  // namespace hilum
