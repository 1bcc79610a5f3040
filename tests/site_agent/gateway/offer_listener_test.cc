// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/offer_listener.h"

#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"

namespace hilum {
namespace {

TEST(OfferListenerTest, NothingIsAskedDuringAShortCall) {
  int asked = 0, interrupted = 0;
  {
    OfferListener listener({.patience = absl::InfiniteDuration(),
                            .ask =
                                [&] {
                                  ++asked;
                                  return absl::ZeroDuration();
                                },
                            .interrupt = [&] { ++interrupted; }});
  }
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(interrupted, 0);  // the session's next question is safe
}

TEST(OfferListenerTest, AsksAgainUntilTheCallIsOver) {
  int asked = 0;
  absl::Notification third;
  {
    OfferListener listener({.patience = absl::ZeroDuration(),
                            .ask =
                                [&] {
                                  if (++asked < 3) return absl::ZeroDuration();
                                  if (asked == 3) third.Notify();
                                  return absl::InfiniteDuration();
                                },
                            .interrupt = [] {}});
    third.WaitForNotification();
  }
  EXPECT_EQ(asked, 3);
}

TEST(OfferListenerTest, QuestionInFlightIsInterruptedAtTheEnd) {
  absl::Notification asking, interrupted;
  {
    OfferListener listener({.patience = absl::ZeroDuration(),
                            .ask =
                                [&] {
                                  asking.Notify();
                                  interrupted.WaitForNotification();
                                  return absl::InfiniteDuration();
                                },
                            .interrupt = [&] { interrupted.Notify(); }});
    asking.WaitForNotification();
  }
  EXPECT_TRUE(interrupted.HasBeenNotified());
}

}  // namespace
}  // namespace hilum
