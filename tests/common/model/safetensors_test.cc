// SPDX-License-Identifier: Apache-2.0
#include "common/model/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Architecture Tiny() {
  return {
      .name = "tiny",
      .input_channels = 1,
      .num_blocks = 0,
      .tensors = {{"b", {2}, Init::kZero, 0}, {"a", {1, 2}, Init::kZero, 0}}};
}

std::string PathOf(absl::string_view name) {
  return absl::StrCat(testing::TempDir(), "/", name, ".safetensors");
}

std::string Framed(const std::string& header, const std::string& data) {
  uint64_t size = header.size();
  return std::string(reinterpret_cast<char*>(&size), 8) + header + data;
}

TEST(SafetensorsTest, ReadsWhatItWrites) {
  std::vector<float> values = {1, -2, 3.5f, 1e-30f};
  std::string path = PathOf("round");
  auto sha = WriteSafetensors(path, Tiny(), values, {{"k", "v"}});
  ASSERT_TRUE(sha.ok()) << sha.status();
  EXPECT_EQ(*sha, Sha256Of(*ReadFile(path)));
  auto read = ReadSafetensors(path, Tiny());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, values);
}

TEST(SafetensorsTest, MetadataIsReadWhereItIsText) {
  const std::string with = R"({"__metadata__":{"a":"b","n":3,"o":{}},)"
                           R"("w":{"dtype":"F32","shape":[1],)"
                           R"("data_offsets":[0,4]}})";
  auto content = ParseSafetensors(Framed(with, "1234"));
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_THAT(content->metadata, ElementsAre(Pair("a", "b")));
  ASSERT_EQ(content->tensors.size(), 1u);
  auto odd = ParseSafetensors(Framed(R"({"__metadata__":7})", ""));
  ASSERT_TRUE(odd.ok()) << odd.status();
  EXPECT_TRUE(odd->metadata.empty());
}

TEST(SafetensorsTest, NanIsNamedWithItsTensor) {
  std::string path = PathOf("nan");
  ASSERT_TRUE(WriteSafetensors(path, Tiny(), {0.f, 0.f, 0.f, NAN}, {}).ok());
  absl::Status status = ReadSafetensors(path, Tiny()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("tensor a"));
}

TEST(SafetensorsTest, EveryUnlikeTensorIsListed) {
  Architecture other = Tiny();
  other.tensors[0].shape = {1, 2};
  other.tensors[1].name = "c";
  std::string path = PathOf("unlike");
  ASSERT_TRUE(WriteSafetensors(path, other, {0, 0, 0, 0}, {}).ok());
  std::string message(ReadSafetensors(path, Tiny()).status().message());
  EXPECT_THAT(message, HasSubstr("of another shape: b [1, 2], not [2]"));
  EXPECT_THAT(message, HasSubstr("missing: a"));
  EXPECT_THAT(message, HasSubstr("unexpected: c"));
}

TEST(SafetensorsTest, HostileFilesAreRefused) {
  const std::string good_b =
      R"("b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const std::string eight(8, '\0');
  const std::string sixteen(16, '\0');
  auto with_a = [&](const std::string& a) {
    return Framed("{" + good_b + ",\"a\":" + a + "}", sixteen);
  };
  const std::string files[] = {
      "",
      "short",
      std::string(8, '\xff'),
      std::string("\xe8\x03\0\0\0\0\0\0{}", 10),
      Framed("[]", ""),
      Framed("{", ""),
      Framed("{" + good_b + "," + good_b + "}", eight),
      with_a("3"),
      with_a(R"({"dtype":"F16","shape":[1,2],"data_offsets":[8,16]})"),
      with_a(R"({"dtype":"F32","shape":[1,2],"data_offsets":[0,8]})"),
      with_a(R"({"dtype":"F32","shape":[1,2],"data_offsets":[4,12]})"),
      with_a(R"({"dtype":"F32","shape":[1,2],"data_offsets":[8,24]})"),
      with_a(R"({"dtype":"F32","shape":[1,2],"data_offsets":[16,8]})"),
      with_a(R"({"dtype":"F32","shape":[1,2],"data_offsets":[-8,0]})"),
      with_a(R"({"dtype":"F32","shape":[1000000000,1000000000,1000000000],)"
             R"("data_offsets":[8,16]})"),
      with_a(R"({"dtype":"F32","shape":[0],"data_offsets":[8,8]})"),
  };
  int number = 0;
  for (const std::string& file : files) {
    std::string path = PathOf(absl::StrCat("hostile", number++));
    ASSERT_TRUE(WriteFileAtomically(path, file).ok());
    EXPECT_EQ(ReadSafetensors(path, Tiny()).status().code(),
              absl::StatusCode::kInvalidArgument)
        << file;
  }
}

}  // namespace
}  // namespace hilum
