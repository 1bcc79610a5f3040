// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COORDINATOR_SECURE_REPORT_H_
#define HILUM_TESTS_COORDINATOR_SECURE_REPORT_H_

#include <limits>

#include "tests/coordinator/written_report.h"

namespace hilum {

// Three sites of which c publishes its figures; the second round's sum was
// lost.
class SecureReportTest : public ReportTest {
 protected:
  SecureReportTest() {
    study_.add_sites("c");
    study_.mutable_aggregation()->set_secure_aggregation(
        v1::Aggregation::SECURE_AGGREGATION_ON);
    federated_ = Result({{a_, 9}, {b_, 8}, {c_, 7}});
    federated_.rounds[0].contributors = {a_, b_, c_};
    const double nan = std::numeric_limits<double>::quiet_NaN();
    federated_.rounds.push_back({.round = 2, .mean_loss = {nan}});
    for (const SiteId& site : {a_, b_}) {
      federated_.census[site].Clear();
      federated_.evaluations.erase(site);
    }
  }

  const SiteId a_{"a"}, b_{"b"}, c_{"c"};
};

}  // namespace hilum

#endif  // HILUM_TESTS_COORDINATOR_SECURE_REPORT_H_
