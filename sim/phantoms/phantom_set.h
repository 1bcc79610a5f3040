// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_PHANTOMS_PHANTOM_SET_H_
#define HILUM_SIM_PHANTOMS_PHANTOM_SET_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace hilum {

struct PhantomSetOptions {
  int count = 120;
  uint64_t seed = 1;
  int sites = 3;    // site-a, site-b, ...; at most 26
  int size = 256;   // pixels
  int threads = 0;  // 0: all cores
};

// One row of the case manifest.
struct PhantomCase {
  std::string label;
  int site;
  uint64_t patient;
  uint64_t exposure;  // within the patient
};

// Returns the cases of a set, grouped by site and label. Each site has another
// mix of labels; about one patient in four has a second film.
std::vector<PhantomCase> PlanPhantomSet(const PhantomSetOptions& options);

// Writes DIR/images/*.png (16 bit), DIR/masks/*.png and, last,
// DIR/manifest.csv: file,label,patient_id,mask,site,view. The same options give
// the same bytes with any number of threads. `progress` is called with the
// number of cases done, from several threads. INVALID_ARGUMENT: options out of
// range; other errors are those of writing.
absl::Status WritePhantomSet(const PhantomSetOptions& options,
                             const std::string& directory,
                             const std::function<void(int)>& progress);

}  // namespace hilum

#endif  // HILUM_SIM_PHANTOMS_PHANTOM_SET_H_
