// SPDX-License-Identifier: Apache-2.0
// The parts of a model card that describe the study's settings in words.
#ifndef HILUM_COORDINATOR_REPORT_MODEL_CARD_TEXT_H_
#define HILUM_COORDINATOR_REPORT_MODEL_CARD_TEXT_H_

#include <string>
#include <vector>

#include "coordinator/study_result.h"

namespace hilum {

// Returns "| a | b |\n".
std::string MarkdownRow(const std::vector<std::string>& cells);
// Returns the head and the line below it.
std::string MarkdownHead(const std::vector<std::string>& cells);

// Describes the way from a radiograph to the network's input.
std::string InputText(const v1::Study& study);
// Returns a table of the training's settings.
std::string TrainingText(const StudyResult& result);
// Describes the models' limits, and what follows from their training.
std::string LimitsText(const StudyResult& result);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_MODEL_CARD_TEXT_H_
