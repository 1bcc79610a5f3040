// SPDX-License-Identifier: Apache-2.0
// The parts of a model card that say in words what a study's file says.
#ifndef HILUM_COORDINATOR_REPORT_MODEL_CARD_TEXT_H_
#define HILUM_COORDINATOR_REPORT_MODEL_CARD_TEXT_H_

#include <string>
#include <vector>

#include "coordinator/study_result.h"

namespace hilum {

// "| a | b |\n"
std::string MarkdownRow(const std::vector<std::string>& cells);
// The head and the line below it.
std::string MarkdownHead(const std::vector<std::string>& cells);

// From a radiograph to the network's input.
std::string InputText(const v1::Study& study);
// A table of what training was told.
std::string TrainingText(const StudyResult& result);
// What the models cannot do, and what follows from how they were made.
std::string LimitsText(const StudyResult& result);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_MODEL_CARD_TEXT_H_
