// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COMMON_SECAGG_STEP_TEST_H_
#define HILUM_TESTS_COMMON_SECAGG_STEP_TEST_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "common/crypto/secure_rng.h"
#include "tests/common/secagg/cohort.h"

namespace hilum {

inline void ExpectDenied(const absl::Status& status, const std::string& why) {
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr(why));
}

// Returns the context of a sum of four sites with another question than
// Consortium::Context(4) has.
inline SecAggContext OtherQuestion() {
  SecAggContext context = Consortium::Context(4);
  context.question = std::string(32, 'x');
  return context;
}

// Returns a site of four that was asked something else than the others.
inline std::unique_ptr<SecAggClient> AskedElse(const SiteId& site) {
  return std::make_unique<SecAggClient>(
      OtherQuestion(), site, Consortium::Get().Of(site), RealSecureRng());
}

// A sum of four sites that a test takes to one step, to spoil what comes then.
class StepTest : public testing::Test {
 protected:
  using Step = SecAggServer::Step;

  static SiteId Site(int i) { return Consortium::Site(i); }

  // Takes the steps before `step`, as an honest coordinator does.
  void UpTo(Cohort& cohort, Step step) {
    if (step > Step::kAdvertiseKeys) {
      ASSERT_TRUE(cohort.AdvertiseKeys().ok());
    }
    if (step > Step::kShareKeys) {
      ASSERT_TRUE(cohort.ShareKeys().ok());
    }
    if (step > Step::kMaskedInput) {
      ASSERT_TRUE(cohort.MaskedInput().ok());
    }
    if (step > Step::kConfirm) {
      ASSERT_TRUE(cohort.Confirm().ok());
    }
  }

  Cohort cohort_{4};
};

}  // namespace hilum

#endif  // HILUM_TESTS_COMMON_SECAGG_STEP_TEST_H_
