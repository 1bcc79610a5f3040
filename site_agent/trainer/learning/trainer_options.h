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
  // Sites whose cases a simulator pools with the request's cases; the request's
  // data_rules.max_bad_share then counts the pool's rows.
  std::vector<CaseSource> further;
  // Logs what takes long.
  std::function<void(const std::string&)> log = [](const std::string&) {};
  // This process's rank among those that share each batch (size 1: it is
  // alone); each has the device of its rank. All make the same calls; only the
  // first writes files.
  RankOptions ranks;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_TRAINER_OPTIONS_H_
