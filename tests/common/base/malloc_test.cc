// SPDX-License-Identifier: Apache-2.0
#include "common/base/malloc.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace hilum {
namespace {

// Returns what `look` returns (below 256) in a process of its own, whose
// allocator nobody tuned before.
int InAProcess(int (*look)()) {
  const pid_t child = fork();
  if (child == 0) _exit(look());
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Returns how many mappings of their own a block of so many bytes has.
int OwnMappings(size_t bytes) {
  const size_t before = mallinfo2().hblks;
  void* volatile block = std::malloc(bytes);
  const size_t after = mallinfo2().hblks;
  std::free(block);
  return static_cast<int>(after - before);
}

class MallocTest : public testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer has an allocator of its own";
#endif
  }
};

TEST_F(MallocTest, BlockOfAChunkIsNotMappedForItselfOnceTuned) {
  EXPECT_EQ(InAProcess([] {
              mallopt(M_MMAP_THRESHOLD, 128 << 10);  // glibc's own
              return OwnMappings(4 << 20);
            }),
            1);
  EXPECT_EQ(InAProcess([] {
              mallopt(M_MMAP_THRESHOLD, 128 << 10);
              TuneMallocForChunks();
              return OwnMappings(4 << 20);
            }),
            0);
}

// A vector of a whole model goes back to the kernel when it is freed.
TEST_F(MallocTest, BlockOfManyChunksIsMappedForItself) {
  EXPECT_EQ(InAProcess([] {
              TuneMallocForChunks();
              return OwnMappings(64 << 20);
            }),
            1);
}

TEST_F(MallocTest, TrainingMapsNoBlockForItself) {
  EXPECT_EQ(InAProcess([] {
              TuneMallocForTraining();
              return OwnMappings(64 << 20);
            }),
            0);
}

// A step frees its activations; the next step needs the same pages.
TEST_F(MallocTest, TrainingKeepsWhatAStepHasFreed) {
  EXPECT_EQ(InAProcess([] {
              TuneMallocForTraining();
              void* volatile block = std::malloc(64 << 20);
              std::free(block);
              return mallinfo2().arena >= (64u << 20) ? 1 : 0;
            }),
            1);
}

}  // namespace
}  // namespace hilum
