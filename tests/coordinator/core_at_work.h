// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COORDINATOR_CORE_AT_WORK_H_
#define HILUM_TESTS_COORDINATOR_CORE_AT_WORK_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "common/model/architecture.h"
#include "coordinator/federation_core.h"
#include "tests/coordinator/fake_site.h"
#include "tests/coordinator/late_clock.h"

namespace hilum {

// A coordinator with one TinyStudy.
class FederationCoreTest : public testing::Test {
 protected:
  FederationCoreTest() {
    dir_ = absl::StrCat(
        testing::TempDir(), "/core-",
        testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(dir_);
    layout_ = *StudyLayout(study_);
    Open();
    hash_ = *core_->SubmitStudy(study_, "");
  }

  void Open() {
    core_.reset();
    auto core = FederationCore::Open({.state_dir = dir_}, clock_);
    ASSERT_TRUE(core.ok()) << core.status();
    core_ = *std::move(core);
  }

  std::vector<float> Delta(float value) const {
    return std::vector<float>(static_cast<size_t>(layout_.travelling_size) * 3,
                              value);
  }

  std::string Global(const v1::Task& task) const {
    return ReadFile(
               absl::StrCat(dir_, "/blobs/", ToHex(task.global().sha256())))
        .value();
  }

  // Sends both sites' census.
  void Prepare(FakeSite& a, FakeSite& b) {
    ASSERT_TRUE(a.SendCensus(layout_.manifest_sha256, a.Next().task()).ok());
    ASSERT_TRUE(b.SendCensus(layout_.manifest_sha256, b.Next().task()).ok());
  }

  std::string dir_;
  const v1::Study study_ = TinyStudy();
  ParameterLayout layout_;
  LateClock clock_;
  std::unique_ptr<FederationCore> core_;
  std::string hash_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_COORDINATOR_CORE_AT_WORK_H_
