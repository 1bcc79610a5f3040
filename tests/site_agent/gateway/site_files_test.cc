// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/ledger.h"

namespace hilum {
namespace {

std::string NewFolder() {
  std::string path = absl::StrCat(
      testing::TempDir(), "/site-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

TEST(LedgerTest, SequenceGoesOnAfterARestartAndATornLineIsCutOff) {
  std::string path = NewFolder() + "/ledger.jsonl";
  v1::LedgerEntry entry;
  entry.set_kind(v1::LedgerEntry::SENT);
  {
    auto ledger = Ledger::Open(path, RealClock());
    ASSERT_TRUE(ledger.ok());
    ASSERT_TRUE((*ledger)->Append(entry).ok());
    ASSERT_TRUE((*ledger)->Append(entry).ok());
  }
  std::string whole = *ReadFile(path);
  ASSERT_TRUE(WriteFileAtomically(path, whole + "{\"sequence\":\"3").ok());
  auto ledger = Ledger::Open(path, RealClock());
  ASSERT_TRUE((*ledger)->Append(entry).ok());
  std::string now = *ReadFile(path);
  EXPECT_EQ(now.substr(0, whole.size()), whole);
  EXPECT_THAT(now.substr(whole.size()),
              testing::HasSubstr("\"sequence\":\"3\""));
  EXPECT_EQ(std::count(now.begin(), now.end(), '\n'), 3);
}

TEST(ApprovalsTest, RefusalOutweighsApprovalAndWhatWasNotOfferedIsRefused) {
  auto approvals = Approvals::Open(NewFolder());
  std::string study = "bytes of a study", hash = Sha256Of(study);
  EXPECT_EQ(approvals->Approve(hash).code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(approvals->PutOffer(std::string(32, 'x'), study).ok());
  ASSERT_TRUE(approvals->PutOffer(hash, study).ok());
  ASSERT_TRUE(approvals->Approve(hash).ok());
  EXPECT_TRUE(approvals->Approved().contains(hash));
  ASSERT_TRUE(approvals->Refuse(hash).ok());
  EXPECT_TRUE(approvals->Approved().empty());
  EXPECT_TRUE(approvals->Refused().contains(hash));
}

TEST(ApprovalsTest, WhatWasAcceptedStaysWithTheApproval) {
  auto approvals = Approvals::Open(NewFolder());
  const std::string study = "bytes of a study", hash = Sha256Of(study);
  ASSERT_TRUE(approvals->PutOffer(hash, study).ok());
  EXPECT_TRUE(approvals->Accepted(hash)->risks.empty());
  const Acceptance accepted{.risks = {"visible_updates", "weak_policy"},
                            .weights_sha256 = Sha256Of("weights")};
  ASSERT_TRUE(approvals->Approve(hash, accepted).ok());
  EXPECT_EQ(approvals->Accepted(hash)->risks, accepted.risks);
  EXPECT_EQ(approvals->Accepted(hash)->weights_sha256, accepted.weights_sha256);
}

// Earlier releases wrote an empty file.
TEST(ApprovalsTest, AnEmptyApprovalAcceptsNothing) {
  auto approvals = Approvals::Open(NewFolder());
  const std::string study = "bytes of a study", hash = Sha256Of(study);
  ASSERT_TRUE(approvals->PutOffer(hash, study).ok());
  ASSERT_TRUE(WriteFileAtomically(absl::StrCat(approvals->approvals_dir(), "/",
                                               ToHex(hash), ".approved"),
                                  "")
                  .ok());
  EXPECT_TRUE(approvals->Approved().contains(hash));
  EXPECT_TRUE(approvals->Accepted(hash)->risks.empty());
  EXPECT_TRUE(approvals->Accepted(hash)->weights_sha256.empty());
}

}  // namespace
}  // namespace hilum
