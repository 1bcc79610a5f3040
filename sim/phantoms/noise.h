// SPDX-License-Identifier: Apache-2.0
// Smooth noise over the plane, as tissue texture. Pure functions of the seed
// and the place: any pixel can be computed alone, in any order.
#ifndef HILUM_SIM_PHANTOMS_NOISE_H_
#define HILUM_SIM_PHANTOMS_NOISE_H_

#include <cstdint>

namespace hilum {

// Returns a value in [0, 1): random values on the integer lattice, smoothly
// interpolated.
double ValueNoise(uint64_t seed, double x, double y);

// Returns a value in [0, 1): `octaves` of ValueNoise, each twice as fine and
// half as strong.
double FractalNoise(uint64_t seed, double x, double y, int octaves);

// Returns a value in [0, 1]: near 1 along thin branching lines, 0 between them.
double RidgeNoise(uint64_t seed, double x, double y);

// Returns 0 below `low`, 1 above `high`, smooth between. If low > high it
// falls: 1 below `high`, 0 above `low`.
double SmoothStep(double low, double high, double value);

}  // namespace hilum

#endif  // HILUM_SIM_PHANTOMS_NOISE_H_
