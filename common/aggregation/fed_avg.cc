// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/fed_avg.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/aggregation/blob_file.h"
#include "common/aggregation/sum_file.h"
#include "common/base/ordered_pipeline.h"
#include "common/base/status_macros.h"
#include "common/crypto/hashed_file.h"

namespace hilum {
namespace {

constexpr int64_t kBlock = 1 << 15;  // elements
constexpr int kThreads = 2;
constexpr int64_t kMaxElements = int64_t{1} << 40;
static_assert(kBlock % 4 == 0, "where masks begin");
static_assert(kBlock % SumFile::kCarryStep == 0);

template <typename List>
bool FitsOrEmpty(const List& list, int size) {
  return list.empty() || list.size() == static_cast<size_t>(size);
}

absl::Status CheckSizes(const AggregateOptions& options) {
  const VectorLayout& layout = options.layout;
  if (layout.track_size > 0 && layout.num_tracks > 0 && layout.num_arms > 0 &&
      layout.num_tracks % layout.num_arms == 0 &&
      layout.track_size <= kMaxElements / layout.num_tracks &&
      options.total_examples.size() == static_cast<size_t>(layout.num_tracks) &&
      FitsOrEmpty(options.most_trained, layout.num_tracks) &&
      FitsOrEmpty(options.factors, layout.num_tracks) &&
      options.updates.size() <= kMaxSites &&
      (!options.sum.has_value() ||
       (options.updates.empty() && options.sum_path.empty()))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "cannot aggregate ", options.updates.size(), " updates of ",
      layout.num_tracks, " tracks in ", layout.num_arms, " arms of ",
      layout.track_size, " elements with the examples of ",
      options.total_examples.size()));
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

// A run of elements, and the buffers to compute their mean.
struct Block {
  std::vector<float> values = std::vector<float>(kBlock);
  std::vector<uint32_t> words = std::vector<uint32_t>(kBlock);
  std::vector<uint32_t> sums = std::vector<uint32_t>(kBlock);
  std::vector<uint32_t> carries;  // [kBlock], where the sum is written
  std::vector<float> state;       // of the server's optimiser
  size_t size = 0;                // elements in use
};

// One call of AggregateUpdates.
class Aggregator {
 public:
  explicit Aggregator(const AggregateOptions& options) : options_(options) {}

  absl::StatusOr<AggregateResult> Run() {
    HILUM_RETURN_IF_ERROR(CheckSizes(options_));
    HILUM_RETURN_IF_ERROR(CheckSites(options_.updates));
    HILUM_RETURN_IF_ERROR(OpenInputs());
    if (!options_.sum_path.empty()) {
      sum_.emplace(options_.sum_path, layout_.size(),
                   static_cast<int>(options_.updates.size()));
    }
    AggregateResult result;
    HILUM_RETURN_IF_ERROR(SumTail(result));
    if (server_) HILUM_RETURN_IF_ERROR(BeginServer());
    HashedFile output(options_.output_path);
    HILUM_RETURN_IF_ERROR(output.Create());
    if (sum_) HILUM_RETURN_IF_ERROR(sum_->Create());
    HILUM_RETURN_IF_ERROR(RunOrdered<Block>(
        (layout_.tail() + kBlock - 1) / kBlock, kThreads,
        [&](int64_t i, Block& block) { return MakeBlock(i * kBlock, block); },
        [&](int64_t i, Block& block) {
          return TakeBlock(i * kBlock, block, output);
        }));
    HILUM_RETURN_IF_ERROR(Commit(output, result));
    return result;
  }

 private:
  // Measures the mean updates where the server's optimiser clips them.
  absl::Status BeginServer() {
    HILUM_RETURN_IF_ERROR(server_->Begin(steps_));
    if (!server_->Clips()) return absl::OkStatus();
    Block block;
    if (sum_) block.carries.resize(kBlock);
    for (int64_t at = 0; at < layout_.tail(); at += kBlock) {
      block.size = static_cast<size_t>(std::min(kBlock, layout_.tail() - at));
      const absl::Span<uint32_t> sums(block.sums.data(), block.size);
      HILUM_RETURN_IF_ERROR(
          Sum(at, absl::MakeSpan(block.words.data(), block.size), sums,
              absl::MakeSpan(block.carries.data(), sum_ ? block.size : 0)));
      if (options_.unmask) options_.unmask(static_cast<uint64_t>(at), sums);
      server_->Measure(at, sums);
    }
    server_->Clip();
    return absl::OkStatus();
  }

