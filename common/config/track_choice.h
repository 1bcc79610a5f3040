// SPDX-License-Identifier: Apache-2.0
// Selects each track's best model by the track's own validation losses, and
// says when the track stops.
//
// Round r tries the model that it begins with: the one after round r - 1, where
// the one after round 0 is the starting one. A track is not tried in a round
// whose sum was lost, or in which no site had validation cases for it. A track
// looks at no other track's losses: the cases that it holds out validate other
// tracks, and must not choose its model.
//
// Coordinator and sites call the same functions. All are pure; [tracks] is in
// the order of StudyTracks. Choices without entries mean that nothing was tried
// yet.
#ifndef HILUM_COMMON_CONFIG_TRACK_CHOICE_H_
#define HILUM_COMMON_CONFIG_TRACK_CHOICE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

using TrackChoices = google::protobuf::RepeatedPtrField<v1::TrackChoice>;

// Takes in round `round` (from 1), whose losses [tracks] are of the models that
// it began with; NaN: the track was not tried.
// Best: the lowest loss, of equal ones the first. Gain: a loss lower, by more
// than validation.minimum_gain, than that of the last model that brought a
// gain; the first one tried brings one. A track stops once validation.patience
// tried models, one after the other, brought no gain (0: it never stops). Round
// `round` is then the last that trained it, and its choice does not change any
// more. Does nothing where the study does not validate.
void Choose(const v1::Study& study, uint32_t round,
            absl::Span<const double> losses, TrackChoices& choices);

bool IsStopped(const TrackChoices& choices, size_t track);
bool AnyTried(const TrackChoices& choices);

// Returns the round after which a track's chosen model came, where training
// went on to `last_round`: the best round, or the last for a track that was not
// tried.
uint32_t ChosenRound(const TrackChoices& choices, size_t track,
                     uint32_t last_round);

// Returns the last round that trained the track, where training went on to
// `last_round`.
uint32_t LastRound(const TrackChoices& choices, size_t track,
                   uint32_t last_round);

// Sets the cohort's training cases [tracks] of stopped tracks to 0: no site
// contributes to them any more.
void LeaveOutStopped(const TrackChoices& choices,
                     std::vector<uint64_t>& track_examples);

// The blob from which a track of the chosen models is copied.
enum class ChosenFrom {
  kAny,     // the track is equal in all three
  kChosen,  // the chosen models before the round
  kBefore,  // the models with which the round began
  kAfter,   // the models after the round
};

// Returns [tracks]: the origin of the chosen models after round `round`, which
// trained on `examples` [tracks] cases and led to the choices `after`. The
// chosen model of a track that was never tried is its last. Where AnyTried of
// the choices before the round is false, kChosen and kBefore are the same.
std::vector<ChosenFrom> OriginOfChosen(const TrackChoices& after,
                                       uint32_t round,
                                       absl::Span<const uint64_t> examples);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_TRACK_CHOICE_H_
