// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/server_update.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"

namespace hilum {
namespace {

template <typename Value>
absl::string_view Bytes(absl::Span<const Value> values) {
  static_assert(sizeof(Value) == 4);
  return absl::string_view(reinterpret_cast<const char*>(values.data()),
                           values.size() * sizeof(Value));
}

// Returns the words of a state file.
int64_t StateWords(size_t state_size, const VectorLayout& layout) {
  if (state_size == 0) return 0;
  return layout.num_tracks + static_cast<int64_t>(state_size) * layout.tail();
}

}  // namespace

std::optional<ServerOptions> ServerOptionsOf(const v1::Study& study,
                                             const ParameterLayout& parameters,
                                             uint32_t round) {
  if (!HasServerOptimizer(study)) return std::nullopt;
  const v1::ServerOptimizer& rules = study.aggregation().server_optimizer();
  return ServerOptions{.rules = rules,
                       .rate_factor = ServerRateFactor(
                           rules.schedule(), study.training().rounds(), round),
                       .runs = RunsOf(parameters)};
}

uint64_t StateBytes(const v1::Study& study, const VectorLayout& layout) {
  if (!HasServerOptimizer(study)) return 0;
  const int size = StateSize(study.aggregation().server_optimizer());
  return static_cast<uint64_t>(StateWords(static_cast<size_t>(size), layout)) *
         sizeof(uint32_t);
}

ServerUpdate::ServerUpdate(const ServerOptions& options,
                           const VectorLayout& layout)
    : rules_(options.rules),
      rate_factor_(options.rate_factor),
      runs_(options.runs),
      layout_(layout),
      state_size_(static_cast<size_t>(StateSize(options.rules))),
      output_path_(options.output_path),
      squares_(static_cast<size_t>(layout.num_tracks)) {}

absl::StatusOr<ServerUpdate> ServerUpdate::Open(const ServerOptions& options,
                                                const VectorLayout& layout) {
  ServerUpdate update(options, layout);
  int64_t elements = 0;
  for (const ElementRun& run : options.runs) elements += run.size;
  if (elements != layout.track_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("the server's optimiser knows ", elements,
                     " elements of a track of ", layout.track_size));
  }
  if (update.state_size_ > 0 && !options.state_path.empty()) {
    HILUM_ASSIGN_OR_RETURN(
        BlobFile before,
        BlobFile::Open(options.state_path,
                       StateWords(update.state_size_, layout)));
    update.before_.push_back(std::move(before));
  }
  return update;
}

absl::Status ServerUpdate::Begin(const std::vector<double>& scales) {
  scales_ = scales;
  std::vector<uint32_t> counts(scales.size());
  if (!before_.empty()) {
    HILUM_RETURN_IF_ERROR(before_[0].Read(0, absl::MakeSpan(counts)));
  }
  steps_.resize(scales.size());
  for (size_t track = 0; track < scales.size(); ++track) {
    if (scales[track] == 0) continue;
    steps_[track].emplace(rules_, rate_factor_, ++counts[track]);
  }
  if (state_size_ == 0) return absl::OkStatus();
  output_ = std::make_unique<HashedFile>(output_path_);
  HILUM_RETURN_IF_ERROR(output_->Create());
  return output_->Append(Bytes(absl::MakeConstSpan(counts)));
}

template <typename Use>
void ServerUpdate::ForEachRun(int64_t at, size_t size, const Use& use) const {
  const int64_t end = at + static_cast<int64_t>(size);
  for (int64_t from = at; from < end;) {
    const int64_t track = from / layout_.track_size;
    int64_t run_end = track * layout_.track_size;
    for (const ElementRun& run : runs_) {
      run_end += run.size;
      if (from >= run_end || from >= end) continue;
      const int64_t to = std::min(end, run_end);
      use(static_cast<size_t>(track), run, static_cast<size_t>(from - at),
          static_cast<size_t>(to - from));
      from = to;
    }
  }
}

void ServerUpdate::Measure(int64_t at, absl::Span<const uint32_t> sums) {
  ForEachRun(
      at, sums.size(),
      [&](size_t track, const ElementRun& run, size_t first, size_t size) {
        if (!run.learned) return;
        AddSquares(sums.subspan(first, size), scales_[track], squares_[track]);
      });
}

void ServerUpdate::Clip() {
  for (size_t track = 0; track < steps_.size(); ++track) {
    if (steps_[track].has_value()) steps_[track]->Clip(squares_[track]);
  }
}

absl::Status ServerUpdate::ReadState(int64_t at, size_t size,
                                     std::vector<float>& state) const {
  state.assign(size * state_size_, 0);
  if (before_.empty()) return absl::OkStatus();
  return before_[0].Read(
      layout_.num_tracks + at * static_cast<int64_t>(state_size_),
      absl::MakeSpan(state));
}

void ServerUpdate::Apply(int64_t at, absl::Span<const uint32_t> sums,
                         absl::Span<float> state,
                         absl::Span<float> global) const {
  ForEachRun(
      at, sums.size(),
      [&](size_t track, const ElementRun& run, size_t first, size_t size) {
        if (!steps_[track].has_value()) return;
        steps_[track]->Apply(
            run, sums.subspan(first, size), scales_[track],
            state.subspan(first * state_size_, size * state_size_),
            global.subspan(first, size));
      });
}

absl::Status ServerUpdate::Append(absl::Span<const float> state) {
  return output_ == nullptr ? absl::OkStatus() : output_->Append(Bytes(state));
}

absl::StatusOr<WrittenFile> ServerUpdate::Commit(Durability durability) {
  if (output_ == nullptr) return WrittenFile();
  return output_->Commit(durability);
}

}  // namespace hilum