  absl::Status OpenInputs() {
    if (options_.server.has_value()) {
      HILUM_ASSIGN_OR_RETURN(ServerUpdate server,
                             ServerUpdate::Open(*options_.server, layout_));
      server_.emplace(std::move(server));
    }
    HILUM_ASSIGN_OR_RETURN(
        BlobFile global, BlobFile::Open(options_.global_path, layout_.tail()));
    global_.push_back(std::move(global));
    if (options_.sum.has_value()) {
      HILUM_ASSIGN_OR_RETURN(SumFile sum,
                             SumFile::Open(options_.sum->path, layout_.size(),
                                           options_.sum->num_vectors));
      published_.emplace(std::move(sum));
    }
    for (const UpdateInput& update : options_.updates) {
      HILUM_ASSIGN_OR_RETURN(BlobFile vector,
                             BlobFile::Open(update.path, layout_.size()));
      updates_.push_back(std::move(vector));
    }
    return absl::OkStatus();
  }

  // Sets sums to the sum of the updates' elements from `at` on; `words` is a
  // buffer for one update. Where the sum file is written, also fills `carries`,
  // of the same length.
  absl::Status Sum(int64_t at, absl::Span<uint32_t> words,
                   absl::Span<uint32_t> sums,
                   absl::Span<uint32_t> carries) const {
    if (published_) return published_->ReadLow(at, sums);
    std::fill(sums.begin(), sums.end(), 0);
    std::fill(carries.begin(), carries.end(), 0);
    for (const BlobFile& update : updates_) {
      HILUM_RETURN_IF_ERROR(update.Read(at, words));
      if (sum_) {
        AddWordsAndCarries(words, sums, carries);
      } else {
        AddWords(words, sums);
      }
    }
    return absl::OkStatus();
  }

  // Sums counts and losses; each track's step follows from them.
  absl::Status SumTail(AggregateResult& result) {
    const int64_t start = layout_.tail() / 4 * 4;  // where a mask may begin
    std::vector<uint32_t> sums(static_cast<size_t>(layout_.size() - start));
    std::vector<uint32_t> words(sums.size());
    std::vector<uint32_t> carries(sums.size());
    HILUM_RETURN_IF_ERROR(Sum(start, absl::MakeSpan(words),
                              absl::MakeSpan(sums), absl::MakeSpan(carries)));
    if (sum_) {
      const auto skipped = static_cast<ptrdiff_t>(layout_.tail() - start);
      tail_low_.assign(sums.begin() + skipped, sums.end());
      tail_carries_.assign(carries.begin() + skipped, carries.end());
    }
    if (options_.unmask) {
      options_.unmask(static_cast<uint64_t>(start), absl::MakeSpan(sums));
    }
    const uint32_t* tail = sums.data() + (layout_.tail() - start);
    for (int track = 0; track < layout_.num_tracks; ++track) {
      HILUM_ASSIGN_OR_RETURN(TrackTotals totals, TotalsOf(track, tail));
      tail += layout_.track_words();
      result.tracks.push_back(totals);
      steps_.push_back(
          totals.num_examples == 0 ? 0 : StepOf(track, totals.num_examples));
    }
    for (int arm = 0; arm < layout_.num_arms; ++arm) {
      result.arms.push_back(LossOf(arm, result.tracks, *tail++));
    }
    if (options_.unmask || published_) return absl::OkStatus();
    return CountExamples(result);
  }

  // Counts each update's own examples, so that the report can name sites that
  // trained on none.
  absl::Status CountExamples(AggregateResult& result) const {
    std::vector<uint32_t> tail(
        static_cast<size_t>(layout_.size() - layout_.tail()));
    const auto words = static_cast<size_t>(layout_.track_words());
    for (const BlobFile& update : updates_) {
      HILUM_RETURN_IF_ERROR(update.Read(layout_.tail(), absl::MakeSpan(tail)));
      uint64_t examples = 0;
      for (int track = 0; track < layout_.num_tracks; ++track) {
        examples += tail[static_cast<size_t>(track) * words];
      }
      result.update_examples.push_back(examples);
    }
    return absl::OkStatus();
  }

