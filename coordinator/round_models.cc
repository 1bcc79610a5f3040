// SPDX-License-Identifier: Apache-2.0
#include "coordinator/round_models.h"

#include <optional>
#include <utility>

#include "common/aggregation/chosen_models.h"
#include "common/base/status_macros.h"

namespace hilum {

absl::StatusOr<RoundModels> ModelsAfter(const v1::Study& study, uint32_t round,
                                        const RoundModels& before,
                                        const AggregateResult& result,
                                        const VectorLayout& layout,
                                        const BlobStore& blobs,
                                        absl::string_view name) {
  RoundChoice choice = ChooseAfter(study, round, before.choices, result);
  RoundModels after{.choices = std::move(choice.choices)};
  after.global.set_sha256(result.sha256);
  after.global.set_size(result.num_bytes);
  if (result.state_bytes > 0) {
    after.optimizer.set_sha256(result.state_sha256);
    after.optimizer.set_size(result.state_bytes);
  }
  if (!AnyTried(after.choices)) return after;
  const v1::BlobRef& chosen =
      before.best.size() > 0 ? before.best : before.global;
  const std::optional<ChosenFrom> only = OnlyOrigin(choice.origins);
  if (only.has_value()) {
    after.best = only == ChosenFrom::kAfter    ? after.global
                 : only == ChosenFrom::kBefore ? before.global
                                               : chosen;
    return after;
  }
  const ChosenOptions options{.layout = layout,
                              .origins = std::move(choice.origins),
                              .chosen_path = blobs.Path(chosen.sha256()),
                              .before_path = blobs.Path(before.global.sha256()),
                              .after_path = blobs.Path(after.global.sha256()),
                              .output_path = blobs.TemporaryPath(name)};
  HILUM_ASSIGN_OR_RETURN(WrittenFile written, WriteChosen(options));
  HILUM_RETURN_IF_ERROR(blobs.Adopt(options.output_path, written.sha256));
  after.best.set_sha256(written.sha256);
  after.best.set_size(written.num_bytes);
  return after;
}

}  // namespace hilum
