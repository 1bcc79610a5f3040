// SPDX-License-Identifier: Apache-2.0
// Tests who can predict the random choices of training.
#include "site_agent/trainer/data/prepared_study.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/config/study.h"

namespace hilum {
namespace {

constexpr int kSide = 4;

// The digests are known to everybody who has the images.
PreparedStudy Site(char key, const std::string& name = "study") {
  PreparedStudy site;
  site.study.set_name(name);
  site.study.set_seed(7);
  for (const char* label : {"sick", "well"}) site.study.add_classes(label);
  for (const char* member : {"a", "b", "c"}) site.study.add_sites(member);
  site.study.add_arms(v1::ARM_WHOLE);
  site.study.mutable_model()->set_input_size(kSide);
  v1::Augmentation& reach =
      *site.study.mutable_training()->mutable_augmentation();
  reach.set_rotation_degrees(20);
  reach.set_shift(0.2);
  reach.set_views(4);
  site.site = "a";
  site.draws_key = DrawsKeyOf(std::string(32, key), site.study);
  for (uint16_t i = 0; i < 64; ++i) {
    site.pool.data.digests.push_back(std::string(32, static_cast<char>(i)));
    Plane plane(kSide * kSide);
    for (size_t p = 0; p < plane.size(); ++p) {
      plane[p] = static_cast<uint16_t>(i * 100 + p * 4000);
    }
    site.pool.data.whole.push_back(plane);
  }
  return site;
}

struct Draws {
  std::vector<size_t> order;
  std::vector<uint64_t> dropout, views;
  std::vector<float> pixels;
  bool operator==(const Draws&) const = default;
};

Draws DrawsOf(const PreparedStudy& site, uint32_t round = 1) {
  const Track track{v1::ARM_WHOLE, 0};
  Draws draws;
  for (size_t i = 0; i < 64; ++i) {
    draws.order.push_back(i);
    draws.views.push_back(site.VersionAt(i, 3));
  }
  site.MakeRng("shuffle", track, round).Shuffle(draws.order);
  draws.dropout.push_back(site.MakeRng("dropout", track, round).Next());
  site.AppendPixels(v1::ARM_WHOLE, {5, 2}, draws.pixels);
  return draws;
}

TEST(PreparedStudyTest, SameKeyAndStudyDrawTheSame) {
  EXPECT_EQ(DrawsOf(Site('k')), DrawsOf(Site('k')));
}

// All sites know the study and its seed.
TEST(PreparedStudyTest, NoDrawFollowsFromTheStudyAlone) {
  const Draws ours = DrawsOf(Site('k')), others = DrawsOf(Site('x'));
  EXPECT_NE(ours.order, others.order);
  EXPECT_NE(ours.dropout, others.dropout);
  EXPECT_NE(ours.views, others.views);
  EXPECT_NE(ours.pixels, others.pixels);
}

// Two studies with equal draws would differ only in their cohorts.
TEST(PreparedStudyTest, TwoStudiesDoNotDrawAlike) {
  const Draws one = DrawsOf(Site('k', "one")), two = DrawsOf(Site('k', "two"));
  EXPECT_NE(one.order, two.order);
  EXPECT_NE(one.dropout, two.dropout);
  EXPECT_NE(one.views, two.views);
  EXPECT_NE(one.pixels, two.pixels);
}

TEST(PreparedStudyTest, RoundsAndTracksDrawApart) {
  const PreparedStudy site = Site('k');
  const auto first = [&](const char* purpose, int fold, uint32_t round) {
    return site.MakeRng(purpose, {v1::ARM_WHOLE, fold}, round).Next();
  };
  EXPECT_NE(first("shuffle", 0, 1), first("shuffle", 1, 1));
  EXPECT_NE(first("shuffle", 0, 1), first("shuffle", 0, 2));
  EXPECT_NE(first("shuffle", 0, 1), first("dropout", 0, 1));
}

// A simulated site trains the same with masks and without.
TEST(PreparedStudyTest, HowSitesAreKnownAndSummedMovesNoDraw) {
  v1::Study study = Site('k').study;
  const std::string key = DrawsKeyOf(std::string(32, 'k'), study);
  study.add_site_keys(std::string(32, 's'));
  study.mutable_aggregation()->set_secure_aggregation(
      v1::Aggregation::SECURE_AGGREGATION_OFF);
  study.mutable_aggregation()->set_minimum_sites(2);
  study.mutable_aggregation()->set_step_deadline_seconds(7);
  EXPECT_EQ(DrawsKeyOf(std::string(32, 'k'), study), key);
  study.add_sites("d");
  EXPECT_NE(DrawsKeyOf(std::string(32, 'k'), study), key);
}

// Repeating a study with only another deadline would otherwise give the same
// bits.
TEST(PreparedStudyTest, AnotherDeadlineDrawsApart) {
  v1::Study study = Site('k').study;
  const std::string key = DrawsKeyOf(std::string(32, 'k'), study);
  study.mutable_aggregation()->set_round_deadline_seconds(3601);
  EXPECT_NE(DrawsKeyOf(std::string(32, 'k'), study), key);
}

}  // namespace
}  // namespace hilum