  // `words`: the track's words in the tail, track_words() of them.
  absl::StatusOr<TrackTotals> TotalsOf(int track, const uint32_t* words) const {
    TrackTotals totals{.num_examples = words[0],
                       .validation_loss = std::nan("")};
    if (layout_.validates) totals.validation_examples = words[1];
    const uint64_t most = options_.total_examples[static_cast<size_t>(track)];
    const uint64_t examples = totals.num_examples + totals.validation_examples;
    if (examples > most) {
      return Absurd(absl::StrCat(examples, " examples of track ", track),
                    absl::StrCat(", the whole cohort has ", most));
    }
    const uint64_t most_trained = MostTrained(static_cast<size_t>(track));
    if (totals.num_examples > most_trained) {
      return Absurd(
          absl::StrCat(totals.num_examples, " examples of track ", track),
          absl::StrCat(", the whole cohort trains on ", most_trained,
                       " in a round"));
    }
    if (!layout_.validates) return totals;
    totals.validation_loss =
        MeanLoss(words[2], totals.validation_examples, most);
    if (IsAbsurd(totals, most)) {
      return Absurd(absl::StrCat("a validation loss of ",
                                 totals.validation_loss, " of track ", track),
                    " a case");
    }
    return totals;
  }

  // `word`: the arm's word in the tail.
  ArmTotals LossOf(int arm, const std::vector<TrackTotals>& tracks,
                   uint32_t word) const {
    uint64_t examples = 0, most = 0;
    for (int i = 0; i < layout_.tracks_per_arm(); ++i) {
      const auto track =
          static_cast<size_t>(arm * layout_.tracks_per_arm() + i);
      examples += tracks[track].num_examples;
      most += MostTrained(track);
    }
    return {.mean_loss = MeanLoss(word, examples, most)};
  }

  // Returns the mean loss; NaN where there are no examples.
  static double MeanLoss(uint32_t sum, uint64_t examples, uint64_t total) {
    return examples == 0 ? std::nan("") : DecodeLoss(sum, examples, total);
  }

  // Returns whether a validation loss is out of range: the loss chooses models.
  // The tolerance is twice the largest rounding error, however many vectors
  // each update sums.
  static bool IsAbsurd(const TrackTotals& totals, uint64_t total_examples) {
    if (totals.validation_examples == 0) return false;
    const double rounding = kMaxSites * 0x1p-24 *
                            static_cast<double>(total_examples) /
                            static_cast<double>(totals.validation_examples);
    return totals.validation_loss < 0 ||
           totals.validation_loss > kMaxLoss + rounding;
  }

  static absl::Status Absurd(absl::string_view what, absl::string_view than) {
    return absl::AbortedError(
        absl::StrCat("the updates' sum has ", what, than,
                     "; a site's update is damaged or not of this round"));
  }

  uint64_t MostTrained(size_t track) const {
    if (options_.total_examples[track] == 0) return 0;
    return options_.most_trained.empty() ? options_.total_examples[track]
                                         : options_.most_trained[track];
  }

  // Returns the weight of one unit of the sums in the mean.
  double StepOf(int track, uint64_t examples) const {
    const auto t = static_cast<size_t>(track);
    const double step = std::ldexp(
        static_cast<double>(MostTrained(t)) / static_cast<double>(examples),
        -options_.fraction_bits);
    return options_.factors.empty() ? step : step * options_.factors[t];
  }

  absl::Status MakeBlock(int64_t at, Block& block) const {
    block.size = static_cast<size_t>(std::min(kBlock, layout_.tail() - at));
    HILUM_RETURN_IF_ERROR(global_.front().Read(
        at, absl::MakeSpan(block.values.data(), block.size)));
    if (server_) {
      HILUM_RETURN_IF_ERROR(server_->ReadState(at, block.size, block.state));
    }
    if (sum_) block.carries.resize(kBlock);
    HILUM_RETURN_IF_ERROR(
        Sum(at, absl::MakeSpan(block.words.data(), block.size),
            absl::MakeSpan(block.sums.data(), block.size),
            absl::MakeSpan(block.carries.data(), sum_ ? block.size : 0)));
    if (published_) HILUM_RETURN_IF_ERROR(Show(at, block));
    // Masks are applied in the calling thread only.
    if (!options_.unmask) ApplySums(at, block);
    return absl::OkStatus();
  }

