// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_LEARNING_TRAINER_OPTIONS_H_
#define HILUM_SITE_AGENT_TRAINER_LEARNING_TRAINER_OPTIONS_H_

#include <functional>
#include <string>
#include <vector>

#include "site_agent/trainer/data/case_pool.h"
#include "site_agent/trainer/models/rank_options.h"

namespace hilum {

struct TorchTrainerOptions {
  // Sites whose cases a simulator pools with those of the request; its
  // data_rules.max_bad_share then counts the pool's rows.
  std::vector<CaseSource> further;
  // Takes lines about what lasts long.
  std::function<void(const std::string&)> log = [](const std::string&) {};
  // Processes that share each batch, this one being one of them (size 1: it is
  // alone), each with the device of its rank. Their calls are the same; only
  // the first writes files.
  RankOptions ranks;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_TRAINER_OPTIONS_H_
