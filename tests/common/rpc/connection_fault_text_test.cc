// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/connection_fault_text.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/match.h"

namespace hilum {
namespace {

constexpr ConnectionFault kLast = ConnectionFault::kStopped;

ConnectionFacts Facts() {
  return {.target = "lungs.example:8443",
          .host = "lungs.example",
          .patience = absl::Seconds(5),
          .detail = "why"};
}

// A reader sees only one of these texts, so each stands alone.
TEST(ConnectionFaultTextTest, EachFaultHasWordsOfItsOwnAndSomethingToDo) {
  std::set<std::string> texts;
  ConnectionFacts facts = Facts();
  facts.proxy = Proxy{.variable = "https_proxy", .at = {"p", "3128"}};
  for (int i = 0; i < static_cast<int>(kLast); ++i) {
    const auto fault = static_cast<ConnectionFault>(i);
    const std::string text = ConnectionFaultText(facts, fault);
    if (fault == ConnectionFault::kNone) {
      EXPECT_EQ(text, "");
      continue;
    }
    EXPECT_TRUE(texts.insert(text).second) << text;
    EXPECT_TRUE(absl::StrContains(text, "https_proxy")) << text;
    EXPECT_TRUE(absl::StrContains(text, "; ")) << text;
  }
  EXPECT_EQ(ConnectionFaultText(facts, kLast), "");
}

TEST(ConnectionFaultTextTest, WhatAPeerCallsItselfIsMadeHarmless) {
  ConnectionFacts facts = Facts();
  facts.peer.certificate =
      CertificateInfo{.subject = "a\x1b[2J", .issuer = "b\n2026 all is well"};
  const std::string text =
      ConnectionFaultText(facts, ConnectionFault::kOtherAuthority);
  EXPECT_EQ(text.find_first_of("\x1b\n"), std::string::npos) << text;
  EXPECT_TRUE(absl::StrContains(text, "all is well")) << text;
}

}  // namespace
}  // namespace hilum
