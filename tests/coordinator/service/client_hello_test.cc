// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/client_hello.h"

#include <gtest/gtest.h>

#include <string>

namespace hilum {
namespace {

// A record of 517 bytes, as a TLS 1.3 client sends it (RFC 8448, 3 has 196).
constexpr absl::string_view kHead("\x16\x03\x01\x02\x00\x01", 6);
constexpr size_t kRecord = 5 + 512;

TEST(ClientHelloTest, AWholeRecordIsWhole) {
  EXPECT_EQ(JudgeHello(kHead, kRecord), Hello::kWhole);
  EXPECT_EQ(JudgeHello(kHead, kRecord + 100), Hello::kWhole);
}

TEST(ClientHelloTest, EachShorterBeginningWaitsForMore) {
  for (size_t known = 0; known <= kHead.size(); ++known) {
    EXPECT_EQ(JudgeHello(kHead.substr(0, known), known), Hello::kPart) << known;
  }
  EXPECT_EQ(JudgeHello(kHead, kRecord - 1), Hello::kPart);
}

TEST(ClientHelloTest, OtherProtocolsAreNone) {
  for (const char* other :
       {"GET / HTTP/1.1\r\n", "PRI * HTTP/2.0", "SSH-2.0"}) {
    EXPECT_EQ(JudgeHello(other, 6), Hello::kNone) << other;
    EXPECT_EQ(JudgeHello(std::string(1, other[0]), 1), Hello::kNone) << other;
  }
}

TEST(ClientHelloTest, OtherRecordsAndMessagesAreNone) {
  for (size_t i : {0, 1, 5}) {
    std::string head(kHead);
    ++head[i];
    EXPECT_EQ(JudgeHello(head, kRecord), Hello::kNone) << i;
  }
  // The record is too long for TLS; empty.
  EXPECT_EQ(JudgeHello(absl::string_view("\x16\x03\x01\x40\x01\x01", 6), 20000),
            Hello::kNone);
  EXPECT_EQ(JudgeHello(absl::string_view("\x16\x03\x01\x00\x00\x01", 6), 6),
            Hello::kNone);
}

}  // namespace
}  // namespace hilum