  // Gives the block's elements to PublishedSum::see, and with the last block
  // those of the tail.
  absl::Status Show(int64_t at, Block& block) const {
    if (!options_.sum->see) return absl::OkStatus();
    const int64_t end = at + static_cast<int64_t>(block.size);
    const int64_t more = end < layout_.tail() ? 0 : layout_.tail_words();
    block.words.assign(block.sums.begin(),
                       block.sums.begin() + static_cast<ptrdiff_t>(block.size));
    block.words.resize(block.size + static_cast<size_t>(more));
    block.carries.resize(block.words.size());
    HILUM_RETURN_IF_ERROR(published_->ReadLow(
        end, absl::MakeSpan(block.words).subspan(block.size)));
    HILUM_RETURN_IF_ERROR(
        published_->ReadCarries(at, absl::MakeSpan(block.carries)));
    options_.sum->see(at, block.words, block.carries);
    return absl::OkStatus();
  }

  absl::Status TakeBlock(int64_t at, Block& block, HashedFile& output) {
    absl::Span<uint32_t> sums(block.sums.data(), block.size);
    if (sum_) {
      HILUM_RETURN_IF_ERROR(sum_->Append(
          sums, absl::MakeConstSpan(block.carries.data(), block.size)));
    }
    if (options_.unmask) {
      options_.unmask(static_cast<uint64_t>(at), sums);
      ApplySums(at, block);
    }
    if (server_) HILUM_RETURN_IF_ERROR(server_->Append(block.state));
    return output.Append(
        absl::string_view(reinterpret_cast<const char*>(block.values.data()),
                          block.size * sizeof(float)));
  }

  // Commits the new global blob last: wherever it exists, its sum and the
  // optimiser's state exist.
  absl::Status Commit(HashedFile& output, AggregateResult& result) {
    if (sum_) {
      HILUM_RETURN_IF_ERROR(sum_->Append(tail_low_, tail_carries_));
      HILUM_ASSIGN_OR_RETURN(WrittenFile written,
                             sum_->Commit(options_.durability));
      result.sum_sha256 = std::move(written.sha256);
      result.sum_bytes = written.num_bytes;
    }
    absl::StatusOr<WrittenFile> state = WrittenFile();
    if (server_) state = server_->Commit(options_.durability);
    auto written =
        state.ok() ? output.Commit(options_.durability) : state.status();
    if (!written.ok()) {
      if (sum_) unlink(options_.sum_path.c_str());
      if (server_) unlink(options_.server->output_path.c_str());
      return written.status();
    }
    result.state_sha256 = std::move(state->sha256);
    result.state_bytes = state->num_bytes;
    result.sha256 = std::move(written->sha256);
    result.num_bytes = written->num_bytes;
    return absl::OkStatus();
  }

  // A block may hold the end of a track and the start of others.
  void ApplySums(int64_t at, Block& block) const {
    if (server_) {
      server_->Apply(at, absl::MakeConstSpan(block.sums.data(), block.size),
                     absl::MakeSpan(block.state),
                     absl::MakeSpan(block.values.data(), block.size));
      return;
    }
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
  std::optional<SumFile> published_;  // in place of the updates
  std::optional<ServerUpdate> server_;
  std::optional<SumFileWriter> sum_;  // where the sum is written
  std::vector<uint32_t> tail_low_;    // of the sum as it came
  std::vector<uint32_t> tail_carries_;
};

}  // namespace

double MeanLossOf(absl::Span<const uint64_t> examples,
                  absl::Span<const double> losses) {
  double sum = 0, all = 0;
  for (size_t arm = 0; arm < losses.size(); ++arm) {
    const size_t tracks = examples.size() / losses.size();
    uint64_t cases = 0;
    for (uint64_t n : examples.subspan(arm * tracks, tracks)) cases += n;
    if (cases == 0) continue;
    sum += static_cast<double>(cases) * losses[arm];
    all += static_cast<double>(cases);
  }
  return all > 0 ? sum / all : std::nan("");
}

std::vector<double> ValidationLosses(const AggregateResult& result) {
  std::vector<double> losses;
  for (const TrackTotals& track : result.tracks) {
    losses.push_back(track.validation_loss);
  }
  return losses;
}

absl::StatusOr<AggregateResult> AggregateUpdates(
    const AggregateOptions& options) {
  return Aggregator(options).Run();
}

}  // namespace hilum
