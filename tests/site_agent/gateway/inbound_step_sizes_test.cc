// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "site_agent/gateway/inbound_checks.h"

namespace hilum {
namespace {

using testing::HasSubstr;
using v1::SecureStep;

constexpr size_t kSites = 4;

class StepSizesTest : public testing::Test {
 protected:
  StepSizesTest() { step_.set_sum_id(std::string(32, 'i')); }
  void ExpectTaken() const {
    EXPECT_TRUE(CheckStepSizes(step_, kSites).ok())
        << CheckStepSizes(step_, kSites);
  }
  void ExpectRefused(const std::string& why) const {
    const absl::Status status = CheckStepSizes(step_, kSites);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << why;
    EXPECT_THAT(std::string(status.message()), HasSubstr("task.secure." + why));
  }
  // Expects that a value of `most` bytes passes and a longer one fails.
  void ExpectLimit(const std::function<void(const std::string&)>& set,
                   size_t most, const std::string& field) {
    set(std::string(most, 'v'));
    ExpectTaken();
    set(std::string(most + 1, 'v'));
    ExpectRefused(field);
    set("");
  }
  // Expects that one entry for each site passes and one more fails.
  void ExpectCount(const std::function<void()>& add, const std::string& field) {
    for (size_t i = 0; i < kSites; ++i) add();
    ExpectTaken();
    add();
    ExpectRefused(field + ": 5 entries, of a study of 4 sites");
  }

  SecureStep step_;
};

TEST_F(StepSizesTest, IdOfASumHas32BytesOrNone) {
  ExpectTaken();
  step_.set_sum_id("short");
  ExpectRefused("sum_id: 5 bytes");
  step_.set_sum_id(std::string(33, 'i'));
  ExpectRefused("sum_id: 33 bytes");
  step_.clear_sum_id();
  ExpectTaken();
}

TEST_F(StepSizesTest, RosterIsBounded) {
  ExpectCount([&] { step_.mutable_roster()->add_entries()->set_site("b"); },
              "roster");
}

TEST_F(StepSizesTest, KeysOfARosterAreBounded) {
  v1::Roster::Entry& entry = *step_.mutable_roster()->add_entries();
  entry.set_site("b");
  v1::RoundKeys& keys = *entry.mutable_keys();
  ExpectLimit([&](const std::string& v) { keys.set_mask_key(v); }, 32,
              "roster.mask_key");
  ExpectLimit([&](const std::string& v) { keys.set_share_key(v); }, 32,
              "roster.share_key");
  ExpectLimit([&](const std::string& v) { keys.set_certificate(v); }, 4096,
              "roster.certificate");
  ExpectLimit([&](const std::string& v) { keys.set_signature(v); }, 80,
              "roster.signature");
  ExpectLimit([&](const std::string& v) { keys.set_question(v); }, 32,
              "roster.question");
  ExpectLimit([&](const std::string& v) { keys.set_checksum(v); }, 16,
              "roster.checksum");
}

TEST_F(StepSizesTest, EntryIsOfASiteByItsName) {
  for (const char* name : {"", "B", "b\x1b[2J", "../b"}) {
    step_.mutable_roster()->add_entries()->set_site(name);
    ExpectRefused("roster: an entry without the name of a site");
    step_.mutable_inbox()->add_shares()->set_site(name);
    ExpectRefused("inbox: an entry without the name of a site");
    step_.mutable_survivors()->add_sites(name);
    ExpectRefused("survivors.sites: an entry without the name of a site");
    step_.mutable_confirmations()->add_entries()->set_site(name);
    ExpectRefused("confirmations: an entry without the name of a site");
  }
}

TEST_F(StepSizesTest, InboxIsBounded) {
  ExpectCount([&] { step_.mutable_inbox()->add_shares()->set_site("b"); },
              "inbox");
  step_.mutable_inbox()->mutable_shares()->RemoveLast();
  v1::SealedShare& share = *step_.mutable_inbox()->mutable_shares(0);
  ExpectLimit([&](const std::string& value) { share.set_sealed(value); }, 96,
              "inbox.sealed");
}

TEST_F(StepSizesTest, SurvivorsAreBounded) {
  ExpectCount([&] { step_.mutable_survivors()->add_sites("b"); },
              "survivors.sites");
  step_.mutable_survivors()->clear_sites();
  ExpectCount([&] { step_.mutable_survivors()->add_vectors(); },
              "survivors.vectors");
  step_.mutable_survivors()->mutable_vectors()->RemoveLast();
  v1::SurvivorVector& vector = *step_.mutable_survivors()->mutable_vectors(0);
  ExpectLimit([&](const std::string& value) { vector.set_sha256(value); }, 32,
              "survivors.sha256");
  ExpectLimit([&](const std::string& value) { vector.set_signature(value); },
              80, "survivors.signature");
}

TEST_F(StepSizesTest, ConfirmationsAreBounded) {
  ExpectCount(
      [&] { step_.mutable_confirmations()->add_entries()->set_site("b"); },
      "confirmations");
  step_.mutable_confirmations()->mutable_entries()->RemoveLast();
  auto& entry = *step_.mutable_confirmations()->mutable_entries(0);
  ExpectLimit([&](const std::string& value) { entry.set_signature(value); }, 80,
              "confirmations.signature");
}

}  // namespace
}  // namespace hilum
