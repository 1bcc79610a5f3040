// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/localization.h"

namespace hilum {

std::optional<Localization> LocalizationOf(absl::Span<const float> heat,
                                           absl::Span<const float> lungs) {
  if (heat.size() != lungs.size()) return std::nullopt;
  double all = 0, inside = 0, area = 0;
  for (size_t i = 0; i < heat.size(); ++i) {
    all += heat[i];
    inside += double{heat[i]} * lungs[i];
    area += lungs[i];
  }
  if (!(all > 0)) return std::nullopt;
  return Localization{.heat_in_lungs = inside / all,
                      .lung_share = area / static_cast<double>(heat.size())};
}

}  // namespace hilum
