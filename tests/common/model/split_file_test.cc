// SPDX-License-Identifier: Apache-2.0
#include "common/model/split_file.h"

#include <unistd.h>

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "common/model/blobs.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

using ::testing::HasSubstr;

ParameterLayout LayoutOf(const std::string& architecture, uint32_t last_blocks,
                         v1::Model::BatchNorm batch_norm) {
  v1::Study study;
  for (const char* label : {"a", "b", "c"}) study.add_classes(label);
  study.mutable_model()->set_architecture(architecture);
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_LAST_BLOCKS);
  study.mutable_model()->set_last_blocks(last_blocks);
  study.mutable_model()->set_batch_norm(batch_norm);
  return StudyLayout(study).value();
}

class SplitFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/split_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) { return folder_ + "/" + name; }
  void WriteInitial(const std::vector<float>& values) {
    ASSERT_TRUE(WriteFileAtomically(Path("initial"), BlobBytes(values),
                                    Durability::kNone)
                    .ok());
  }
  absl::StatusOr<SplitFiles> Split(const ParameterLayout& layout, int tracks) {
    return SplitWeightsFile(layout, Path("initial"), tracks, Path("frozen"),
                            Path("global"));
  }
  int Files() {
    return static_cast<int>(
        std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::string folder_;
};

TEST_F(SplitFileTest, FilesAreWhatTheSplitInMemoryGives) {
  for (const ParameterLayout& layout :
       {LayoutOf("hilum_small", 0, v1::Model::BATCH_NORM_FROZEN),
        LayoutOf("hilum_small", 2, v1::Model::BATCH_NORM_FROZEN),
        // Frozen tensors lie between those that travel.
        LayoutOf("resnet18", 1, v1::Model::BATCH_NORM_LOCAL)}) {
    const std::vector<float> initial = InitialWeights(layout.architecture, 3);
    WriteInitial(initial);
    const SplitWeights split = SplitInitial(layout, initial).value();
    const std::vector<float> global = RepeatForTracks(split.travelling, 3);
    auto files = Split(layout, 3);
    ASSERT_TRUE(files.ok()) << files.status();
    EXPECT_TRUE(ReadFile(Path("frozen")).value() == BlobBytes(split.frozen));
    EXPECT_TRUE(ReadFile(Path("global")).value() == BlobBytes(global));
    EXPECT_EQ(files->frozen.sha256, Sha256Of(BlobBytes(split.frozen)));
    EXPECT_EQ(files->frozen.num_bytes, split.frozen.size() * 4);
    EXPECT_EQ(files->global.sha256, Sha256Of(BlobBytes(global)));
    EXPECT_EQ(files->global.num_bytes, global.size() * 4);
  }
}

TEST_F(SplitFileTest, WhereNothingIsFrozenThereIsNoFrozenFile) {
  const ParameterLayout layout =
      LayoutOf("hilum_small", 5, v1::Model::BATCH_NORM_FROZEN);
  ASSERT_EQ(layout.frozen_size, 0);
  const std::vector<float> initial = InitialWeights(layout.architecture, 3);
  WriteInitial(initial);
  auto files = Split(layout, 1);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(files->frozen.sha256, "");
  EXPECT_EQ(files->frozen.num_bytes, 0u);
  EXPECT_FALSE(FileExists(Path("frozen")));
  EXPECT_TRUE(ReadFile(Path("global")).value() == BlobBytes(initial));
}

TEST_F(SplitFileTest, AnotherLengthIsRefusedWithBothNumbers) {
  const ParameterLayout layout =
      LayoutOf("hilum_small", 1, v1::Model::BATCH_NORM_FROZEN);
  std::vector<float> initial = InitialWeights(layout.architecture, 3);
  const size_t right = initial.size();
  for (size_t size : {right - 1, right + 1, size_t{0}}) {
    initial.resize(size);
    WriteInitial(initial);
    const absl::Status status = Split(layout, 2).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat(size * 4, " bytes")));
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat(right * 4)));
  }
  initial.resize(right);
  WriteInitial(initial);
  EXPECT_EQ(Split(layout, 0).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Files(), 1);
  std::filesystem::remove(Path("initial"));
  EXPECT_EQ(Split(layout, 2).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(SplitFileTest, ValueThatIsNotFiniteIsNamedAndNothingIsLeft) {
  const ParameterLayout layout =
      LayoutOf("hilum_small", 1, v1::Model::BATCH_NORM_FROZEN);
  const std::vector<float> good = InitialWeights(layout.architecture, 3);
  size_t first = 0;
  for (const TensorSpec& tensor : layout.architecture.tensors) {
    const auto last = static_cast<size_t>(tensor.size() - 1);
    for (float value : {std::numeric_limits<float>::quiet_NaN(),
                        -std::numeric_limits<float>::infinity()}) {
      std::vector<float> bad = good;
      bad[first + last] = value;
      WriteInitial(bad);
      const absl::Status status = Split(layout, 2).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
      EXPECT_THAT(std::string(status.message()),
                  HasSubstr(absl::StrCat("element ", last, " of tensor ",
                                         tensor.name, " is not finite")));
    }
    first += last + 1;
  }
  EXPECT_EQ(first, good.size());
  EXPECT_EQ(Files(), 1);
}

TEST_F(SplitFileTest, CheckFiniteNamesTheFirstElementThatIsNot) {
  std::vector<float> values(200000, std::numeric_limits<float>::max());
  WriteInitial(values);
  EXPECT_TRUE(CheckFinite(Path("initial")).ok());
  values[199999] = std::numeric_limits<float>::infinity();
  values[131073] = std::numeric_limits<float>::quiet_NaN();
  WriteInitial(values);
  const absl::Status status = CheckFinite(Path("initial"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("element 131073 "));
  ASSERT_TRUE(
      WriteFileAtomically(Path("initial"), "12345", Durability::kNone).ok());
  EXPECT_EQ(CheckFinite(Path("initial")).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckFinite(Path("none")).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hilum
