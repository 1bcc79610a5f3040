// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/html_rounds.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/config/study.h"
#include "coordinator/report/svg.h"

namespace hilum {
namespace {

// Returns one curve over all tracks of an arm; `first`: x of its first point.
std::vector<ChartLine> LineOf(const std::vector<double>& losses, double first,
                              double& top) {
  ChartLine line{.label = "all tracks"};
  for (size_t r = 0; r < losses.size(); ++r) {
    if (!std::isfinite(losses[r])) continue;
    line.points.emplace_back(static_cast<double>(r) + first, losses[r]);
    top = std::max(top, losses[r]);
  }
  return {std::move(line)};
}

std::string TrainingChart(const v1::Study& study, const ArmMetrics& arm) {
  double top = 0;
  const std::vector<ChartLine> lines = LineOf(arm.losses, 1, top);
  return LineChart(
      {.title = absl::StrCat("Training loss, ", ArmTitle(arm.arm)),
       .x_label = "round",
       .y_label = IsSegmentation(study)
                      ? "training loss (cross-entropy and soft Dice)"
                      : "training loss (weighted cross-entropy)",
       .x_min = 1,
       .x_max = std::max(2.0, static_cast<double>(arm.losses.size())),
       .y_min = 0,
       .y_max = top > 0 ? top * 1.05 : 1,
       .diagonal = false},
      lines);
}

// A global's x is the number of rounds after which it came.
std::string ValidationChart(const StudyResult& result, const ArmMetrics& arm) {
  if (arm.validation_losses.empty()) return "";
  double top = 0;
  const std::vector<ChartLine> lines = LineOf(arm.validation_losses, 0, top);
  return LineChart(
      {.title = absl::StrCat("Validation loss, ", ArmTitle(arm.arm)),
       .x_label = "rounds of training before",
       .y_label = IsSegmentation(result.study)
                      ? "validation loss"
                      : "validation loss (cross-entropy)",
       .x_min = 0,
       .x_max = static_cast<double>(arm.validation_losses.size()),
       .y_min = 0,
       .y_max = top > 0 ? top * 1.05 : 1,
       .diagonal = false,
       .marked_x = static_cast<double>(result.model_round)},
      lines);
}

std::string RoundsLine(absl::string_view what,
                       const std::vector<uint32_t>& rounds) {
  if (rounds.empty()) return "";
  return absl::StrCat("<p class='soft'>", what,
                      " in these rounds, and the models stayed as they were: ",
                      absl::StrJoin(rounds, ", "), ".</p>\n");
}

std::string RoundsWithoutGain(const std::vector<RoundSummary>& rounds) {
  std::vector<uint32_t> lost, untrained;
  for (const RoundSummary& round : rounds) {
    if (round.contributors.empty()) {
      lost.push_back(round.round);
    } else if (round.Trainers().empty()) {
      untrained.push_back(round.round);
    }
  }
  return absl::StrCat(RoundsLine("No sum came about", lost),
                      RoundsLine("No site’s update counted", untrained));
}

std::string Choice(const StudyResult& result) {
  if (!IsValidated(result.study)) return "";
  const uint32_t planned = result.study.training().rounds();
  std::string text = "<p>";
  if (result.rounds.size() < planned) {
    absl::StrAppend(&text, "Training ended after ", result.rounds.size(),
                    " of ", planned,
                    " rounds, since validation brought no gain any more. ");
  }
  double loss = std::nan("");
  if (result.model_round < result.rounds.size()) {
    loss = result.rounds[result.model_round].MeanValidationLoss();
  }
  if (std::isnan(loss)) {
    return text + "No model was tried: the last one was evaluated.</p>\n";
  }
  return absl::StrCat(
      text, "The models after round ", result.model_round,
      " were evaluated: of those tried they had the lowest validation loss "
      "over all tracks, ",
      absl::StrFormat("%.4f", loss), " (marked below).</p>\n");
}

}  // namespace

std::string RoundsHtml(const StudyResult& result,
                       const std::vector<ArmMetrics>& arms) {
  std::string html =
      absl::StrCat("<h2>Rounds</h2>", RoundsWithoutGain(result.rounds),
                   Choice(result), "<div class='arms'>");
  for (const ArmMetrics& arm : arms) {
    absl::StrAppend(&html, "<section><h3>", ArmTitle(arm.arm), "</h3>",
                    TrainingChart(result.study, arm),
                    ValidationChart(result, arm), "</section>\n");
  }
  return html + "</div>\n";
}

}  // namespace hilum
