// SPDX-License-Identifier: Apache-2.0
// Tests with weights in the shared cases: extra content beside a state dict
// does no harm, and a file that holds no weights is named by its kind.
#include "common/model/weights_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/shared_cases.h"

namespace hilum {
namespace {

class SharedWeightsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (folder_.empty()) GTEST_SKIP() << "the shared cases are not here";
  }

  absl::StatusOr<WeightsFile> Open(const std::string& name) const {
    return WeightsFile::Open(folder_ + "/" + name);
  }

 private:
  const std::string folder_ = SharedCases("weights");
};

TEST_F(SharedWeightsTest, SideDataDoesNotCostTheTensors) {
  for (const char* name :
       {"pl_attrdict.ckpt", "pl_path.ckpt", "side_cfgnode.pth",
        "side_datetime.pth", "side_enum.pth", "side_partial.pth",
        "side_path.pth", "side_uuid.pth"}) {
    auto file = Open(name);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(file->tensors().size(), 1u) << name;
  }
}

TEST_F(SharedWeightsTest, OtherFilesAreCalledWhatTheyAre) {
  for (auto [name, what] : {std::pair{"index.json", "in several files"},
                            {"json_error.pth", "JSON"},
                            {"model.onnx", "ONNX"},
                            {"w.pth.gz", "gunzip"}}) {
    EXPECT_THAT(std::string(Open(name).status().message()),
                ::testing::HasSubstr(what))
        << name;
  }
}

}  // namespace
}  // namespace hilum
