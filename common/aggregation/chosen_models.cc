// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/chosen_models.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/aggregation/blob_file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr int64_t kBlock = 1 << 16;  // elements

// The models with which a round began are at hand wherever the next ones are.
ChosenFrom Definite(ChosenFrom origin) {
  return origin == ChosenFrom::kAny ? ChosenFrom::kBefore : origin;
}

const std::string& PathOf(const ChosenOptions& options, ChosenFrom origin) {
  switch (origin) {
    case ChosenFrom::kBefore:
      return options.before_path;
    case ChosenFrom::kAfter:
      return options.after_path;
    default:
      return options.chosen_path;
  }
}

absl::Status CopyTrack(const BlobFile& from, int64_t first, int64_t elements,
                       HashedFile& output) {
  std::vector<uint32_t> block;
  for (int64_t at = 0; at < elements; at += kBlock) {
    block.resize(static_cast<size_t>(std::min(kBlock, elements - at)));
    HILUM_RETURN_IF_ERROR(from.Read(first + at, absl::MakeSpan(block)));
    HILUM_RETURN_IF_ERROR(output.Append(
        absl::string_view(reinterpret_cast<const char*>(block.data()),
                          block.size() * sizeof(uint32_t))));
  }
  return absl::OkStatus();
}

}  // namespace

RoundChoice ChooseAfter(const v1::Study& study, uint32_t round,
                        const TrackChoices& before,
                        const AggregateResult& result) {
  RoundChoice choice{.choices = before};
  Choose(study, round, ValidationLosses(result), choice.choices);
  std::vector<uint64_t> examples;
  for (const TrackTotals& track : result.tracks) {
    examples.push_back(track.num_examples);
  }
  choice.origins = OriginOfChosen(choice.choices, round, examples);
  return choice;
}

std::optional<ChosenFrom> OnlyOrigin(absl::Span<const ChosenFrom> origins) {
  ChosenFrom only = ChosenFrom::kAny;
  for (ChosenFrom origin : origins) {
    if (origin == ChosenFrom::kAny) continue;
    if (only != ChosenFrom::kAny && only != origin) return std::nullopt;
    only = origin;
  }
  return only == ChosenFrom::kAny ? ChosenFrom::kChosen : only;
}

absl::StatusOr<WrittenFile> WriteChosen(const ChosenOptions& options) {
  const VectorLayout& layout = options.layout;
  if (options.origins.size() != static_cast<size_t>(layout.num_tracks)) {
    return absl::InvalidArgumentError(
        absl::StrCat("origins of ", options.origins.size(), " tracks, not of ",
                     layout.num_tracks));
  }
  std::map<ChosenFrom, BlobFile> files;
  for (ChosenFrom any : options.origins) {
    const ChosenFrom origin = Definite(any);
    if (files.contains(origin)) continue;
    HILUM_ASSIGN_OR_RETURN(
        BlobFile file, BlobFile::Open(PathOf(options, origin), layout.tail()));
    files.emplace(origin, std::move(file));
  }
  HashedFile output(options.output_path);
  HILUM_RETURN_IF_ERROR(output.Create());
  for (size_t t = 0; t < options.origins.size(); ++t) {
    HILUM_RETURN_IF_ERROR(CopyTrack(files.at(Definite(options.origins[t])),
                                    static_cast<int64_t>(t) * layout.track_size,
                                    layout.track_size, output));
  }
  return output.Commit(options.durability);
}

}  // namespace hilum
