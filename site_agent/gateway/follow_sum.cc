// SPDX-License-Identifier: Apache-2.0
// How a site reads a sum that the coordinator opens, and the next model from
// it.
#include <unistd.h>

#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "common/aggregation/chosen_models.h"
#include "common/aggregation/fed_avg.h"
#include "common/aggregation/statistics_vector.h"
#include "common/aggregation/sum_file.h"
#include "common/base/status_macros.h"
#include "common/config/cohort_rules.h"
#include "common/config/step_plan.h"
#include "common/secagg/mask.h"
#include "common/secagg/opening.h"
#include "common/secagg/vector_checksum.h"
#include "site_agent/gateway/study_follower.h"

namespace hilum {
namespace {

absl::Status Untrusted(absl::string_view why) {
  return absl::PermissionDeniedError(absl::StrCat("secure aggregation: ", why));
}

// Treats a message of the coordinator that cannot be read like a false one.
absl::Status AsUntrusted(const absl::Status& status) {
  if (absl::IsInvalidArgument(status) || absl::IsAborted(status)) {
    return Untrusted(status.message());
  }
  return status;
}

absl::StatusOr<VectorMask> UnmaskOf(const SecAggContext& context,
                                    const v1::SumOpening& opening) {
  HILUM_ASSIGN_OR_RETURN(std::vector<MaskStream> masks,
                         LeftoverMasks(context, opening));
  auto shared = std::make_shared<std::vector<MaskStream>>(std::move(masks));
  return VectorMask([shared](uint64_t first, absl::Span<uint32_t> values) {
    ApplyMaskStreams(absl::MakeSpan(*shared), first, values);
  });
}

}  // namespace

absl::Status StudyFollower::ReadCensus(const v1::Task& task) {
  HILUM_ASSIGN_OR_RETURN(v1::SumOpening opening,
                         FetchOpening(task.header(), task.census_opening()));
  if (opening.round() != 0 || opening.kind() != v1::Task::PREPARE ||
      History(opening.before()) != History(state_.chain())) {
    return Untrusted(
        "the coordinator's sum of the censuses does not begin at the approved "
        "starting weights");
  }
  // The census has no patients of this site, so the cohort was judged without
  // it.
  if (!IsIn(opening)) {
    return Untrusted(
        "the cohort's census leaves out this site, which can take no part in "
        "the study");
  }
  const int64_t size = SizeOf(opening);
  HILUM_ASSIGN_OR_RETURN(std::string path,
                         FetchSum(task.header(), opening, size));
  HILUM_ASSIGN_OR_RETURN(VectorMask unmask,
                         UnmaskOf(ContextOf(opening), opening));
  HILUM_ASSIGN_OR_RETURN(std::vector<uint32_t> words,
                         ReadSum(path, size, opening.survivors_size(), unmask));
  std::set<SiteId> sites;
  for (const v1::SumOpening::Survivor& survivor : opening.survivors()) {
    sites.emplace(survivor.site());
  }
  absl::StatusOr<v1::CensusTotals> cohort =
      DecodeCensus(options_.study, sites, words);
  if (!cohort.ok()) return AsUntrusted(cohort.status());
  HILUM_ASSIGN_OR_RETURN(std::string statement, StatementOf(opening));
  const v1::StudyChain after =
      AfterCensus(state_.chain(),
                  {.round = 0,
                   .statement = std::move(statement),
                   .sum_sha256 = opening.sum().sha256()},
                  DigestOfWords(words));
  if (History(after) != History(opening.after())) {
    return Untrusted(
        "the census that the coordinator goes on from is not the "
        "sum that it opens");
  }
  *state_.mutable_chain() = after;
  *state_.mutable_cohort() = *std::move(cohort);
  state_.set_checked(false);
  unchecked_ = Unchecked{.opening = std::move(opening)};
  return absl::OkStatus();
}

absl::Status StudyFollower::GoOnWithout(absl::string_view what,
                                        const v1::SumOpening& opening) {
  // No site has the models that the sum began from. A site that was not in the
  // sum takes the next ones as told, as if it had been away for longer.
  if (!IsIn(opening)) return JumpTo(opening);
  return absl::FailedPreconditionError(absl::StrCat(
      "secure aggregation: this site's copy of the ", what, " before round ",
      opening.round(), " is lost, and the coordinator has it no more; this ",
      "site cannot check the next one and leaves the study's sums"));
}

absl::StatusOr<StudyFollower::Followed> StudyFollower::Chosen(
    const v1::Header& header, const RoundChoice& round,
    const std::string& before, const Followed& after) const {
  if (!AnyTried(round.choices)) return Followed();
  const v1::StudyChain& chain = state_.chain();
  const bool had = AnyTried(chain.choices());
  const std::optional<ChosenFrom> only = OnlyOrigin(round.origins);
  if (only == ChosenFrom::kAfter) return Followed{.sha256 = after.sha256};
  if (only.has_value()) {
    return Followed{.sha256 = had && only == ChosenFrom::kChosen
                                  ? chain.best_sha256()
                                  : chain.model_sha256()};
  }
  ChosenOptions options{.layout = options_.layout,
                        .origins = round.origins,
                        .chosen_path = before,
                        .before_path = before,
                        .after_path = after.path,
                        .output_path = options_.blobs->NewPath("chosen"),
                        .durability = Durability::kNone};
  if (had && absl::c_linear_search(round.origins, ChosenFrom::kChosen)) {
    HILUM_ASSIGN_OR_RETURN(options.chosen_path,
                           Fetch(header, ModelRef(chain.best_sha256())));
  }
  HILUM_ASSIGN_OR_RETURN(WrittenFile written, WriteChosen(options));
  return Followed{.sha256 = std::move(written.sha256),
                  .path = options.output_path};
}

absl::StatusOr<StudyFollower::Before> StudyFollower::FetchBefore(
    const v1::Header& header) const {
  Before before;
  HILUM_ASSIGN_OR_RETURN(
      before.model, Fetch(header, ModelRef(state_.chain().model_sha256())));
  if (state_.optimizer().size() > 0) {
    HILUM_ASSIGN_OR_RETURN(before.optimizer, Fetch(header, state_.optimizer()));
  }
  return before;
}

absl::Status StudyFollower::Advance(const v1::Header& header,
                                    const v1::SumOpening& opening) {
  const absl::StatusOr<Before> before = FetchBefore(header);
  if (absl::IsNotFound(before.status())) {
    return GoOnWithout("model", opening);
  }
  HILUM_RETURN_IF_ERROR(before.status());
  const int64_t size = SizeOf(opening);
  HILUM_ASSIGN_OR_RETURN(std::string sum, FetchSum(header, opening, size));
  HILUM_ASSIGN_OR_RETURN(VectorMask unmask,
                         UnmaskOf(ContextOf(opening), opening));
  HILUM_ASSIGN_OR_RETURN(std::string statement, StatementOf(opening));
  const ChainStep step{.round = opening.round(),
                       .statement = std::move(statement),
                       .sum_sha256 = opening.sum().sha256()};
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<SumChecksum> checksum,
                         SumChecksum::Create(ChecksumChallenge(step)));
  const std::string next = options_.blobs->NewPath("next");
  AggregateOptions options{
      .layout = options_.layout,
      .fraction_bits =
          FractionBits(options_.study.aggregation().clipping_norm()),
      .total_examples = TrackExamples(options_.study, state_.cohort()),
      .most_trained = MostTrained(options_.study, state_.cohort()),
      .factors = UpdateFactors(options_.study, state_.cohort()),
      .sum = PublishedSum{.path = std::move(sum),
                          .num_vectors = opening.survivors_size(),
                          .see =
                              [&](int64_t first, absl::Span<const uint32_t> low,
                                  absl::Span<const uint32_t> carries) {
                                checksum->Add(first, low, carries);
                              }},
      .unmask = std::move(unmask),
      .global_path = before->model,
      .output_path = next,
      .server =
          ServerOptionsOf(options_.study, options_.parameters, opening.round()),
      .durability = Durability::kNone};
  LeaveOutStopped(state_.chain().choices(), options.total_examples);
  const std::string next_state = options_.blobs->NewPath("optimizer");
  if (options.server.has_value()) {
    options.server->state_path = before->optimizer;
    options.server->output_path = next_state;
  }
  absl::StatusOr<AggregateResult> result = AggregateUpdates(options);
  if (!result.ok()) return AsUntrusted(result.status());
  RoundChoice round = ChooseAfter(options_.study, opening.round(),
                                  state_.chain().choices(), *result);
  const Followed trained{.sha256 = result->sha256, .path = next};
  absl::StatusOr<Followed> chosen =
      Chosen(header, round, before->model, trained);
  if (absl::IsNotFound(chosen.status())) {
    unlink(next.c_str());
    return GoOnWithout("chosen models", opening);
  }
  HILUM_RETURN_IF_ERROR(chosen.status());
  const v1::StudyChain after =
      AfterTraining(state_.chain(), step,
                    {.model_sha256 = trained.sha256,
                     .best_sha256 = chosen->sha256,
                     .choices = std::move(round.choices),
                     .optimizer_sha256 = result->state_sha256});
  if (History(after) != History(opening.after())) {
    unlink(next.c_str());
    unlink(chosen->path.c_str());
    unlink(next_state.c_str());
    return Untrusted(absl::StrCat(
        "the model that the coordinator goes on with does not follow from the ",
        "last one and the sum of round ", opening.round()));
  }
  HILUM_RETURN_IF_ERROR(
      options_.blobs->Adopt(next, ModelRef(after.model_sha256())));
  if (!chosen->path.empty()) {
    HILUM_RETURN_IF_ERROR(
        options_.blobs->Adopt(chosen->path, ModelRef(chosen->sha256)));
  }
  TakeChain(after);
  if (state_.optimizer().size() > 0) {
    HILUM_RETURN_IF_ERROR(
        options_.blobs->Adopt(next_state, state_.optimizer()));
  }
  state_.set_checked(false);
  unchecked_ = Unchecked{.opening = opening, .checksum = checksum->Sum()};
  return absl::OkStatus();
}

}  // namespace hilum
