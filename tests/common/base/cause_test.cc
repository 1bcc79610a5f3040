// SPDX-License-Identifier: Apache-2.0
#include "common/base/cause.h"

#include <cerrno>

#include "common/base/file.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

TEST(CauseTest, AStatusCarriesItsCause) {
  const absl::Status plain = absl::ResourceExhaustedError("x");
  EXPECT_EQ(CauseOf(plain), Cause::kUnknown);
  for (Cause cause :
       {Cause::kDiskFull, Cause::kTooLarge, Cause::kOutOfMemory}) {
    EXPECT_EQ(CauseOf(WithCause(plain, cause)), cause);
  }
  const absl::Status full = WithCause(plain, Cause::kDiskFull);
  EXPECT_EQ(CauseOf(WithCause(full, Cause::kUnknown)), Cause::kUnknown);
  EXPECT_EQ(CauseOf(absl::OkStatus()), Cause::kUnknown);
}

TEST(CauseTest, AFullDiskSaysSoAndAFileThatIsTooLargeToo) {
  EXPECT_EQ(CauseOf(ErrnoStatus(ENOSPC, "cannot write", "f")),
            Cause::kDiskFull);
  EXPECT_EQ(CauseOf(ErrnoStatus(EDQUOT, "cannot write", "f")),
            Cause::kDiskFull);
  EXPECT_EQ(CauseOf(ErrnoStatus(EFBIG, "cannot write", "f")), Cause::kTooLarge);
  EXPECT_EQ(CauseOf(ErrnoStatus(ENOENT, "cannot open", "f")), Cause::kUnknown);
  const std::string path = testing::TempDir() + "/cause_test";
  ASSERT_TRUE(WriteFileAtomically(path, "12345", Durability::kNone).ok());
  EXPECT_EQ(CauseOf(ReadFile(path, 4).status()), Cause::kTooLarge);
}

}  // namespace
}  // namespace hilum
