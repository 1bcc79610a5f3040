// SPDX-License-Identifier: Apache-2.0
#include "common/model/torch_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "common/model/tensor_list.h"
#include "common/model/torch_file.h"

namespace hilum {
namespace {

class TorchWriterTest : public testing::Test {
 protected:
  TorchWriterTest()
      : path_(absl::StrCat(testing::TempDir(), "writer-", getpid(), ".pt")) {
    TensorList list({.name = "tiny", .classes = 2, .input_channels = 1});
    list.Conv("c", 2, 1, 1);
    architecture_ = std::move(list).WithHead("fc", 2, 2);
    for (float value = 0; value < 8; ++value) values_.push_back(value);
  }
  ~TorchWriterTest() override { std::filesystem::remove(path_); }

  const std::string path_;
  Architecture architecture_;
  std::vector<float> values_;  // c.weight 2, fc.weight 4, fc.bias 2
};

TEST_F(TorchWriterTest, FileHasEveryTensorUnderItsNameInTheRegistrysOrder) {
  ASSERT_TRUE(WriteTorchFile(path_, architecture_, values_).ok());
  const std::string bytes = ReadFile(path_).value();
  EXPECT_TRUE(IsTorchZip(bytes));
  const auto content = ParseTorchFile(bytes);
  ASSERT_TRUE(content.ok()) << content.status();
  std::vector<float> all;
  ASSERT_EQ(content->tensors.size(), architecture_.tensors.size());
  for (size_t i = 0; i < content->tensors.size(); ++i) {
    const NamedTensor& tensor = content->tensors[i];
    EXPECT_EQ(tensor.name, architecture_.tensors[i].name);
    EXPECT_EQ(tensor.view.shape, architecture_.tensors[i].shape);
    std::vector<float> own(static_cast<size_t>(tensor.view.size()));
    ASSERT_TRUE(CopyAsFloat32(tensor.name, tensor.view, own.data()).ok());
    all.insert(all.end(), own.begin(), own.end());
  }
  EXPECT_EQ(all, values_);
}

TEST_F(TorchWriterTest, EqualInputGivesEqualBytesAndTheirDigest) {
  const std::string first =
      WriteTorchFile(path_, architecture_, values_).value();
  EXPECT_EQ(first, Sha256Of(ReadFile(path_).value()));
  EXPECT_EQ(WriteTorchFile(path_, architecture_, values_).value(), first);
  values_[7] = 8;
  EXPECT_NE(WriteTorchFile(path_, architecture_, values_).value(), first);
}

TEST_F(TorchWriterTest, AnotherNumberOfValuesIsRefusedAndWritesNothing) {
  values_.pop_back();
  EXPECT_EQ(WriteTorchFile(path_, architecture_, values_).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(FileExists(path_));
}

}  // namespace
}  // namespace hilum
