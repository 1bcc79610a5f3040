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

// Returns how many blocks of so many bytes the kernel mapped for themselves.
int OwnMappings(size_t bytes) {
  void* volatile block = std::malloc(bytes);
  const int mapped = static_cast<int>(mallinfo2().hblks);
  std::free(block);
  return mapped;
}

TEST(MallocTest, BlockOfAChunkIsNotMappedForItselfOnceTuned) {
  EXPECT_EQ(InAProcess([] { return OwnMappings(4 << 20); }), 1);
  EXPECT_EQ(InAProcess([] {
              TuneMallocForChunks();
              return OwnMappings(4 << 20);
            }),
            0);
  EXPECT_EQ(InAProcess([] {
              TuneMallocForChunks();
              return OwnMappings(64 << 20);
            }),
            1);
}

TEST(MallocTest, TrainingMapsNoBlockForItself) {
  EXPECT_EQ(InAProcess([] {
              TuneMallocForTraining();
              return OwnMappings(64 << 20);
            }),
            0);
}

// A step frees its activations; the next step needs the same pages.
TEST(MallocTest, TrainingKeepsWhatAStepHasFreed) {
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
