// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_MODELS_RANK_OPTIONS_H_
#define HILUM_SITE_AGENT_TRAINER_MODELS_RANK_OPTIONS_H_

#include <string>

namespace hilum {

// Which of the processes of one site that share each batch this one is.
struct RankOptions {
  int rank = 0;
  int size = 1;
  // A file that all of them open and nobody else: where they meet.
  std::string meeting_file;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODELS_RANK_OPTIONS_H_
