// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COORDINATOR_IMAGES_REPORT_H_
#define HILUM_TESTS_COORDINATOR_IMAGES_REPORT_H_

#include "tests/coordinator/written_report.h"

namespace hilum {

// Three sites; a and b reject some masks, c's images are brighter.
class ImagesReportTest : public ReportTest {
 protected:
  ImagesReportTest() {
    study_.add_sites("c");
    federated_ = Result({{a_, 9}, {b_, 9}, {c_, 9}});
    federated_.census[a_].set_rejected_masks(0, 5);
    federated_.census[b_].set_rejected_masks(1, 1);
    FillFingerprint(*federated_.census[c_].mutable_arms(0), 20);
    SumUp();
  }
  void SumUp() {
    federated_.census_totals = SumCensus(study_, federated_.census);
  }

  const SiteId a_{"a"}, b_{"b"}, c_{"c"};
};

}  // namespace hilum

#endif  // HILUM_TESTS_COORDINATOR_IMAGES_REPORT_H_
