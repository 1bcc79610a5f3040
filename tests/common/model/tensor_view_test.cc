// SPDX-License-Identifier: Apache-2.0
#include "common/model/tensor_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/common/model/torch_bytes.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kSix = RawBytes<float>({1, 2, 3, 4, 5, 6});

TensorView View(std::vector<int64_t> shape, std::vector<int64_t> strides,
                uint64_t offset = 0) {
  return {.shape = std::move(shape),
          .strides = std::move(strides),
          .offset = offset,
          .storage = kSix};
}

std::vector<float> Copied(const TensorView& view) {
  std::vector<float> to(static_cast<size_t>(view.size()));
  const absl::Status status = CopyAsFloat32("w", view, to.data());
  EXPECT_TRUE(status.ok()) << status;
  return to;
}

TEST(TensorViewTest, ElementsAreCopiedRowByRowWhateverTheStrides) {
  EXPECT_THAT(Copied(View({2, 3}, {3, 1})), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(Copied(View({3, 2}, {1, 3})), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(Copied(View({2}, {2}, 1)), ElementsAre(2, 4));
  EXPECT_THAT(Copied(View({}, {}, 5)), ElementsAre(6));
}

TEST(TensorViewTest, LastElementInTheStorageIsTakenAndTheNextIsRefused) {
  EXPECT_TRUE(CheckView(View({2, 3}, {3, 1})).ok());
  EXPECT_TRUE(CheckView(View({2}, {5})).ok());
  EXPECT_TRUE(CheckView(View({0}, {1}, 9)).ok());
  for (const TensorView& view :
       {View({2, 3}, {3, 1}, 1), View({2}, {6}), View({7}, {0}),
        View({-1}, {1}), View({2}, {-1}), View({2}, {}), View({}, {}, 6)}) {
    EXPECT_EQ(CheckView(view).code(), absl::StatusCode::kInvalidArgument)
        << ShapeText(view.shape);
  }
}

TEST(TensorViewTest, NumbersThatWeightsCannotHoldAreRefusedByName) {
  float to[2];
  TensorView view = View({2}, {1});
  view.storage = "\1\1";
  view.type = ElementType::kBool;
  EXPECT_THAT(std::string(CopyAsFloat32("a.b", view, to).message()),
              HasSubstr("tensor a.b is bool"));
  // Rounding makes the second infinite.
  const std::string doubles = RawBytes<double>({0.5, 1e300});
  view.storage = doubles;
  view.type = ElementType::kFloat64;
  EXPECT_THAT(std::string(CopyAsFloat32("a.b", view, to).message()),
              HasSubstr("infinity at element 1"));
  const std::string nan = RawBytes<float>({NAN, 0});
  view.storage = nan;
  view.type = ElementType::kFloat32;
  EXPECT_EQ(CopyAsFloat32("a.b", view, to).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(TensorViewTest, ElementTypesAreInTheirTableAtTheirPlace) {
  for (const ElementTypeInfo& info : ElementTypes()) {
    EXPECT_EQ(&InfoOf(info.type), &info) << info.name;
  }
  EXPECT_EQ(InfoOf(ElementType::kBfloat16).size, 2u);
  EXPECT_TRUE(IsFloating(ElementType::kBfloat16));
  EXPECT_FALSE(IsFloating(ElementType::kInt64));
}

TEST(TensorViewTest, NamesOfAFileAreShownShortAndWithoutControlCharacters) {
  EXPECT_EQ(Shown("a\nb\x1b"), "a\\nb\\x1b");
  EXPECT_EQ(Shown(std::string(500, 'a')), std::string(120, 'a') + "...");
}

}  // namespace
}  // namespace hilum
