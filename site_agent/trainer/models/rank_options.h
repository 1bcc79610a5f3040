// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_MODELS_RANK_OPTIONS_H_
#define HILUM_SITE_AGENT_TRAINER_MODELS_RANK_OPTIONS_H_

#include <string>

namespace hilum {

// This process's number among those of a site that share each batch.
struct RankOptions {
  int rank = 0;
  int size = 1;
  // A file that all ranks, and no other process, open to find each other.
  std::string meeting_file;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODELS_RANK_OPTIONS_H_
