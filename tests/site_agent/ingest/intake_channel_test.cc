// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/intake_channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace hilum {
namespace {

using Kind = IntakeAnswer::Kind;

// Returns what the receiver makes of this answer to Take.
IntakeAnswer TakenAs(const std::string& answer) {
  auto ends = MakeIntakeSockets().value();
  IntakeChannel channel(std::move(ends.first));
  // Waits in the socket until it is asked for.
  EXPECT_TRUE(SendIntakeMessage(ends.second.get(), answer).ok());
  auto taken = channel.Take("1.2.3_1_1.dcm");
  EXPECT_TRUE(taken.ok()) << taken.status();
  auto asked = ReceiveIntakeMessage(ends.second.get());
  EXPECT_EQ(asked->text, "take 1.2.3_1_1.dcm");
  return taken.value_or(IntakeAnswer());
}

// Only what is committed may be told to the sender as stored.
TEST(IntakeChannelTest, AnswersMeanWhatTheySay) {
  EXPECT_EQ(TakenAs("committed").kind, Kind::kCommitted);
  EXPECT_EQ(TakenAs("refused not a chest").kind, Kind::kRefused);
  EXPECT_EQ(TakenAs("refused not a chest").reason, "not a chest");
  EXPECT_EQ(TakenAs("full no space").kind, Kind::kFull);
  EXPECT_EQ(TakenAs("error later").reason, "later");
  for (const char* other : {"error x", "committed?", "yes", "refused"}) {
    EXPECT_EQ(TakenAs(other).kind, Kind::kError) << other;
  }
}

TEST(IntakeChannelTest, KnownIsYesOrNoAndNothingElse) {
  for (const auto& [answer, known] : {std::pair{"yes", true}, {"no", false}}) {
    auto ends = MakeIntakeSockets().value();
    IntakeChannel channel(std::move(ends.first));
    ASSERT_TRUE(SendIntakeMessage(ends.second.get(), answer).ok());
    EXPECT_EQ(channel.IsKnown("1.2.3").value(), known);
    EXPECT_EQ(ReceiveIntakeMessage(ends.second.get())->text, "known 1.2.3");
  }
  auto ends = MakeIntakeSockets().value();
  IntakeChannel channel(std::move(ends.first));
  ASSERT_TRUE(SendIntakeMessage(ends.second.get(), "disk full").ok());
  EXPECT_TRUE(absl::IsInternal(channel.IsKnown("1.2.3").status()));
}

TEST(IntakeChannelTest, AnEndedProcessIsUnavailableAndNoSignal) {
  auto ends = MakeIntakeSockets().value();
  IntakeChannel channel(std::move(ends.first));
  ends.second.Close();
  EXPECT_TRUE(absl::IsUnavailable(channel.Take("x.dcm").status()));
  EXPECT_TRUE(absl::IsUnavailable(channel.IsKnown("1.2.3").status()));
}

TEST(IntakeChannelTest, ADescriptorComesAlongAndProgramsDoNotInheritIt) {
  auto ends = MakeIntakeSockets().value();
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const ScopedFd reads(pipe_ends[0]), writes(pipe_ends[1]);
  ASSERT_TRUE(SendIntakeMessage(ends.first.get(), "open", writes.get()).ok());
  auto message = ReceiveIntakeMessage(ends.second.get());
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(message->text, "open");
  ASSERT_GE(message->fd.get(), 0);
  EXPECT_EQ(fcntl(message->fd.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_EQ(write(message->fd.get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(reads.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
}

TEST(IntakeChannelTest, AMessageStaysOneAndALongOneIsCut) {
  auto ends = MakeIntakeSockets().value();
  ASSERT_TRUE(SendIntakeMessage(ends.first.get(), "one").ok());
  ASSERT_TRUE(SendIntakeMessage(ends.first.get(),
                                std::string(kMaxIntakeMessage + 1, 'x'))
                  .ok());
  EXPECT_EQ(ReceiveIntakeMessage(ends.second.get())->text, "one");
  EXPECT_EQ(ReceiveIntakeMessage(ends.second.get())->text,
            std::string(kMaxIntakeMessage, 'x'));
}

}  // namespace
}  // namespace hilum
