// SPDX-License-Identifier: Apache-2.0
#include "sim/phantoms/phantom.h"

#include <gtest/gtest.h>

#include <string>

namespace hilum {
namespace {

PhantomRequest Request(const std::string& label, uint64_t patient) {
  return {.seed = 5,
          .patient = patient,
          .exposure = 0,
          .label = label,
          .site = 0,
          .size = 96};
}

double LungMean(const Phantom& phantom) {
  double sum = 0, count = 0;
  for (size_t i = 0; i < phantom.pixels.size(); ++i) {
    if (phantom.mask[i] == 0) continue;
    sum += phantom.pixels[i];
    ++count;
  }
  return sum / count;
}

TEST(PhantomTest, SameRequestGivesTheSamePixels) {
  EXPECT_EQ(DrawPhantom(Request("viral", 3)).pixels,
            DrawPhantom(Request("viral", 3)).pixels);
  EXPECT_NE(DrawPhantom(Request("viral", 3)).pixels,
            DrawPhantom(Request("viral", 4)).pixels);
}

TEST(PhantomTest, LungsAreAPlausibleShareOfTheFilmAndDarkerThanTheRest) {
  for (uint64_t patient = 0; patient < 10; ++patient) {
    const Phantom phantom = DrawPhantom(Request("normal", patient));
    double inside = 0, lung = 0, all = 0;
    for (size_t i = 0; i < phantom.pixels.size(); ++i) {
      inside += phantom.mask[i] != 0;
      lung += phantom.mask[i] != 0 ? phantom.pixels[i] : 0;
      all += phantom.pixels[i];
    }
    EXPECT_GT(inside / phantom.pixels.size(), 0.10);
    EXPECT_LT(inside / phantom.pixels.size(), 0.45);
    EXPECT_LT(lung / inside, all / phantom.pixels.size());
  }
}

// Anatomy and placement do not depend on the label, so all labels have the
// healthy film's mask and differ in the opacity only.
TEST(PhantomTest, FindingsBrightenTheLungsOfTheSamePatient) {
  for (const char* label : {"covid19", "bacterial", "viral"}) {
    double difference = 0;
    for (uint64_t patient = 0; patient < 12; ++patient) {
      difference += LungMean(DrawPhantom(Request(label, patient))) -
                    LungMean(DrawPhantom(Request("normal", patient)));
    }
    EXPECT_GT(difference / 12, 400) << label;
  }
}

}  // namespace
}  // namespace hilum
