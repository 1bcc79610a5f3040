// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/html_rounds.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/config/study.h"
#include "coordinator/report/html_table.h"
#include "coordinator/report/svg.h"

namespace hilum {
namespace {

// Returns a curve; `first`: x of its first point.
ChartLine LineOf(std::string label, const std::vector<double>& losses,
                 double first, double& top) {
  ChartLine line{.label = std::move(label)};
  for (size_t r = 0; r < losses.size(); ++r) {
    if (!std::isfinite(losses[r])) continue;
    line.points.emplace_back(static_cast<double>(r) + first, losses[r]);
    top = std::max(top, losses[r]);
  }
  return line;
}

// Returns whether the model after round `round` was tried.
bool WasTried(const std::vector<double>& losses, uint32_t round) {
  return round < losses.size() && std::isfinite(losses[round]);
}

std::string TrainingChart(const v1::Study& study, const ArmMetrics& arm) {
  double top = 0;
  const std::vector<ChartLine> lines = {
      LineOf("all tracks", arm.losses, 1, top)};
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
  std::vector<ChartLine> lines;
  const std::vector<Track> tracks = StudyTracks(result.study);
  for (size_t t = 0; t < tracks.size(); ++t) {
    if (tracks[t].arm != arm.arm) continue;
    const std::vector<double> losses = TrackValidationLosses(result, t);
    lines.push_back(LineOf(TrackName(tracks[t]), losses, 0, top));
    const uint32_t round = result.model_rounds.at(t);
    if (WasTried(losses, round)) {
      lines.back().marked = {static_cast<double>(round), losses[round]};
    }
  }
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
       .diagonal = false},
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

// Returns the round of each track's evaluated model, and its loss.
std::string ChoiceTable(const StudyResult& result) {
  const std::vector<Track> tracks = StudyTracks(result.study);
  std::vector<Cells> rows;
  for (size_t t = 0; t < tracks.size(); ++t) {
    const uint32_t round = result.model_rounds.at(t);
    const std::vector<double> losses = TrackValidationLosses(result, t);
    rows.push_back({ArmTrackName(tracks[t]), absl::StrCat(round),
                    WasTried(losses, round)
                        ? absl::StrFormat("%.4f", losses[round])
                        : "not tried"});
  }
  return Table({"track", "model after round", "validation loss"}, rows);
}

std::string Choice(const StudyResult& result) {
  if (!IsValidated(result.study)) return "";
  const uint32_t planned = result.study.training().rounds();
  std::string text = "<p>";
  if (result.rounds.size() < planned) {
    absl::StrAppend(&text, "Training ended after ", result.rounds.size(),
                    " of ", planned,
                    " rounds, since validation brought no track a gain any "
                    "more. ");
  }
  absl::StrAppend(
      &text,
      "Of each track the model with the track’s lowest validation loss was "
      "evaluated (a dot below); of a track that was not tried, its last.</p>\n",
      ChoiceTable(result));
  return text;
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
